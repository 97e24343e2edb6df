//! The statements that a request runs, for whoever looks at it: the debugger's explorer. Everybody else
//! pays for a look into a task's own variable.
//!
//! What must stay true: a statement's text is noted and its values are not.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

tokio::task_local! {
    static NOTED: Arc<Mutex<Vec<Ran>>>;
}

/// A statement that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    /// Its text, with places for its values.
    pub(crate) sql: String,
    /// How long the database took, as seen from here.
    pub(crate) took: Duration,
    /// Rows that it gave.
    pub(crate) rows: usize,
}

/// Does this, and notes the statements that it runs in its own task.
pub(crate) async fn noting<T>(work: impl Future<Output = T>) -> (T, Vec<Ran>) {
    let noted = Arc::new(Mutex::new(Vec::new()));
    let done = NOTED.scope(Arc::clone(&noted), work).await;
    let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
    (done, std::mem::take(&mut *noted))
}

/// A statement that is about to run; nothing if nobody wants to know.
#[derive(Debug)]
pub(crate) struct Running(Option<(String, Instant)>);

impl Running {
    /// With this text.
    pub(crate) fn begin(sql: &str) -> Running {
        let begun = NOTED.try_with(|_| (sql.to_owned(), Instant::now()));
        Running(begun.ok())
    }

    /// It gave so many rows.
    pub(crate) fn end(self, rows: usize) {
        let Some((sql, began)) = self.0 else { return };
        let took = began.elapsed();
        // The scope is there: it was when this began.
        let _ = NOTED.try_with(|noted| {
            let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
            noted.push(Ran { sql, took, rows });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn statements_are_noted_within_and_nowhere_else() {
        let run = |sql: &str| Running::begin(sql).end(2);
        run("before");
        let ((), ran) = noting(async { run("within") }).await;
        run("after");
        let texts: Vec<(&str, usize)> = ran.iter().map(|it| (it.sql.as_str(), it.rows)).collect();
        assert_eq!(texts, [("within", 2)]);
    }
}
