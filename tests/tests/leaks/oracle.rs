//! What a role may see, said once more and without the policies' code; and what a message tells.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// The columns that nobody sees, and the relation that would tell one.
pub(crate) const HIDDEN: [&str; 3] = ["color", "victim_id", "victim"];

/// The rows of one table by their keys.
pub(crate) type Rows = BTreeMap<i64, Value>;

/// All rows, by entity.
pub(crate) struct World(pub(crate) BTreeMap<&'static str, Rows>);

impl World {
    pub(crate) async fn read(sql: &tokio_postgres::Client) -> World {
        let mut tables = BTreeMap::new();
        for (entity, table) in [
            ("Team", "team"),
            ("User", "\"user\""),
            ("Game", "game"),
            ("GameEvent", "game_event"),
            ("Diary", "diary"),
            ("Notice", "notice"),
        ] {
            let select = format!("SELECT id::bigint, to_jsonb(t)::text FROM {table} AS t");
            let rows = sql.query(&select, &[]).await.expect("the table exists");
            let parse = |text: &str| serde_json::from_str(text).expect("Postgres prints JSON");
            let rows = rows.iter().map(|row| (row.get(0), parse(row.get(1))));
            tables.insert(entity, rows.collect());
        }
        World(tables)
    }

    /// What a role may see of a table: the oracle, which shares no code with the policies.
    pub(crate) fn seen(&self, entity: &str, role: i32) -> Rows {
        let role = i64::from(role);
        let team_of = |player: i64| self.0["User"].get(&player).map(|row| &row["team_id"]);
        let visible = |key: i64, row: &Value| match entity {
            "Team" => team_of(role) == Some(&json!(key)),
            "User" => team_of(role) == Some(&row["team_id"]),
            "GameEvent" => row["player_id"] == role,
            "Diary" => row["author_id"] == role,
            "Notice" => true,
            _ => false,
        };
        let rows = self.0[entity].iter();
        let rows = rows.filter(|(key, row)| visible(**key, row));
        rows.map(|(key, row)| (*key, without_hidden(row))).collect()
    }

    /// The secrets that a role may see.
    pub(crate) fn secrets(&self, role: i32) -> BTreeSet<String> {
        let rows = self.0.keys().flat_map(|entity| self.seen(entity, role));
        let mut secrets = BTreeSet::new();
        rows.for_each(|(_, row)| collect(&row, &mut secrets));
        secrets
    }
}

pub(crate) fn without_hidden(row: &Value) -> Value {
    let mut row = row.clone();
    if let Some(row) = row.as_object_mut() {
        row.remove("color");
        row.remove("victim_id");
    }
    row
}

/// All texts in a value that are secrets.
pub(crate) fn collect(value: &Value, secrets: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.contains("secret") => {
            secrets.insert(text.clone());
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, secrets)),
        Value::Object(members) => members.values().for_each(|value| collect(value, secrets)),
        _ => {}
    }
}

/// The members of a value that tell a hidden column.
pub(crate) fn unhidden(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| unhidden(value, found)),
        Value::Object(members) => {
            let told = members
                .iter()
                .filter(|(name, value)| HIDDEN.contains(&name.as_str()) && !value.is_null());
            found.extend(told.map(|(name, _)| name.clone()));
            members.values().for_each(|value| unhidden(value, found));
        }
        _ => {}
    }
}

/// All references in a value, by entity and key.
pub(crate) fn references(value: &Value, found: &mut Vec<(String, i64)>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        Value::Object(members) => {
            let entity = members.get("entity").and_then(Value::as_str);
            let key = members.get("obj_id").and_then(Value::as_i64);
            found.extend(entity.map(str::to_owned).zip(key));
            members.values().for_each(|value| references(value, found));
        }
        _ => {}
    }
}
