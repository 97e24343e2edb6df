//! The shooter's database: what `cargo run -p shooter-migration` and `blazelink dev` apply.

use sea_orm_migration::prelude::*;

mod m20261124_000001_game;

/// All migrations, in the order in which they are applied.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(blazelink_migrations::PublicationMigration),
            Box::new(blazelink_migrations::SlotMigration::new("shooter")),
            Box::new(m20261124_000001_game::Migration),
        ]
    }
}
