//! Publication, replica identity and replication slot, as SeaORM migrations and for the running
//! app.
//!
//! An app's migrator lists [`PublicationMigration`] and [`SlotMigration`] first, and each of its
//! own migrations that creates an exposed table calls [`publish`] for it:
//!
//! ```
//! use blazelink_migrations::{PublicationMigration, SlotMigration, publish, unpublish};
//! use sea_orm_migration::prelude::*;
//! # use sea_orm_migration::schema::pk_auto;
//!
//! struct Migrator;
//!
//! #[async_trait::async_trait]
//! impl MigratorTrait for Migrator {
//!     fn migrations() -> Vec<Box<dyn MigrationTrait>> {
//!         vec![
//!             Box::new(PublicationMigration),
//!             Box::new(SlotMigration::new("shooter")),
//!             Box::new(CreateGame),
//!         ]
//!     }
//! }
//!
//! #[derive(DeriveMigrationName)]
//! struct CreateGame;
//!
//! #[async_trait::async_trait]
//! impl MigrationTrait for CreateGame {
//!     async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
//!         let table = Table::create().table("game").col(pk_auto("id")).to_owned();
//!         manager.create_table(table).await?;
//!         publish(manager, "game").await
//!     }
//!
//!     async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
//!         unpublish(manager, "game").await?;
//!         manager.drop_table(Table::drop().table("game").to_owned()).await
//!     }
//! }
//! # Migrator::migrations();
//! ```
//!
//! What to do is decided once, over the small seam [`Execute`]; SeaORM's connections come with
//! [`SeaOrm`].

mod migration;
mod mode;
mod publication;
mod slot;
mod sql;

pub use blazelink_codes::{Error, ErrorKind, Result};
pub use migration::{PublicationMigration, SlotMigration, publish, unpublish};
pub use mode::SlotMode;
pub use publication::{
    PublishedTable, empty_publication, ensure_publication, publish_table, unpublish_table,
};
pub use slot::{Ensured, Slot, slot_name, slot_name_here};
pub use sql::{Execute, SeaOrm, TextRow, identifier, literal};

/// The name of the publication.
pub const PUBLICATION: &str = "blazelink";
