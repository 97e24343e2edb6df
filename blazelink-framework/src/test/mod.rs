//! The tests of an app: a running app on a database of its own, and clients as browsers are.
//!
//! Behind the feature `test`, for an app's dev-dependencies:
//!
//! ```toml
//! [dev-dependencies]
//! blazelink = { version = "0.1", package = "blazelink-framework", features = ["test"] }
//! tokio = { version = "1", features = ["macros", "rt"] }
//! ```
//!
//! A test commits something, waits with [`TestApp::settled`] until whoever watches it has been told,
//! and then says who was told and what is read now:
//!
//! ```no_run
//! # // The compiler looks into no test of an example: this one is a function.
//! # mod tokio { pub use ::tokio::{main as test, *}; }
//! # mod mygame {
//! #     pub fn app(blaze: blazelink::Builder) -> blazelink::Builder { blaze }
//! # }
//! # mod user {
//! #     use sea_orm::entity::prelude::*;
//! #     #[sea_orm::model]
//! #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
//! #     #[sea_orm(table_name = "user")]
//! #     pub struct Model { #[sea_orm(primary_key)] pub id: i32, pub name: String }
//! #     impl ActiveModelBehavior for ActiveModel {}
//! # }
//! # mod migration {
//! #     use sea_orm_migration::prelude::*;
//! #     pub struct Migrator;
//! #     impl MigratorTrait for Migrator {
//! #         fn migrations() -> Vec<Box<dyn MigrationTrait>> { Vec::new() }
//! #     }
//! # }
//! use blazelink::test::{TestApp, TestResult};
//! use sea_orm::{ActiveModelTrait, Set};
//!
//! #[tokio::test]
//! async fn a_new_player_reaches_both_pages() -> TestResult {
//!     let app = TestApp::start(mygame::app, migration::Migrator).await?;
//!     let mut one = app.client().await?;
//!     let mut two = app.client().await?;
//!     for client in [&mut one, &mut two] {
//!         client.live("{ users { items { row { name } } } }").await?;
//!     }
//!     let ada = user::ActiveModel { name: Set("Ada".into()), ..Default::default() };
//!     ada.insert(app.db()).await?;
//!     app.settled().await?;
//!     assert!(one.stale() && two.stale());
//!     assert_eq!(one.updates(), ["Create User 1"]);
//!     assert_eq!(one.refetch().await?["users"]["items"][0]["row"]["name"], "Ada");
//!     Ok(())
//! }
//! ```
//!
//! - **The app** is the one that is deployed: the whole server at a free port of the loopback
//!   address, on the migrated schema, **with production's visibility**. What nobody said to be
//!   visible is not, since a test that passes because everything is open says nothing. Of
//!   `Blazelink.toml` the limits, hosts and origins hold; the environment is not looked at.
//! - **The database** is a copy of a template that is migrated once per test program, on a Postgres
//!   of that program's own, which is started by the first test and ends with the program, however
//!   it ends. It is found or installed as for `blazelink dev`.
//! - **Tests run side by side**: each has its own database, slot and port. At most
//!   [`APPS_AT_ONCE`] apps of one program run at once; the next waits until one ends.
//!   A transaction that a test leaves open delays those: Postgres makes no slot beside one.
//! - **Nothing sleeps**: what is waited for is a position in the log. What does not come within
//!   [`PATIENCE`] is an error that says what it was.

mod app;
mod barrier;
mod client;
mod http;
mod link;
mod query;
mod template;
mod update;

use std::time::Duration;

pub use app::{TestApp, TestSetup};
pub use client::TestClient;
pub use query::Query;
pub use update::Update;

use blazelink_codes::Code;

use crate::error::{Error, ErrorKind, Result};

/// What a test returns, so that `?` takes every error.
pub type TestResult<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How long anything that a test waits for may take. No test waits this long when it passes.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Apps that run at once in one test program, so that their connections fit into its Postgres. One
/// more waits until another has ended, for at most [`PATIENCE`].
pub const APPS_AT_ONCE: usize = 12;

/// What `work` gives, if it does within [`PATIENCE`]. Else the error says that `what` did not come.
async fn in_time<T>(what: impl FnOnce() -> String, work: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(PATIENCE, work).await.map_err(|_| {
        let sentence = format!("{} has not come within {} s", what(), PATIENCE.as_secs());
        Error::new(ErrorKind::Unavailable, Code::TestTimeout, sentence)
    })
}
