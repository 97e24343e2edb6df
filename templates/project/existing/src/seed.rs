//! What `blazelink dev` fills an empty database with: nothing yet. Yours to edit.

use sea_orm::{DatabaseConnection, DbErr, TransactionTrait};

/// Fills the database if there is nothing in it. All or nothing.
pub async fn run(db: DatabaseConnection) -> Result<(), DbErr> {
    let transaction = db.begin().await?;
    transaction.commit().await
}
