//! What `blazelink dev` fills an empty database with: one note. Yours to edit.

use sea_orm::prelude::*;
use sea_orm::{DatabaseConnection, Set, TransactionTrait};

use crate::entities::note;

/// Fills the database if there is no note in it. All or nothing.
pub async fn run(db: DatabaseConnection) -> Result<(), DbErr> {
    let transaction = db.begin().await?;
    if note::Entity::find().count(&transaction).await? > 0 {
        return Ok(());
    }
    let mut note = note::ActiveModel::new();
    note.text = Set("Open this page in a second tab".to_owned());
    note.insert(&transaction).await?;
    transaction.commit().await
}
