//! Rows for tests: the lines that insert one, and first those that it refers to. Pure.

use super::field::Kind;
use super::schema::{Column, Entity, kind_of};

/// References that are followed from row to row.
const DEEPEST: usize = 8;

/// The lines that insert a row of an entity into `app.db()`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) lines: Vec<String>,
    /// Whether one of them sets a value.
    pub(super) sets: bool,
    /// Tables that have got their row already.
    made: Vec<String>,
}

impl Rows {
    /// A row of this entity; why there can be none otherwise.
    pub(super) fn of(entity: &Entity, entities: &[Entity]) -> Result<Rows, String> {
        let mut rows = Rows::default();
        rows.insert(entity, entities, 0)?;
        // The key of the last one is of no use to anybody.
        if let Some(last) = rows.lines.pop() {
            let call = last.split(" = ").nth(1).unwrap_or(&last);
            let call = call.trim_end_matches(';');
            let key = call.rfind("?.").map_or(call, |at| &call[..=at]);
            rows.lines.push(format!("    {key};"));
        }
        Ok(rows)
    }

    fn insert(&mut self, entity: &Entity, all: &[Entity], depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            return Err(format!("`{}` refers to itself", entity.table));
        }
        let Some(key) = entity.key() else {
            return Err(format!("`{}` has no key of one column", entity.table));
        };
        let mut values = Vec::new();
        for column in entity.columns.iter().filter(|column| column.not_null) {
            if column.is_made {
                continue;
            }
            let reference = entity
                .relations
                .iter()
                .find(|relation| relation.from.as_deref() == Some(column.name.as_str()));
            let value = match reference {
                None => value(column).ok_or_else(|| {
                    let (table, name) = (&entity.table, &column.name);
                    format!("`{table}.{name}` is of a type of which no value is known")
                })?,
                Some(reference) => {
                    let other = all.iter().find(|other| other.module == reference.to);
                    let other = other.filter(|other| other.table != entity.table);
                    let other = other.ok_or_else(|| {
                        let (table, name) = (&entity.table, &reference.name);
                        format!("`{table}.{name}` leads to no row that can be made before")
                    })?;
                    if !self.made.contains(&other.table) {
                        self.insert(other, all, depth + 1)?;
                    }
                    let clone = match kind_of(column).is_some_and(is_copy) {
                        true => "",
                        false => ".clone()",
                    };
                    format!("{}_id{clone}", other.table)
                }
            };
            values.push((column.name.as_str(), value));
        }
        let mutable = if values.is_empty() { "" } else { "mut " };
        let module = &entity.module;
        self.lines.push(format!(
            "    let {mutable}new = entities::{module}::ActiveModel::new();"
        ));
        for (column, value) in values {
            self.sets = true;
            self.lines.push(format!("    new.{column} = Set({value});"));
        }
        let (table, key) = (&entity.table, &key.name);
        self.lines.push(format!(
            "    let {table}_id = new.insert(app.db()).await?.{key};"
        ));
        self.made.push(table.clone());
        Ok(())
    }
}

fn is_copy(kind: Kind) -> bool {
    !matches!(kind, Kind::String | Kind::Text | Kind::Json | Kind::Bytes)
}

/// A value of a column, as Rust.
fn value(column: &Column) -> Option<String> {
    Some(match kind_of(column)? {
        Kind::String | Kind::Text => format!("\"{}\".to_owned()", column.name),
        Kind::Json => "true.into()".to_owned(),
        Kind::Bytes => "Vec::new()".to_owned(),
        Kind::SmallInt | Kind::Int | Kind::BigInt => "1".to_owned(),
        Kind::Float | Kind::Double => "1.0".to_owned(),
        Kind::Bool => "true".to_owned(),
        Kind::Decimal | Kind::DateTime | Kind::Date | Kind::Time | Kind::Uuid => {
            "Default::default()".to_owned()
        }
    })
}

/// How a client names the row that [`Rows`] has made.
pub(super) fn key_value(column: &Column) -> Option<String> {
    Some(match kind_of(column)? {
        Kind::SmallInt | Kind::Int | Kind::BigInt => "1".to_owned(),
        Kind::String | Kind::Text => format!("\"{}\"", column.name),
        Kind::Uuid => "\"00000000-0000-0000-0000-000000000000\"".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn entity(module: &str, members: &str) -> Entity {
        let text = format!(
            "#[sea_orm(table_name = \"{module}\")]\nstruct Model {{\n\
             #[sea_orm(primary_key)] id: i32, {members} }}"
        );
        Entity::parse(module, &text).unwrap()
    }

    #[test]
    fn rows_that_are_referred_to_come_first_and_once() {
        let team = entity("team", "name: String, color: Option<String>");
        let game = entity(
            "game",
            "home_id: i32, away_id: i32, best: f64,
             #[sea_orm(belongs_to, from = \"home_id\", to = \"id\")]
             home: BelongsTo<super::team::Entity>,
             #[sea_orm(belongs_to, from = \"away_id\", to = \"id\")]
             away: BelongsTo<super::team::Entity>",
        );
        let rows = Rows::of(&game, &[team, game.clone()]).unwrap();
        assert_eq!(
            rows.lines,
            [
                "    let mut new = entities::team::ActiveModel::new();",
                "    new.name = Set(\"name\".to_owned());",
                "    let team_id = new.insert(app.db()).await?.id;",
                "    let mut new = entities::game::ActiveModel::new();",
                "    new.home_id = Set(team_id);",
                "    new.away_id = Set(team_id);",
                "    new.best = Set(1.0);",
                "    new.insert(app.db()).await?;",
            ]
        );
    }

    #[test]
    fn what_has_no_known_value_is_named() {
        let mood = entity("mood", "kind: Mood");
        let told = Rows::of(&mood, &[]).unwrap_err();
        assert!(told.contains("`mood.kind`"), "{told}");
        let node = entity(
            "node",
            "parent_id: i32, #[sea_orm(self_ref, from = \"parent_id\", to = \"id\")]
             parent: BelongsTo<Entity>",
        );
        let told = Rows::of(&node, std::slice::from_ref(&node)).unwrap_err();
        assert!(told.contains("`node.parent`"), "{told}");
    }
}
