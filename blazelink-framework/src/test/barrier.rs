//! The wait until everything that is committed now has been handed to whoever watches it.

use blazelink_codes::Code;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use tokio::sync::watch;

use super::in_time;
use crate::app::App;
use crate::change::Lsn;
use crate::error::{Error, ErrorKind, Result};
use crate::replication::Following;

/// Writes a message into the log, in a transaction of its own, that means nothing to anybody. Its
/// commit follows every commit that is there, and has the server tell the log up to it at once.
const MARK: &str =
    "SELECT pg_catalog.pg_logical_emit_message(true, 'blazelink.test', '')::pg_catalog.text";

/// A running app's place in the log.
#[derive(Debug)]
pub(super) struct Barrier {
    database: DatabaseConnection,
    handed_on: watch::Receiver<Lsn>,
    status: watch::Receiver<Following>,
}

impl Barrier {
    /// The barrier of this app.
    pub(super) fn of(app: &App) -> Barrier {
        Barrier {
            database: app.database().clone(),
            handed_on: app.handed_on(),
            status: app.status(),
        }
    }

    /// Waits until every commit that is there now has been handed on.
    pub(super) async fn passed(&self) -> Result<()> {
        self.reached(self.mark().await?).await
    }

    /// Waits until every commit up to this position has been.
    async fn reached(&self, position: Lsn) -> Result<()> {
        let mut handed_on = self.handed_on.clone();
        let late = || {
            let reached = *self.handed_on.borrow();
            let state = match &*self.status.borrow() {
                Following::Starting => "its slot is still being made".to_owned(),
                Following::Live => "it follows the log".to_owned(),
                Following::Down(why) => format!("its replication is down: {why}"),
            };
            format!(
                "The app's word that it has told every commit up to {position} (it has told \
                 those up to {reached}, and {state})"
            )
        };
        let reached = handed_on.wait_for(|reached| *reached >= position);
        let reached = in_time(late, reached).await?.map(|_| ());
        reached.map_err(|_| {
            let sentence = "The app's replication thread has ended, so nothing is told any more";
            Error::new(
                ErrorKind::Unavailable,
                Code::ReplicationConnection,
                sentence,
            )
            .with_hint("do not stop the app before the test is over")
        })
    }

    /// A position behind every commit that is there now.
    async fn mark(&self) -> Result<Lsn> {
        let statement = Statement::from_string(DbBackend::Postgres, MARK);
        let row = self.database.query_one_raw(statement).await;
        let row = row.map_err(|error| {
            let sentence = "The test's database does not say how far its log is";
            Error::new(ErrorKind::Unavailable, Code::Database, sentence).with_source(error)
        })?;
        let text: Option<String> = row.and_then(|row| row.try_get_by_index(0).ok());
        text.and_then(|text| text.parse().ok()).ok_or_else(|| {
            let sentence = "The test's database gave no position of its log";
            Error::new(ErrorKind::Protocol, Code::DatabaseAnswer, sentence)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_does_not_come_is_said_with_how_far_the_app_is_and_why() {
        let (handed_on, reached) = watch::channel(Lsn(7));
        let down = Following::Down("the server is gone".to_owned());
        let barrier = Barrier {
            database: DatabaseConnection::default(),
            handed_on: reached,
            status: watch::channel(down).1,
        };
        barrier.reached(Lsn(7)).await.unwrap();
        let late = barrier.reached(Lsn(8)).await.unwrap_err();
        assert_eq!(late.code(), Code::TestTimeout);
        for part in ["up to 0/8", "up to 0/7", "the server is gone", "30 s"] {
            assert!(late.sentence().contains(part), "{late}");
        }
        drop(handed_on);
        let ended = barrier.reached(Lsn(8)).await.unwrap_err();
        assert_eq!(ended.code(), Code::ReplicationConnection);
    }
}
