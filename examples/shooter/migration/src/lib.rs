//! The migrations of the database, which `blazelink dev` applies. Yours to edit: new ones at the end.

use blazelink_migrations::{PublicationMigration, SlotMigration};
use sea_orm_migration::prelude::*;

mod m20261124_000001_game;

/// All migrations, in the order in which they are applied.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            // Blazelink's own: what it needs of Postgres to be told of commits.
            Box::new(PublicationMigration),
            Box::new(SlotMigration::new("shooter")),
            Box::new(m20261124_000001_game::Migration),
        ]
    }
}
