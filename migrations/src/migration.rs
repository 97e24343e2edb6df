//! Ready-made migrations, and the two calls that an app's own migrations make.

use blazelink_codes::Error;
use sea_orm_migration::async_trait::async_trait;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager};

use crate::mode::SlotMode;
use crate::publication::{empty_publication, ensure_publication, publish_table, unpublish_table};
use crate::slot::{Slot, slot_name_here};
use crate::sql::SeaOrm;

/// Adds a table to the publication; call it in `up`, after the table's columns and key exist.
/// See [`publish_table`].
///
/// # Errors
///
/// As [`publish_table`], with the sentence and what to do in the message.
pub async fn publish(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    let mut db = SeaOrm(manager.get_connection());
    publish_table(&mut db, table).await.map_err(failed)
}

/// Takes a table out of the publication; call it in `down`, before the table is dropped.
/// See [`unpublish_table`].
///
/// # Errors
///
/// As [`unpublish_table`].
pub async fn unpublish(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    let mut db = SeaOrm(manager.get_connection());
    unpublish_table(&mut db, table).await.map_err(failed)
}

/// Makes the empty publication. The first of an app's migrations; taken down it empties the
/// publication, which stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct PublicationMigration;

impl MigrationName for PublicationMigration {
    fn name(&self) -> &str {
        "m00000000_000001_blazelink_publication"
    }
}

#[async_trait]
impl MigrationTrait for PublicationMigration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut db = SeaOrm(manager.get_connection());
        ensure_publication(&mut db).await.map_err(failed)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut db = SeaOrm(manager.get_connection());
        empty_publication(&mut db).await.map_err(failed)
    }
}

/// Makes the app's durable slot, after [`PublicationMigration`]; taken down it drops the slot,
/// which is refused while the app runs. With temporary slots it makes nothing.
///
/// Runs outside of a transaction, because Postgres makes no slot inside of one that has written.
#[derive(Clone, Debug)]
pub struct SlotMigration {
    app: String,
    mode: Option<SlotMode>,
}

impl SlotMigration {
    /// The slot of the app of this name; [`SlotMode::from_environment`] decides its kind.
    pub fn new(app: impl Into<String>) -> SlotMigration {
        SlotMigration {
            app: app.into(),
            mode: None,
        }
    }

    /// The slot's kind, whatever the environment says.
    #[must_use]
    pub fn mode(mut self, mode: SlotMode) -> SlotMigration {
        self.mode = Some(mode);
        self
    }
}

impl MigrationName for SlotMigration {
    fn name(&self) -> &str {
        "m00000000_000002_blazelink_slot"
    }
}

#[async_trait]
impl MigrationTrait for SlotMigration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mode = self.mode.map_or_else(SlotMode::from_environment, Ok);
        if mode.map_err(failed)? == SlotMode::Temporary {
            return Ok(());
        }
        let mut db = SeaOrm(manager.get_connection());
        let name = slot_name_here(&mut db, &self.app).await.map_err(failed)?;
        Slot::ensure(&mut db, &name).await.map_err(failed)?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut db = SeaOrm(manager.get_connection());
        let name = slot_name_here(&mut db, &self.app).await.map_err(failed)?;
        Slot::remove(&mut db, &name).await.map_err(failed)
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}

/// The error as a migration's. A migration runner prints an error once and in its short form, so
/// everything there is to say is in the text.
fn failed(error: Error) -> DbErr {
    DbErr::Custom(format!("{error:#}"))
}
