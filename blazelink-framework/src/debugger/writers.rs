//! Who has written a transaction that does not say so: psql, a job, another program.
//!
//! The log names nobody, so Postgres is asked for its connections as soon as such a transaction was told.
//! Pure: `replication` asks, `unnamed` has it asked. What must stay true: nobody is named while another
//! who is connected may have been it.

use std::time::SystemTime;

/// A connection to the app's database (PostgreSQL manual, section 27.2.3, `pg_stat_activity`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Backend {
    /// Who it is.
    pub(crate) writer: Writer,
    /// When its last statement began.
    pub(crate) began: SystemTime,
    /// When that statement was over; nothing while it is running.
    pub(crate) ended: Option<SystemTime>,
    /// Whether it is one of the app's own, whose mutations say what has made them.
    pub(crate) ours: bool,
}

/// Who has a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Writer {
    /// The role that it has signed in as.
    pub(crate) role: Box<str>,
    /// What it calls itself, such as `psql`; empty if it does not.
    pub(crate) application: Box<str>,
}

/// Who has committed at this moment of Postgres' clock, as far as its connections say: the one whose
/// last statement was running then, and only if there is one such. Another that has gone on to a later
/// statement leaves it open, unless it is the app's own: those read again what the commit changed.
pub(crate) fn writer(committed_at: SystemTime, backends: &[Backend]) -> Option<&Writer> {
    let gone_on = backends
        .iter()
        .any(|it| !it.ours && it.began > committed_at);
    let was_running = |it: &&Backend| {
        let ended = it.ended.is_none_or(|ended| ended >= committed_at);
        it.began <= committed_at && ended
    };
    let mut running = backends.iter().filter(was_running);
    let first = running.next().filter(|_| !gone_on)?;
    running.next().is_none().then_some(&first.writer)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(second: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(second)
    }

    fn backend(application: &str, began: u64, ended: Option<u64>) -> Backend {
        Backend {
            writer: Writer {
                role: "alice".into(),
                application: application.into(),
            },
            began: at(began),
            ended: ended.map(at),
            ours: application == "blazelink",
        }
    }

    fn name(committed: u64, backends: &[Backend]) -> Option<&str> {
        writer(at(committed), backends).map(|writer| &*writer.application)
    }

    #[test]
    fn who_was_in_the_middle_of_it_has_written_it() {
        let idle = backend("app", 1, Some(2));
        let psql = backend("psql", 5, Some(6));
        assert_eq!(name(5, &[idle.clone(), psql.clone()]), Some("psql"));
        assert_eq!(name(6, &[idle.clone(), psql.clone()]), Some("psql"));
        let long = backend("job", 4, None);
        assert_eq!(name(5, &[idle.clone(), long.clone()]), Some("job"));
        assert_eq!(name(5, &[long, psql.clone()]), None, "either of them");
        assert_eq!(name(4, std::slice::from_ref(&idle)), None, "it is gone");
        assert_eq!(
            name(2, &[psql.clone(), idle]),
            None,
            "somebody has gone on since"
        );
        let reading = backend("blazelink", 6, Some(6));
        assert_eq!(name(5, &[psql.clone(), reading.clone()]), Some("psql"));
        assert_eq!(name(6, &[psql, reading]), None, "the app may have been it");
    }
}
