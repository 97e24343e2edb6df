//! Blazelink: a realtime web framework on Postgres.
//!
//! SeaORM entities are GraphQL tables, and every read is live: what a browser has read, it is told
//! about when a commit changes it, whoever made that commit.
//!
//! ```no_run
//! mod entities {
//!     pub mod user {
//!         use sea_orm::entity::prelude::*;
//!
//!         #[sea_orm::model]
//!         #[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
//!         #[sea_orm(table_name = "user")]
//!         #[blazelink(public)] // Everybody may read it; a table that does not say so is closed.
//!         pub struct Model {
//!             #[sea_orm(primary_key)]
//!             pub id: i32,
//!             pub name: String,
//!             #[sea_orm(has_many)]
//!             pub events: HasMany<super::game_event::Entity>,
//!         }
//!
//!         impl ActiveModelBehavior for ActiveModel {}
//!     }
//! #   pub mod game_event {
//! #       use sea_orm::entity::prelude::*;
//! #       #[sea_orm::model]
//! #       #[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
//! #       #[sea_orm(table_name = "game_event")]
//! #       pub struct Model {
//! #           #[sea_orm(primary_key)]
//! #           pub id: i32,
//! #           pub player_id: i32,
//! #           #[sea_orm(belongs_to, from = "player_id", to = "id")]
//! #           pub player: BelongsTo<super::user::Entity>,
//! #       }
//! #       impl ActiveModelBehavior for ActiveModel {}
//! #   }
//! }
//!
//! pub fn app(blaze: blazelink::Builder) -> blazelink::Builder {
//!     blaze.discover("mygame::entities").page("/", "index.html").files("/static", "static")
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     blazelink::run(app)
//! }
//! ```
//!
//! Nobody sees anything of a table until somebody says who may, but in development. For what is not
//! public an app says who asks, and what that viewer sees of a table:
//!
//! ```
//! # mod game_event {
//! #     use sea_orm::entity::prelude::*;
//! #     #[sea_orm::model]
//! #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
//! #     #[sea_orm(table_name = "game_event")]
//! #     pub struct Model {
//! #         #[sea_orm(primary_key)]
//! #         pub id: i32,
//! #         pub player_id: i32,
//! #         pub note: String,
//! #     }
//! #     impl ActiveModelBehavior for ActiveModel {}
//! # }
//! # fn user_of(key: &str) -> Option<i32> {
//! #     key.parse().ok()
//! # }
//! use blazelink::{Access, ContextFactory, ContextRequest, Refused, Rule, Viewer};
//!
//! struct Keys;
//!
//! impl ContextFactory for Keys {
//!     type Viewer = i32; // the id of a user
//!
//!     async fn viewer(&self, request: &ContextRequest<'_>) -> Result<Option<i32>, Refused> {
//!         match request.authorization() {
//!             None => Ok(None),
//!             Some(key) => user_of(key).map(Some).ok_or_else(|| Refused::new("Sign in again")),
//!         }
//!     }
//! }
//!
//! fn events(viewer: &Viewer) -> Access {
//!     match viewer.get::<i32>() {
//!         Some(&user) => Access::rows(Rule::eq(game_event::Column::PlayerId, user))
//!             .hide(game_event::Column::Note),
//!         None => Access::none(),
//!     }
//! }
//!
//! pub fn private(blaze: blazelink::Builder) -> blazelink::Builder {
//!     blaze.context(Keys).visible::<game_event::Entity>(events)
//! }
//! ```
//!
//! What the tables do not say, an app adds with plain methods: computed fields ([`fields`](macro@fields)),
//! objects of its own ([`Struct`](macro@Struct)), and objects over the rows that a client names
//! ([`VirtualTable`](macro@VirtualTable)). These are the tables of the original's README:
//!
//! ```
//! # mod entities { pub mod user {
//! #     use sea_orm::entity::prelude::*;
//! #     #[sea_orm::model]
//! #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
//! #     #[sea_orm(table_name = "user")]
//! #     pub struct Model { #[sea_orm(primary_key)] pub id: i32, pub name: String,
//! #         #[sea_orm(has_many)] pub events: HasMany<super::game_event::Entity> }
//! #     impl ActiveModelBehavior for ActiveModel {}
//! # }
//! # pub mod game_event {
//! #     use sea_orm::entity::prelude::*;
//! #     #[sea_orm::model]
//! #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
//! #     #[sea_orm(table_name = "game_event")]
//! #     pub struct Model { #[sea_orm(primary_key)] pub id: i32, pub r#type: String,
//! #         pub player_id: i32,
//! #         #[sea_orm(belongs_to, from = "player_id", to = "id")]
//! #         pub player: BelongsTo<super::user::Entity> }
//! #     impl ActiveModelBehavior for ActiveModel {}
//! # } }
//! # use entities::{game_event, user};
//! use blazelink::{BlazeContext, Dep, FieldResult, Page, Struct, VirtualTable, fields};
//! use sea_orm::prelude::*;
//!
//! #[fields]
//! impl UserFields for user::Model {
//!     fn get_paginated_data(&self, range_arg: Option<i32>) -> Page<i32> {
//!         Page::of((0..range_arg.unwrap_or(1_000)).collect())
//!     }
//! }
//!
//! #[derive(VirtualTable)]
//! pub struct PlayerStats {
//!     pub user: Dep<user::Entity>,
//! }
//!
//! #[fields(virtual_table)]
//! impl PlayerStats {
//!     async fn kills(&self, cx: &BlazeContext) -> FieldResult<i32> {
//!         let kills = game_event::Entity::find()
//!             .filter(game_event::Column::PlayerId.eq(self.user.key()))
//!             .filter(game_event::Column::Type.eq("kill"));
//!         Ok(kills.count(cx).await?.try_into()?)
//!     }
//! }
//!
//! #[derive(Struct)]
//! pub struct StructA {
//!     pub a: i32,
//! }
//!
//! #[derive(Struct)]
//! pub struct StructB {
//!     pub b: StructA,
//!     pub c: i32,
//! }
//!
//! #[derive(VirtualTable)]
//! pub struct Queryable;
//!
//! #[fields(virtual_table)]
//! impl Queryable {
//!     fn get_struct() -> StructB {
//!         StructB { b: StructA { a: 1 }, c: 2 }
//!     }
//! }
//!
//! let tables = blazelink::table::TableManager::builder()
//!     .table::<user::Entity>()
//!     .table::<game_event::Entity>()
//!     .extend(UserFields)
//!     .virtual_table::<PlayerStats>()
//!     .virtual_table::<Queryable>();
//! let schema = blazelink::graphql::sdl(&tables.build()?)?;
//! assert!(schema.contains(
//!     "get_paginated_data(range_arg: Int, page: Int, size: Int): GenericHelper__Page__int"
//! ));
//! assert!(schema.contains("type PlayerStats {\n\tkills: Int\n}"));
//! assert!(schema.contains("type Queryable {\n\tget_struct: StructB\n}"));
//! # Ok::<(), blazelink::error::Error>(())
//! ```
//!
//! Nobody writes through the server unless the app says who writes which rows of what:
//!
//! ```
//! # mod game_event {
//! #     use sea_orm::entity::prelude::*;
//! #     #[sea_orm::model]
//! #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
//! #     #[sea_orm(table_name = "game_event")]
//! #     pub struct Model {
//! #         #[sea_orm(primary_key)]
//! #         pub id: i32,
//! #         pub player_id: i32,
//! #         pub note: String,
//! #     }
//! #     impl ActiveModelBehavior for ActiveModel {}
//! # }
//! use blazelink::table::{Draft, Invalid, Writes};
//! use blazelink::{Rule, Viewer, WriteAccess};
//!
//! fn own_events(viewer: &Viewer) -> WriteAccess {
//!     match viewer.get::<i32>() {
//!         Some(&user) => {
//!             let own = Rule::eq(game_event::Column::PlayerId, user);
//!             WriteAccess::none().create(own.clone()).update(own)
//!         }
//!         None => WriteAccess::none(),
//!     }
//! }
//!
//! fn noted(event: &Draft) -> Result<(), Invalid> {
//!     match event.text(game_event::Column::Note) {
//!         Some("") => Err(Invalid::field(game_event::Column::Note, "must not be empty")),
//!         _ => Ok(()),
//!     }
//! }
//!
//! pub fn writable(blaze: blazelink::Builder) -> blazelink::Builder {
//!     blaze.writes::<game_event::Entity>(Writes::all().allow(own_events).validate(noted))
//! }
//! ```
//!
//! Those who keep the app running look at it with its debugger, below a path of its own if it says who
//! they are:
//!
//! ```
//! # #[derive(Clone, PartialEq, Eq)]
//! # struct Player {
//! #     name: String,
//! #     admin: bool,
//! # }
//! use blazelink::Looker;
//! use blazelink::config::DebuggerRole;
//!
//! # fn app(blaze: blazelink::Builder) -> blazelink::Builder {
//! blaze.debugger("/admin/debugger", |viewer| {
//!     let player = viewer.get::<Player>().filter(|player| player.admin)?;
//!     Some(Looker::new(&player.name, DebuggerRole::Reader))
//! })
//! # }
//! ```
//!
//! Start reading with [`Builder`] for what an app declares, [`Table`](macro@Table) for what the
//! derive takes, and [`config`] for settings. `blazelink::test`, with the feature `test`, is for the
//! tests of an app. How the parts fit together stands in the
//! repository's `blazelink-framework/ARCHITECTURE.md`.

