//! Capture: a computed field that reads through its context, whose statements are looked through,
//! against the same one that says what it depends on and reads past it. Processor time of this
//! process, which answers both by turns, in a session that watches.

use std::sync::Arc;
use std::time::{Duration, Instant};

use blazelink::BlazeContext;
use blazelink::graphql::{Executor, Request};
use blazelink::session::{ConnectionManager, SessionId};
use blazelink::subscription::{SubscriptionManager, Watch};
use blazelink::table::{Call, Extension, Field, FieldError, TableManager};
use blazelink_tests::app::{connect, shooter_database};
use blazelink_tests::rows;
use rustix::time::{ClockId, clock_gettime};
use sea_orm::prelude::*;
use shooter::entities::{game_event, user};

use crate::report::{Bound, Report, interval, median};

/// Requests of each kind in a round.
const REQUESTS: usize = 400;

const ROUNDS: usize = 60;

fn kills(player: i32) -> Select<game_event::Entity> {
    game_event::Entity::find()
        .filter(game_event::Column::PlayerId.eq(player))
        .filter(game_event::Column::Kind.eq("kill"))
}

async fn captured(call: Call<'_>) -> Result<i64, FieldError> {
    let player: i32 = call.value(user::Column::Id)?;
    let count = kills(player).count(call.context()).await?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

async fn by_hand(call: Call<'_>) -> Result<i64, FieldError> {
    let player: i32 = call.value(user::Column::Id)?;
    call.depend_on_equal(game_event::Column::PlayerId, i64::from(player))?;
    let count = kills(player).count(call.database()).await?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

fn fields() -> Vec<Field> {
    vec![
        Field::reading("captured", |call| Box::pin(captured(call))),
        Field::reading("by_hand", |call| Box::pin(by_hand(call))),
    ]
}

pub(crate) async fn measure(report: &mut Report) {
    let database = shooter_database().await;
    let sql = connect(database.url()).await;
    rows::players(&sql, 10).await;
    rows::game(&sql).await;
    rows::events(&sql, 1, 20).await;
    let mut options = sea_orm::ConnectOptions::new(database.url());
    options.max_connections(2).sqlx_logging(false);
    let pool = sea_orm::Database::connect(options).await.expect("it runs");
    let tables = TableManager::builder()
        .open_unless_said()
        .discover("shooter::entities")
        .extend(Extension::of::<user::Entity>(fields));
    let tables = tables.build().expect("the fields have names of their own");
    let tables = blazelink::data::verify(tables, &pool).await;
    let tables = Arc::new(tables.expect("the shooter's database has its tables"));
    let connections = Arc::new(ConnectionManager::default());
    let subscriptions = SubscriptionManager::new(tables.exposure(), connections);
    let subscriptions = Arc::new(subscriptions);
    let id = SessionId::new("capturing").expect("it has a length");
    let session = subscriptions.connections().open(&id, Instant::now());
    let watch = subscriptions.watch_for(&session);
    let executor = Executor::new(tables, pool).expect("the schema is valid");

    round(&executor, &watch, "captured").await;
    round(&executor, &watch, "by_hand").await;
    let (mut with, mut without, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..ROUNDS {
        // Which comes first changes, so that neither profits from its place.
        let (first, second) = match number % 2 {
            0 => ("captured", "by_hand"),
            _ => ("by_hand", "captured"),
        };
        let mut times = [
            round(&executor, &watch, first).await,
            round(&executor, &watch, second).await,
        ];
        if number % 2 == 1 {
            times.reverse();
        }
        with.push(times[0]);
        without.push(times[1]);
        ratios.push(times[0] / times[1]);
    }
    let (low, high) = interval(&mut ratios);
    report.add(
        "A computed field whose read is captured against one that declares it, processor time of \
         a request, upper end of the 95 % interval",
        high,
        Bound::AtMost(1.05),
        format!(
            "{low:.3} to {high:.3} in {ROUNDS} pairs of {REQUESTS}; {:.1} us against {:.1} us",
            median(&mut with),
            median(&mut without)
        ),
    );
}

/// Asks so often, and gives the microseconds of processor time for each.
async fn round(executor: &Executor, watch: &dyn Watch, field: &str) -> f64 {
    let query = format!("{{user(identifier: {{obj_id: 1}}) {{ name {field} }}}}");
    let context = BlazeContext::anonymous();
    let before = processor_time();
    for _ in 0..REQUESTS {
        let request = Request::new(query.as_str());
        let answer = executor.execute(request, &context, watch).await;
        assert_eq!(answer.status, 200);
    }
    (processor_time() - before).as_secs_f64() * 1e6 / REQUESTS as f64
}

/// What all threads of this process have used, those too that have ended.
fn processor_time() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(used).expect("a process uses no negative time")
}
