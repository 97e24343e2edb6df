//! The private Postgres while a loop runs on it: started again whenever it ends.

use std::time::{Duration, Instant};

use blazelink_codes::{Code, Error, ErrorKind};

use super::screen::Screen;
use crate::database::Database;

/// A Postgres that ends this soon after it was started again is given up.
const SETTLED: Duration = Duration::from_secs(2);

/// Starts the private Postgres again whenever it ends; returns when that is in vain.
pub(crate) async fn keep(database: &Database<'_>, screen: Screen) -> Error {
    let Database::Private { cluster, .. } = database else {
        return std::future::pending().await;
    };
    let mut started_again: Option<Instant> = None;
    loop {
        cluster.ended().await;
        if started_again.is_some_and(|started| started.elapsed() < SETTLED) {
            let log = cluster.log_file().display().to_string();
            let sentence = "Postgres ends again and again";
            return Error::new(ErrorKind::Setup, Code::PostgresStart, sentence)
                .with_hint(format!("less {log}"));
        }
        screen.note("Postgres has ended; it is started again");
        if let Err(error) = cluster.restart().await {
            return error;
        }
        started_again = Some(Instant::now());
        screen.note("Postgres answers again");
    }
}
