//! Notes. Yours; once it is applied anywhere, write a new migration instead of changing it.

use blazelink_migrations::{publish, unpublish};
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{pk_auto, string, timestamp_with_time_zone};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut written = timestamp_with_time_zone("created_at");
        let mut note = Table::create();
        note.table("note").col(pk_auto("id")).col(string("text"));
        note.col(written.default(Expr::current_timestamp()));
        manager.create_table(note).await?;
        publish(manager, "note").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        unpublish(manager, "note").await?;
        let mut drop = Table::drop();
        manager.drop_table(drop.table("note").take()).await
    }
}
