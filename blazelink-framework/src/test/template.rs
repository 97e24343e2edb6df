//! The database of a test: a copy of the one to which a project's migrations were applied.

use std::any::type_name;

use blazelink_codes::Code;
use blazelink_postgres::TestDatabase;
use sea_orm::{ConnectionTrait, Database, DbErr};
use sea_orm_migration::MigratorTrait;
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};

/// The app of a test makes a slot of its own; one that the migrations made would keep the log of
/// the whole server.
const DROP_SLOTS: &str = "SELECT pg_catalog.pg_drop_replication_slot(slot_name) \
     FROM pg_catalog.pg_replication_slots WHERE database = pg_catalog.current_database()";

/// A fresh database with the migrations of `M` applied.
pub(super) async fn migrated<M: MigratorTrait>() -> Result<TestDatabase> {
    TestDatabase::from_template(&name::<M>(), async |url: String| {
        let migrated = migrate::<M>(url).await;
        migrated.map_err(|error| {
            let sentence = format!("The migrations of `{}` fail", type_name::<M>());
            Error::new(ErrorKind::Setup, Code::Database, sentence).with_source(error)
        })
    })
    .await
}

async fn migrate<M: MigratorTrait>(url: String) -> Result<(), DbErr> {
    let connection = Database::connect(url).await?;
    let migrated = async {
        M::up(&connection, None).await?;
        connection.execute_unprepared(DROP_SLOTS).await
    };
    let migrated = migrated.await;
    // A database that is still connected to cannot be copied, nor made anew.
    connection.close().await?;
    migrated.map(|_| ())
}

/// A name for the template of these migrations, short enough for Postgres.
fn name<M: MigratorTrait>() -> String {
    let mut hash = Sha256::new();
    hash.update(type_name::<M>());
    for migration in M::migrations() {
        hash.update([0]);
        hash.update(migration.name());
    }
    let bytes = hash.finalize();
    bytes
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