// The derive writes `::blazelink::` paths; this crate's own tests use it too.
extern crate self as blazelink;

mod app;
pub mod auth;
mod builder;
pub mod bus;
mod capture;
mod cause;
pub mod change;
pub mod config;
mod context;
pub mod data;
mod debugger;
pub mod dev;
mod doctor;
mod embedded;
pub mod error;
pub mod exposure;
mod files;
pub mod graphql;
mod health;
mod meters;
pub mod monitor;
pub mod object_id;
mod observed;
mod pages;
mod pools;
pub mod replication;
mod request_cause;
mod routes;
mod run;
pub mod session;
mod spans;
mod state_folder;
pub mod subscription;
pub mod table;
#[cfg(feature = "test")]
pub mod test;
pub mod transport;
pub mod value;
mod viewer;
pub mod visibility;

pub use app::App;
pub use auth::{Authenticator, AuthorizeEvent, ContextFactory, ContextRequest, Grant, Refused};
pub use blazelink_codes as codes;
pub use blazelink_macros::{Struct, Table, VirtualTable, embed, fields};
pub use builder::{Blazelink, Builder};
pub use context::BlazeContext;
pub use debugger::Looker;
pub use embedded::Embedded;
/// What counts the app's own things, which `/metrics` then shows too.
#[cfg(feature = "metrics")]
pub use prometheus;
pub use request_cause::RequestCause;
pub use run::run;
pub use table::{AccessorError, DataAccessor, RowQuery, StoredRow};
pub use table::{Dep, Every, FieldError, FieldResult, Page, RowRef, VirtualRef};
pub use viewer::Viewer;
pub use visibility::{Access, Rule, WriteAccess};
