//! Teams, their players, games, and what happens in them. Yours; once it is applied anywhere, write
//! a new migration instead of changing it.

use blazelink_migrations::{publish, unpublish};
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{integer, integer_null, pk_auto, string, timestamp_with_time_zone};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The tables, each after those that it refers to.
const TABLES: [&str; 4] = ["team", "user", "game", "game_event"];

/// What refers to what: table, column, the other table.
const RELATIONS: [(&str, &str, &str); 4] = [
    ("user", "team_id", "team"),
    ("game_event", "game_id", "game"),
    ("game_event", "player_id", "user"),
    ("game_event", "victim_id", "user"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        for (table, column, to) in RELATIONS {
            let mut reference = ForeignKey::create();
            reference.name(format!("{table}_{column}_fkey"));
            reference.from(table, column).to(to, "id");
            manager.create_foreign_key(reference).await?;
            // A page of a relation is read by this index, however many rows there are.
            let mut index = Index::create();
            index.name(format!("{table}_{column}_id_idx")).table(table);
            index.col(column).col("id");
            manager.create_index(index).await?;
        }
        for table in TABLES {
            publish(manager, table).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES.into_iter().rev() {
            unpublish(manager, table).await?;
            let mut drop = Table::drop();
            manager.drop_table(drop.table(table).take()).await?;
        }
        Ok(())
    }
}

fn tables() -> [TableCreateStatement; 4] {
    let mut team = Table::create();
    team.table("team").col(pk_auto("id"));
    team.col(string("name")).col(string("color"));
    let mut user = Table::create();
    user.table("user").col(pk_auto("id"));
    user.col(string("name")).col(integer("team_id"));
    let mut game = Table::create();
    game.table("game").col(pk_auto("id")).col(string("name"));
    game.col(now("started_at"));
    let mut event = Table::create();
    event.table("game_event").col(pk_auto("id"));
    event.col(string("kind").default("kill"));
    event.col(integer("game_id")).col(integer("player_id"));
    event.col(integer_null("victim_id")).col(now("created_at"));
    [team, user, game, event]
}

/// A point in time: that of the insert, unless it is said.
fn now(column: &str) -> ColumnDef {
    let mut column = timestamp_with_time_zone(column.to_owned());
    column.default(Expr::current_timestamp()).take()
}
