//! Every way from one table to another, found in Postgres' own catalog and not in ours: each must be
//! one relation of the registry, each relation must be such a way, and each answers what a join does.

use std::collections::BTreeMap;

use blazelink::table::{Shape, TableDef, TableManager};
use serde_json::Value;

use crate::support::App;

/// A foreign key.
#[derive(Clone, Debug, PartialEq)]
struct ForeignKey {
    child: String,
    columns: Vec<String>,
    parent: String,
    onto: Vec<String>,
    /// Whether at most one child can have a parent.
    single: bool,
}

/// A way from rows of one table to rows of another.
#[derive(Clone, Debug)]
enum Way {
    /// From the child to its parent.
    Up(ForeignKey),
    /// From the parent to its children.
    Down(ForeignKey),
    /// From the parent of the first to that of the second, over the child of both.
    Across(ForeignKey, ForeignKey),
}

/// Key of a row, as Postgres prints it.
type Key = Vec<String>;

/// Asks for every way and compares each answer with a join; gives the number of ways. `junctions`
/// are the tables over which their two parents are to be joined.
pub async fn compare_all(app: &App, junctions: &[&str]) -> usize {
    let ways = ways(app, junctions).await;
    let mut relations = 0;
    for table in app.manager.tables() {
        relations += table.relations.len();
        for relation in &table.relations {
            let meant = ways
                .iter()
                .filter(|way| means(app, way, table, &relation.name));
            assert_eq!(meant.count(), 1, "{}.{}", table.table, relation.name);
        }
    }
    assert_eq!(relations, ways.len(), "each way has a relation");
    for way in &ways {
        compare(app, way).await;
    }
    ways.len()
}

async fn compare(app: &App, way: &Way) {
    let (from, to) = way.ends();
    let (from, to) = (table(&app.manager, from), table(&app.manager, to));
    let mut found = from
        .relations
        .iter()
        .filter(|relation| means(app, way, from, &relation.name));
    let relation = found
        .next()
        .unwrap_or_else(|| panic!("no relation is {way:?}"));
    assert!(found.next().is_none(), "two relations are {way:?}");
    let single = matches!(
        relation.shape,
        Shape::BelongsTo { .. } | Shape::HasOne { .. }
    );
    let expected_single = match way {
        Way::Up(_) => true,
        Way::Down(key) => key.single,
        Way::Across(..) => false,
    };
    assert_eq!(single, expected_single, "{}.{}", from.table, relation.name);

    let expected = joined(app, way, from, to).await;
    let keys: Vec<&str> = to.key.iter().map(|&key| &*to.columns[key].name).collect();
    let inner = format!("obj_id entity row{{{}}}", keys.join(" "));
    let selection = match single {
        true => format!("{}{{{inner}}}", relation.name),
        false => format!("{}(size:200){{count items{{{inner}}}}}", relation.name),
    };
    let root = from.page_root();
    let query = format!("{{{root}(size:200){{count items{{obj_id row{{{selection}}}}}}}}}");
    let answer = app.ask(&query).await;
    let rows = answer[&root]["items"].as_array().unwrap();
    assert_eq!(
        answer[&root]["count"],
        rows.len(),
        "one page holds all of {}",
        from.table
    );
    assert_eq!(
        rows.len(),
        expected.len(),
        "every row of {} is there",
        from.table
    );
    let reached: usize = expected.values().map(Vec::len).sum();
    assert!(
        reached > 0,
        "{}.{} leads somewhere",
        from.table,
        relation.name
    );
    for row in rows {
        let field = &row["row"][&relation.name];
        let items: Vec<&Value> = match single {
            true if field.is_null() => Vec::new(),
            true => vec![field],
            false => field["items"].as_array().unwrap().iter().collect(),
        };
        if !single {
            assert_eq!(
                field["count"],
                items.len(),
                "{}.{}",
                from.table,
                relation.name
            );
        }
        let met: Vec<Key> = items
            .into_iter()
            .map(|item| {
                assert_eq!(item["entity"], to.entity);
                let row: Vec<&Value> = keys.iter().map(|key| &item["row"][*key]).collect();
                let id = &item["obj_id"];
                assert_eq!(key(id), row.into_iter().map(text).collect::<Key>());
                key(id)
            })
            .collect();
        let of = key(&row["obj_id"]);
        assert_eq!(
            Some(&met),
            expected.get(&of),
            "{}.{} of {of:?}",
            from.table,
            relation.name
        );
    }
}

