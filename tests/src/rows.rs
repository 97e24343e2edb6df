//! The rows that tests write into the shooter's tables.

use tokio_postgres::Client;

/// Adds team 1 and, in it, `count` players, numbered from 1 and all named `0`.
pub async fn players(sql: &Client, count: usize) {
    let statement = format!(
        "INSERT INTO team (id, name, color) VALUES (1, 'red', '#ff0000'); \
         INSERT INTO \"user\" (id, name, team_id) \
         SELECT n, '0', 1 FROM generate_series(1, {count}) AS n"
    );
    sql.batch_execute(&statement)
        .await
        .expect("the rows are new");
}

/// Adds game 1.
pub async fn game(sql: &Client) {
    let statement = "INSERT INTO game (id, name) VALUES (1, 'game')";
    sql.batch_execute(statement).await.expect("the row is new");
}

/// Adds `count` events of a player to game 1, in one transaction.
///
/// Foreign keys go unchecked (`session_replication_role`), because checking a million of them
/// takes far longer than everything else.
pub async fn events(sql: &Client, player: i64, count: usize) {
    let statement = format!(
        "SET session_replication_role = replica; \
         INSERT INTO game_event (kind, game_id, player_id) \
         SELECT 'kill', 1, {player} FROM generate_series(1, {count}); \
         RESET session_replication_role"
    );
    sql.batch_execute(&statement)
        .await
        .expect("the player and the game are there");
}
