//! What is said to the person at the terminal while a cluster is made.

/// How progress is shown and the one question asked. The command line tool has its own;
/// without one it is told on standard error.
pub trait Dialogue: Send + Sync {
    /// Shows one line of progress.
    fn say(&self, line: &str);

    /// Asks a question that yes or no answers. Where nobody can answer, the answer is yes.
    fn agrees(&self, question: &str) -> bool;
}

/// Says what happens on standard error and agrees to everything.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plain;

impl Dialogue for Plain {
    fn say(&self, line: &str) {
        eprintln!("{line}");
    }

    fn agrees(&self, _: &str) -> bool {
        true
    }
}
