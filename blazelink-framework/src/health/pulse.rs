//! The pulse: asks the database every now and then whether it answers and how far its log is.
//!
//! `app` runs one beside the server. It is the only one who asks: `/ready` and the metrics are told
//! what it has found out, so that no stranger makes the database work.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use blazelink_codes::limits;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::lag::{Lag, Positions};
use super::readiness::{Answered, Facts, Unready, judge};
use crate::change::Lsn;
use crate::replication::Following;

/// Up to where the server has written its log, or a standby has replayed it.
const END_OF_LOG: &str = "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() \
                          ELSE pg_current_wal_flush_lsn() END::text";

/// What is found out, and those who tell.
#[derive(Clone, Debug)]
pub(crate) struct Pulse {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    following: watch::Receiver<Following>,
    handed_on: watch::Receiver<Lsn>,
    /// Says something once the app is to end.
    lingering: watch::Receiver<Option<Duration>>,
    /// How late commits may be told.
    bound: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    answered: Answered,
    positions: Positions,
}

impl Pulse {
    /// Of an app that follows the log as these tell, before the database was asked.
    pub(crate) fn new(
        following: watch::Receiver<Following>,
        handed_on: watch::Receiver<Lsn>,
        lingering: watch::Receiver<Option<Duration>>,
        bound: Duration,
    ) -> Pulse {
        let state = State {
            answered: Answered::Never,
            positions: Positions::default(),
        };
        Pulse {
            shared: Arc::new(Shared {
                following,
                handed_on,
                lingering,
                bound,
                state: Mutex::new(state),
            }),
        }
    }

    /// How far telling is behind; nothing before anything is handed on.
    pub(crate) fn lag(&self, now: Instant) -> Option<Lag> {
        let handed_on = *self.shared.handed_on.borrow();
        (handed_on > Lsn(0)).then(|| self.state().positions.lag(now, handed_on))
    }

    /// Whether the app can do its work.
    pub(crate) fn verdict(&self, now: Instant) -> Result<(), Unready> {
        // Not below: the lock would be held until the end of the statement.
        let answered = self.state().answered;
        let facts = Facts {
            stopping: self.shared.lingering.borrow().is_some(),
            following: self.shared.following.borrow().clone(),
            answered,
            lag: self.lag(now),
            bound: self.shared.bound,
        };
        judge(&facts, now)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks once.
    async fn beat(&self, database: &DatabaseConnection) {
        let asked = end_of_log(database);
        let answer = tokio::time::timeout(limits::PULSE_TIMEOUT, asked).await;
        let now = Instant::now();
        let mut state = self.state();
        match answer {
            Ok(Some(end)) => {
                state.answered = Answered::At(now);
                state.positions.see(now, end);
            }
            Ok(None) | Err(_) => state.answered = Answered::Failed,
        }
    }

    /// Asks every now and then until the app stops, and logs when the verdict changes.
    pub(crate) async fn run(
        self,
        database: DatabaseConnection,
        mut stopping: watch::Receiver<bool>,
    ) {
        let mut ticks = tokio::time::interval(limits::PULSE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = Err(Unready::Starting);
        loop {
            let beat = async {
                ticks.tick().await;
                self.beat(&database).await;
            };
            tokio::select! {
                () = beat => {}
                _ = stopping.wait_for(|stop| *stop) => return,
            }
            let verdict = self.verdict(Instant::now());
            if verdict != told {
                tell(verdict);
                told = verdict;
            }
        }
    }
}

fn tell(verdict: Result<(), Unready>) {
    match verdict {
        Ok(()) => tracing::info!("ready"),
        Err(reason) => tracing::warn!(reason = reason.word(), "not ready"),
    }
}

async fn end_of_log(database: &DatabaseConnection) -> Option<Lsn> {
    let statement = Statement::from_string(DbBackend::Postgres, END_OF_LOG);
    let row = match database.query_one_raw(statement).await {
        Ok(row) => row?,
        Err(error) => {
            tracing::debug!(%error, "the database does not say how far its log is");
            return None;
        }
    };
    let text: String = row.try_get_by_index(0).ok()?;
    text.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use blazelink_postgres::TestDatabase;
    use sea_orm::Database;

    use super::*;

    #[tokio::test]
    async fn database_that_answers_and_ends_is_noticed() {
        let postgres = TestDatabase::create().await.unwrap();
        let database = Database::connect(postgres.url()).await.unwrap();
        let (_following, status) = watch::channel(Following::Live);
        let (handed_on, progress) = watch::channel(Lsn(0));
        let (stop, lingering) = watch::channel(None);
        let pulse = Pulse::new(status, progress, lingering, Duration::from_secs(30));
        let verdict = || pulse.verdict(Instant::now());
        assert_eq!(verdict(), Err(Unready::Starting));
        pulse.beat(&database).await;
        assert_eq!(verdict(), Err(Unready::Starting), "nothing is handed on");
        let end = end_of_log(&database).await.unwrap();
        assert!(end > Lsn(0));
        handed_on.send_replace(end);
        assert_eq!(verdict(), Ok(()));
        database.clone().close().await.unwrap();
        pulse.beat(&database).await;
        assert_eq!(verdict(), Err(Unready::Database));
        stop.send_replace(Some(Duration::ZERO));
        assert_eq!(verdict(), Err(Unready::Stopping));
    }
}
