//! Which frames a session must get, computed from SELECTs alone.
//!
//! The model knows nothing of the log, of the index or of outboxes: it compares the rows before a
//! transaction with the rows after it, and says what a session that reads one player, the
//! player's team and a page of the player's events is to be told.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio_postgres::Client;

/// All rows that the tests' sessions read, by key.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    users: BTreeMap<i64, Value>,
    teams: BTreeMap<i64, Value>,
    events: BTreeMap<i64, Value>,
}

impl Rows {
    /// What is stored now.
    pub async fn select(sql: &Client) -> Rows {
        Rows {
            users: table(sql, "user").await,
            teams: table(sql, "team").await,
            events: table(sql, "game_event").await,
        }
    }

    /// The team of a player.
    pub fn team_of(&self, player: i64) -> Option<i64> {
        self.users
            .get(&player)
            .and_then(|user| user["team_id"].as_i64())
    }

    /// The keys of all events.
    pub fn events(&self) -> Vec<i64> {
        self.events.keys().copied().collect()
    }
}

async fn table(sql: &Client, name: &str) -> BTreeMap<i64, Value> {
    let statement = format!("SELECT id::bigint, to_jsonb(t)::text FROM \"{name}\" AS t");
    let rows = sql.query(&statement, &[]).await.expect("the table exists");
    let parse = |text: &str| serde_json::from_str(text).expect("Postgres prints JSON");
    rows.iter()
        .map(|row| (row.get(0), parse(row.get(1))))
        .collect()
}

/// What one session has read: [`View::document`] for one player.
#[derive(Clone, Copy, Debug)]
pub struct View {
    player: i64,
    team: i64,
}

impl View {
    /// The view of a player that has just been read, while `rows` was stored.
    pub fn of(player: i64, rows: &Rows) -> View {
        View {
            player,
            team: rows.team_of(player).expect("the player is stored"),
        }
    }

    /// The document that reads the view of a player.
    pub fn document(player: i64) -> String {
        format!(
            "{{ user(identifier: {{obj_id: {player}}}) {{ id name team {{ row {{ name }} }} \
             events(page: 0, size: 5) {{ count items {{ obj_id row {{ kind }} }} }} }} }}"
        )
    }

    /// The data of the frame that one commit must bring, given that it changed each row at most
    /// once; nothing if it does not concern the view.
    ///
    /// The player's own row brings itself; the team and the events, of which the view shows
    /// something, bring a notice that the player is to be read again.
    pub fn frame(&self, before: &Rows, after: &Rows) -> Option<Value> {
        let identifier = json!({"obj_id": self.player, "entity": "User"});
        let update = |changes| json!({"update_type": "Update", "identifier": identifier, "changes": changes});
        let user = after.users.get(&self.player);
        if before.users.get(&self.player) != user {
            return Some(update(
                user.cloned().expect("the tests never delete a player"),
            ));
        }
        let team = before.teams.get(&self.team) != after.teams.get(&self.team);
        let event = changed(&before.events, &after.events)
            .any(|event| event["player_id"].as_i64() == Some(self.player));
        (team || event).then(|| update(json!({})))
    }
}

/// Every image of every row that differs: the one before, the one after, or both.
fn changed<'a>(
    before: &'a BTreeMap<i64, Value>,
    after: &'a BTreeMap<i64, Value>,
) -> impl Iterator<Item = &'a Value> {
    let gone = before
        .iter()
        .filter(|(key, row)| after.get(key) != Some(row));
    let come = after
        .iter()
        .filter(|(key, row)| before.get(key) != Some(row));
    gone.chain(come).map(|(_, row)| row)
}
