//! SeaORM's command line for the migrations, such as `up`, `down` and `status`. Yours to edit.
//!
//! A program of its own, so that it builds and runs even while the app does not compile. It reads
//! `DATABASE_URL`.

use sea_orm_migration::prelude::*;

#[tokio::main]
async fn main() {
    cli::run_cli(shooter_migration::Migrator).await;
}
