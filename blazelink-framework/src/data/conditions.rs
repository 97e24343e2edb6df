//! `SqlConditions`: has Postgres judge the rows of a commit by conditions in SQL, for the thread that
//! publishes.
//!
//! The statements run where the pool's connections live, on the app's runtime. What must stay true:
//! whoever waits for them waits for a limited time, and after one wait too long not again for a
//! while.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use blazelink_codes::limits;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};
use tokio::runtime::Handle;

use crate::subscription::Conditions;

/// Asks through the pool that answers queries.
pub(crate) struct SqlConditions {
    database: DatabaseConnection,
    runtime: Handle,
    /// When Postgres last took too long.
    overdue: Mutex<Option<Instant>>,
}

impl SqlConditions {
    /// For this pool, whose connections live on this runtime.
    pub(crate) fn new(database: DatabaseConnection, runtime: Handle) -> SqlConditions {
        SqlConditions {
            database,
            runtime,
            overdue: Mutex::default(),
        }
    }

    async fn answers(&self, statements: Vec<Statement>) -> Vec<Option<Vec<i64>>> {
        let count = statements.len();
        let answers = Arc::new(Mutex::new(vec![None; count]));
        let asking = {
            let (database, answers) = (self.database.clone(), Arc::clone(&answers));
            let each = stream::iter(statements.into_iter().enumerate());
            self.runtime.spawn(async move {
                let each = each.for_each_concurrent(limits::CONDITIONS_AT_ONCE, |(at, statement)| {
                    let (database, answers) = (&database, &answers);
                    async move {
                        match numbers(database, statement).await {
                            Ok(numbers) => {
                                let mut answers =
                                    answers.lock().unwrap_or_else(PoisonError::into_inner);
                                answers[at] = Some(numbers);
                            }
                            Err(_) => tracing::error!(
                                "Postgres refuses a condition of `Access::sql`: who watches rows \
                                 under it is told to read again"
                            ),
                        }
                    }
                });
                each.await;
            })
        };
        let stop = asking.abort_handle();
        if tokio::time::timeout(limits::CONDITIONS_TIMEOUT, asking)
            .await
            .is_err()
        {
            stop.abort();
            tracing::warn!(
                "Postgres takes too long to judge conditions of `Access::sql`: for some seconds, \
                 who watches rows under them is told to read again"
            );
            let mut overdue = self.overdue.lock().unwrap_or_else(PoisonError::into_inner);
            *overdue = Some(Instant::now());
        }
        let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *answers)
    }
}

impl Conditions for SqlConditions {
    fn ask(&self, statements: Vec<Statement>) -> BoxFuture<'_, Vec<Option<Vec<i64>>>> {
        let overdue = *self.overdue.lock().unwrap_or_else(PoisonError::into_inner);
        if overdue.is_some_and(|since| since.elapsed() < limits::CONDITIONS_PAUSE) {
            return std::future::ready(vec![None; statements.len()]).boxed();
        }
        self.answers(statements).boxed()
    }
}

impl fmt::Debug for SqlConditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqlConditions")
    }
}

async fn numbers(database: &DatabaseConnection, statement: Statement) -> Result<Vec<i64>, DbErr> {
    let rows = database.query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}
