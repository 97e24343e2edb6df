//! Teams, their players, games, and what happens in them.

use blazelink_migrations::{publish, unpublish};
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{integer, integer_null, pk_auto, string, timestamp_with_time_zone};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The tables, each after those that it refers to.
const TABLES: [&str; 4] = ["team", "user", "game", "game_event"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(team()).await?;
        manager.create_table(user()).await?;
        manager.create_table(game()).await?;
        manager.create_table(game_event()).await?;
        // A page of a relation is read by foreign key in the order of the key: these indexes make
        // that independent of how many rows there are.
        for (table, column) in [
            ("user", "team_id"),
            ("game_event", "game_id"),
            ("game_event", "player_id"),
            ("game_event", "victim_id"),
        ] {
            manager.create_index(relation_index(table, column)).await?;
        }
        for table in TABLES {
            publish(manager, table).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES.into_iter().rev() {
            unpublish(manager, table).await?;
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        Ok(())
    }
}

fn team() -> TableCreateStatement {
    Table::create()
        .table("team")
        .col(pk_auto("id"))
        .col(string("name"))
        .col(string("color"))
        .to_owned()
}

fn user() -> TableCreateStatement {
    Table::create()
        .table("user")
        .col(pk_auto("id"))
        .col(string("name"))
        .col(integer("team_id"))
        .foreign_key(&mut reference("user", "team_id", "team"))
        .to_owned()
}

fn game() -> TableCreateStatement {
    Table::create()
        .table("game")
        .col(pk_auto("id"))
        .col(string("name"))
        .col(timestamp_with_time_zone("started_at").default(Expr::current_timestamp()))
        .to_owned()
}

fn game_event() -> TableCreateStatement {
    Table::create()
        .table("game_event")
        .col(pk_auto("id"))
        .col(string("kind").default("kill"))
        .col(integer("game_id"))
        .col(integer("player_id"))
        .col(integer_null("victim_id"))
        .col(timestamp_with_time_zone("created_at").default(Expr::current_timestamp()))
        .foreign_key(&mut reference("game_event", "game_id", "game"))
        .foreign_key(&mut reference("game_event", "player_id", "user"))
        .foreign_key(&mut reference("game_event", "victim_id", "user"))
        .to_owned()
}

fn reference(
    table: &'static str,
    column: &'static str,
    to: &'static str,
) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_{column}_fkey"))
        .from(table, column)
        .to(to, "id")
        .to_owned()
}

fn relation_index(table: &'static str, column: &'static str) -> IndexCreateStatement {
    Index::create()
        .name(format!("{table}_{column}_id_idx"))
        .table(table)
        .col(column)
        .col("id")
        .to_owned()
}