/// For each row of a way's beginning the rows at its end, in the order of their key.
async fn joined(app: &App, way: &Way, from: &TableDef, to: &TableDef) -> BTreeMap<Key, Vec<Key>> {
    let on = |near: &str, of: &[String], far: &str, onto: &[String]| {
        let pairs = of.iter().zip(onto);
        let pairs: Vec<String> = pairs
            .map(|(of, onto)| format!("{near}.\"{of}\" = {far}.\"{onto}\""))
            .collect();
        pairs.join(" AND ")
    };
    let key = |alias: &str, table: &TableDef, cast: &str| {
        let columns = table.key.iter().map(|&key| &table.columns[key].name);
        let columns: Vec<String> = columns
            .map(|column| format!("{alias}.\"{column}\"{cast}"))
            .collect();
        columns.join(", ")
    };
    let joins = match way {
        Way::Up(up) => {
            let on = on("a", &up.columns, "b", &up.onto);
            format!("LEFT JOIN \"{}\" b ON {on}", up.parent)
        }
        Way::Down(down) => {
            let on = on("b", &down.columns, "a", &down.onto);
            format!("LEFT JOIN \"{}\" b ON {on}", down.child)
        }
        Way::Across(near, far) => format!(
            "LEFT JOIN (\"{}\" j JOIN \"{}\" b ON {}) ON {}",
            near.child,
            far.parent,
            on("j", &far.columns, "b", &far.onto),
            on("j", &near.columns, "a", &near.onto),
        ),
    };
    let text = format!(
        "SELECT ARRAY[{}], CASE WHEN ({}) IS NOT NULL THEN ARRAY[{}] END \
         FROM \"{}\" a {joins} ORDER BY {}",
        key("a", from, "::text"),
        key("b", to, "").replace(", ", ") IS NOT NULL AND ("),
        key("b", to, "::text"),
        from.table,
        key("b", to, ""),
    );
    let mut joined: BTreeMap<Key, Vec<Key>> = BTreeMap::new();
    for row in app.sql(&text).await {
        let ends = joined.entry(row.try_get_by_index(0).unwrap()).or_default();
        ends.extend(row.try_get_by_index::<Option<Key>>(1).unwrap());
    }
    joined
}

/// Every foreign key up and down, and across every junction both ways.
async fn ways(app: &App, junctions: &[&str]) -> Vec<Way> {
    let text = "
        SELECT c.conrelid::regclass::text, c.confrelid::regclass::text,
               ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k(n, o)
                     JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY k.o),
               ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k(n, o)
                     JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n ORDER BY k.o),
               EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indisunique
                       AND i.indkey::int2[] <@ c.conkey)
        FROM pg_constraint c WHERE c.contype = 'f' AND c.conparentid = 0 ORDER BY 1, c.conname";
    let keys: Vec<ForeignKey> = app
        .sql(text)
        .await
        .iter()
        .map(|row| ForeignKey {
            child: unquoted(row.try_get_by_index(0).unwrap()),
            parent: unquoted(row.try_get_by_index(1).unwrap()),
            columns: row.try_get_by_index(2).unwrap(),
            onto: row.try_get_by_index(3).unwrap(),
            single: row.try_get_by_index(4).unwrap(),
        })
        .collect();
    let mut ways = Vec::new();
    for key in &keys {
        ways.extend([Way::Up(key.clone()), Way::Down(key.clone())]);
        if junctions.contains(&&*key.child) {
            let others = keys
                .iter()
                .filter(|other| other.child == key.child && *other != key);
            ways.extend(others.map(|other| Way::Across(key.clone(), other.clone())));
        }
    }
    ways
}

/// `regclass` quotes names that need it.
fn unquoted(name: String) -> String {
    name.trim_matches('"').to_owned()
}

impl Way {
    fn ends(&self) -> (&str, &str) {
        match self {
            Way::Up(key) => (&key.child, &key.parent),
            Way::Down(key) => (&key.parent, &key.child),
            Way::Across(near, far) => (&near.parent, &far.parent),
        }
    }
}

/// Whether a relation is this way: by the columns that it compares.
fn means(app: &App, way: &Way, of: &TableDef, relation: &str) -> bool {
    let relation = of.relations.iter().find(|it| it.name == relation).unwrap();
    let target = app.manager.table(relation.target);
    if way.ends() != (&of.table, &target.table) {
        return false;
    }
    let same = |near: &TableDef, from: &[usize], far: &TableDef, to: &[usize], key: &ForeignKey| {
        let mut pairs: Vec<(&str, &str)> = from
            .iter()
            .zip(to)
            .map(|(&from, &to)| (&*near.columns[from].name, &*far.columns[to].name))
            .collect();
        let mut wanted: Vec<(&str, &str)> = key
            .columns
            .iter()
            .zip(&key.onto)
            .map(|(column, onto)| (&**column, &**onto))
            .collect();
        pairs.sort_unstable();
        wanted.sort_unstable();
        pairs == wanted
    };
    match (way, &relation.shape) {
        (Way::Up(key), Shape::BelongsTo { from, to }) => same(of, from, target, to, key),
        (Way::Down(key), Shape::HasOne { from, to } | Shape::HasMany { from, to }) => {
            same(target, to, of, from, key)
        }
        (
            Way::Across(one, other),
            Shape::Through {
                junction,
                from,
                near,
                far,
            },
        ) => {
            let junction = app.manager.table(*junction);
            junction.table == one.child
                && same(junction, near, of, from, one)
                && same(junction, far, target, &target.key, other)
        }
        _ => false,
    }
}

fn table<'a>(manager: &'a TableManager, name: &str) -> &'a TableDef {
    let mut tables = manager.tables().iter();
    tables
        .find(|table| table.table == name)
        .unwrap_or_else(|| panic!("{name} is exposed"))
}

fn key(id: &Value) -> Key {
    match id {
        Value::Array(parts) => parts.iter().map(text).collect(),
        single => vec![text(single)],
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
