//! Random commits: rows that appear, change, move and go.

use crate::random::Random;
use crate::statements::{Ty, columns, literal};

const TABLES: &[&str] = &["player", "event", "team", "link", "part"];

/// One to three changes in one transaction.
pub fn any(random: &mut Random) -> String {
    let mut sql = "BEGIN;".to_owned();
    for _ in 0..=random.below(3) {
        sql.push_str(&match random.below(10) {
            0..3 => insert(random),
            3..8 => update(random),
            _ => delete(random),
        });
    }
    sql + "COMMIT"
}

/// One row more, if its key is free.
pub fn insert(random: &mut Random) -> String {
    let table = random.of(TABLES);
    let columns = columns(table).iter().filter(|(name, _)| *name != "twice");
    let (names, values): (Vec<&str>, Vec<String>) = columns
        .map(|(name, ty)| (*name, cell(random, name, *ty)))
        .unzip();
    let (names, values) = (names.join(", "), values.join(", "));
    format!("INSERT INTO {table} ({names}) VALUES ({values}) ON CONFLICT DO NOTHING;")
}

fn update(random: &mut Random) -> String {
    let table = random.of(TABLES);
    let columns: Vec<_> = columns(table)
        .iter()
        .filter(|(name, _)| *name != "twice")
        .collect();
    let (name, ty) = columns[random.below(columns.len())];
    let value = cell(random, name, *ty);
    format!(
        "UPDATE {table} SET {name} = {value} WHERE {};",
        some(random, table)
    )
}

fn delete(random: &mut Random) -> String {
    let table = random.of(TABLES);
    format!("DELETE FROM {table} WHERE {};", some(random, table))
}

/// Few rows: a key column has a value. One table has a key of two columns.
fn some(random: &mut Random, table: &str) -> String {
    let (name, ty) = columns(table)[0];
    format!("{name} = {}", literal(random, ty))
}

fn cell(random: &mut Random, name: &str, ty: Ty) -> String {
    let key = matches!(name, "id" | "a" | "b");
    match !key && random.one_in(6) {
        true => "NULL".to_owned(),
        false => literal(random, ty),
    }
}
