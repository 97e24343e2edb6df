//! What was measured, as the Markdown table that docs/performance.md quotes.

use std::fmt;

/// Which side of its bound a figure must be on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    /// The figure may be this at most.
    AtMost(f64),
    /// The figure must be this at least.
    AtLeast(f64),
}

impl Bound {
    fn holds(self, figure: f64) -> bool {
        match self {
            Bound::AtMost(bound) => figure <= bound,
            Bound::AtLeast(bound) => figure >= bound,
        }
    }
}

/// One line of the table.
#[derive(Debug)]
struct Line {
    what: &'static str,
    figure: f64,
    /// Nothing for what is only told.
    bound: Option<Bound>,
    from: String,
}

impl Line {
    fn holds(&self) -> bool {
        self.bound.is_none_or(|bound| bound.holds(self.figure))
    }
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Report {
    lines: Vec<Line>,
}

impl Report {
    /// Adds a figure, its bound, and what it was computed from.
    pub(crate) fn add(&mut self, what: &'static str, figure: f64, bound: Bound, from: String) {
        self.push(Line {
            what,
            figure,
            bound: Some(bound),
            from,
        });
    }

    /// Adds a figure that is to be known and has no bound.
    pub(crate) fn note(&mut self, what: &'static str, figure: f64, from: String) {
        self.push(Line {
            what,
            figure,
            bound: None,
            from,
        });
    }

    /// Whether every bound holds.
    pub(crate) fn holds(&self) -> bool {
        self.lines.iter().all(Line::holds)
    }

    /// A run takes minutes: each line is said at once on the terminal.
    fn push(&mut self, line: Line) {
        let Line {
            what, figure, from, ..
        } = &line;
        let verdict = if line.holds() { "" } else { ": DOES NOT HOLD" };
        eprintln!("{what}: {} ({from}){verdict}", short(*figure));
        self.lines.push(line);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| What | Measured | Must be | From |")?;
        writeln!(f, "|---|---|---|---|")?;
        for line in &self.lines {
            let must = match line.bound {
                Some(Bound::AtMost(bound)) => format!("at most {}", short(bound)),
                Some(Bound::AtLeast(bound)) => format!("at least {}", short(bound)),
                None => String::new(),
            };
            let missed = if line.holds() { "" } else { " (missed)" };
            let Line {
                what, figure, from, ..
            } = line;
            writeln!(
                f,
                "| {what} | {}{missed} | {must} | {from} |",
                short(*figure)
            )?;
        }
        Ok(())
    }
}

/// Three significant digits; whole numbers above a thousand.
fn short(figure: f64) -> String {
    if figure >= 1_000.0 {
        format!("{figure:.0}")
    } else {
        format!("{figure:.2}")
    }
}

/// The value below which this part of the samples lies; sorts them.
pub(crate) fn percentile(samples: &mut [f64], part: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let last = samples.len().saturating_sub(1);
    samples
        .get((last as f64 * part).round() as usize)
        .copied()
        .unwrap_or(f64::NAN)
}

/// The middle of the samples; sorts them.
pub(crate) fn median(samples: &mut [f64]) -> f64 {
    percentile(samples, 0.5)
}

/// The interval in which the middle of what the samples were drawn from lies with 95 %, whatever
/// their distribution: from its binomial ranks (normal approximation); sorts them.
pub(crate) fn interval(samples: &mut [f64]) -> (f64, f64) {
    let part = 0.98 / (samples.len() as f64).sqrt();
    (
        percentile(samples, 0.5 - part),
        percentile(samples, 0.5 + part),
    )
}
