//! The shooter's schema as somebody writes it by hand with async-graphql, SeaORM and poem: the same
//! tables, relations, pages and computed fields, without being live. It is there to be rebuilt:
//! `tests/rebuild` compares how long that takes with the shooter.

pub mod entities;
mod player_stats;
mod query;
mod rows;

use std::error::Error;

use async_graphql::{EmptyMutation, EmptySubscription, Schema};
use async_graphql_poem::GraphQL;
use poem::listener::TcpListener;
use poem::{Route, Server, post};
use sea_orm::Database;

/// Answers requests on the database that `DATABASE_URL` names.
///
/// # Errors
///
/// If there is no such database, or the port is taken.
pub async fn serve() -> Result<(), Box<dyn Error>> {
    let database = Database::connect(std::env::var("DATABASE_URL")?).await?;
    let schema = Schema::build(query::Query, EmptyMutation, EmptySubscription)
        .data(database)
        .finish();
    let routes = Route::new().at("/graphql/", post(GraphQL::new(schema)));
    Server::new(TcpListener::bind("127.0.0.1:8000"))
        .run(routes)
        .await?;
    Ok(())
}
