//! `Judge`: who may hear of what, as the index asks while it matches.

use std::collections::BTreeSet;

use super::event::Event;
use crate::object_id::TableId;

/// Whether a session hears of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Its viewer sees no difference.
    No,
    /// Its viewer sees one.
    Yes,
    /// Nobody could say in time: what it watches is to be read again.
    Unknown,
}

/// Says which sessions may hear of a change. Asked about guarded tables only, so matching costs
/// nothing more where there are none. Runs while the index is locked: it looks up, and asks nobody.
pub(super) trait Judge {
    /// Whether there are rules on who sees what of this table.
    fn guards(&self, table: TableId) -> bool;

    /// Whether the session's viewer sees a difference in this event.
    fn hears(&mut self, session: u32, event: &Event<'_>) -> Heard;

    /// Whether the session's viewer may see anything of a table that changed as a whole.
    fn hears_of_table(&mut self, session: u32, table: TableId) -> bool;

    /// The tables of which viewers may see other rows than before, whatever happened to the rows
    /// themselves.
    fn seen_anew(&self) -> BTreeSet<TableId>;

    /// Whether the session's viewer may see other rows of such a table than before.
    fn sees_anew(&mut self, session: u32, table: TableId) -> bool;
}

/// All hear of everything.
pub(super) struct Everyone;

impl Judge for Everyone {
    fn guards(&self, _: TableId) -> bool {
        false
    }

    fn hears(&mut self, _: u32, _: &Event<'_>) -> Heard {
        Heard::Yes
    }

    fn hears_of_table(&mut self, _: u32, _: TableId) -> bool {
        true
    }

    fn seen_anew(&self) -> BTreeSet<TableId> {
        BTreeSet::new()
    }

    fn sees_anew(&mut self, _: u32, _: TableId) -> bool {
        false
    }
}
