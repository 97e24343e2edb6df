//! All sessions as a picture: a letter for each cell, in the order in which the sessions came. One
//! answer holds ten thousand of them, so it is short.

use super::inspector::Inspector;
use super::report::{Grid, Sessions};

/// Cells at most. Beyond it each stands for several sessions.
const CELLS: usize = 20_000;

/// The letters, the worst first.
const WORST_FIRST: [u8; 3] = *b"bol";

impl Inspector {
    /// The state of every session.
    pub(crate) fn grid(&self) -> Grid {
        let states = self.in_order().map(|(_, state)| state);
        grid(&states.collect::<Vec<u8>>(), CELLS)
    }

    /// The sessions of one cell, at most so many.
    pub(crate) fn cell(&self, cell: u64, limit: usize) -> Sessions {
        let labels: Vec<_> = self.in_order().map(|(label, _)| label).collect();
        let per_cell = per_cell(labels.len(), CELLS);
        let cell = usize::try_from(cell).unwrap_or(usize::MAX);
        let labels = labels.chunks(per_cell).nth(cell).unwrap_or_default();
        self.sessions(|session, _| labels.contains(&session.label()), limit)
    }

    fn in_order(&self) -> impl Iterator<Item = (crate::session::SessionLabel, u8)> {
        let mut sessions = self.all_sessions();
        sessions.sort_unstable_by_key(|(session, _)| session.number());
        let letter = |state: &str| state.bytes().next().unwrap_or(b'o');
        sessions
            .into_iter()
            .map(move |(session, report)| (session.label(), letter(&report.state)))
    }
}

fn per_cell(sessions: usize, cells: usize) -> usize {
    sessions.div_ceil(cells).max(1)
}

fn grid(states: &[u8], cells: usize) -> Grid {
    let per_cell = per_cell(states.len(), cells);
    let worst = |cell: &[u8]| {
        let found = WORST_FIRST.iter().find(|state| cell.contains(state));
        char::from(*found.unwrap_or(&b'o'))
    };
    Grid {
        cells: states.chunks(per_cell).map(worst).collect(),
        per_cell: per_cell as u64,
        sessions: states.len() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_of_several_sessions_shows_the_worst() {
        let grid = grid(b"lllbolol", 4);
        assert_eq!((grid.cells.as_str(), grid.per_cell), ("lboo", 2));
        assert_eq!(grid.sessions, 8);
    }

    #[test]
    fn few_sessions_have_a_cell_each() {
        assert_eq!(grid(b"lbo", 4).cells, "lbo");
        assert_eq!(grid(b"", 4).per_cell, 1);
    }
}
