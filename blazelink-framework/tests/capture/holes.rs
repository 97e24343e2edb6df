//! Laxer rules: each misses something that ours does not. Those of capture make a dependency that is
//! too narrow; those of the index look at one image of a changed row, where both count.

use std::collections::HashSet;

use blazelink::change::{ChangeKind, Old, Transaction};
use blazelink::object_id::{Atom, Key, TableId};
use blazelink::subscription::Dependency;

use crate::statements::Statement;
use crate::world::{World, watch_in};

/// What a lax rule takes for the dependency: a column of a table that holds a text.
struct Hole {
    statement: &'static str,
    values: &'static [&'static str],
    lax: (&'static str, &'static str, &'static str),
    commit: &'static str,
}

const UUID: &str = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";

fn holes() -> Vec<Hole> {
    let hole = |statement, values, lax, commit| Hole {
        statement,
        values,
        lax,
        commit,
    };
    vec![
        // A literal is taken as it is spelled.
        hole(
            "SELECT name FROM player WHERE team_id = '01'",
            &[],
            ("player", "team_id", "01"),
            "INSERT INTO player (id, team_id, name) VALUES (91, 1, 'x')",
        ),
        hole(
            "SELECT name FROM player WHERE code = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
            &[],
            ("player", "code", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"),
            "INSERT INTO player (id, code) VALUES (92, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')",
        ),
        hole(
            "SELECT name FROM player WHERE active = 'yes'",
            &[],
            ("player", "active", "yes"),
            "INSERT INTO player (id, active) VALUES (93, true)",
        ),
        // A cast changes the value.
        hole(
            "SELECT name FROM player WHERE team_id = $1::int",
            &["t01"],
            ("player", "team_id", "01"),
            "INSERT INTO player (id, team_id) VALUES (94, 1)",
        ),
        hole(
            "SELECT id FROM player WHERE name = $1::varchar(2)",
            &["tkill"],
            ("player", "name", "kill"),
            "INSERT INTO player (id, name) VALUES (95, 'ki')",
        ),
        // Dates that Rust prints otherwise.
        hole(
            "SELECT name FROM player WHERE born = $1",
            &["d12024-01-01"],
            ("player", "born", "+12024-01-01"),
            "INSERT INTO player (id, born) VALUES (96, '12024-01-01')",
        ),
        // Types whose equality is not that of their text.
        hole(
            "SELECT id FROM player WHERE tag = 'KILL'",
            &[],
            ("player", "tag", "KILL"),
            "INSERT INTO player (id, tag) VALUES (97, 'kill')",
        ),
        hole(
            "SELECT id FROM player WHERE rank = 1",
            &[],
            ("player", "rank", "1"),
            "INSERT INTO player (id, rank) VALUES (98, 1.0)",
        ),
        // What Postgres computes is in no log.
        hole(
            "SELECT id FROM player WHERE twice = 4",
            &[],
            ("player", "twice", "4"),
            "INSERT INTO player (id, team_id) VALUES (99, 2)",
        ),
        // An operator of somebody's own.
        hole(
            "SELECT id FROM team WHERE 1 OPERATOR(public.===) 'zoe' AND id = 1",
            &[],
            ("team", "id", "1"),
            "INSERT INTO player (id, name) VALUES (1, 'zoe') \
             ON CONFLICT (id) DO UPDATE SET name = 'zoe'",
        ),
        // A view whose function reads another table.
        hole(
            "SELECT n FROM counted WHERE id = 1",
            &[],
            ("team", "id", "1"),
            "INSERT INTO event (id, player_id) VALUES (90, 1)",
        ),
        // A column that is a function in truth.
        hole(
            "SELECT p.score_of FROM player p WHERE p.id = 1",
            &[],
            ("player", "id", "1"),
            "INSERT INTO player (id) VALUES (1) ON CONFLICT DO NOTHING; \
             INSERT INTO event (id, player_id, score) VALUES (89, 1, 1000)",
        ),
        // Columns that are called otherwise.
        hole(
            "SELECT name FROM team AS t(parent_id, name, id) WHERE t.id = 77",
            &[],
            ("team", "id", "77"),
            "INSERT INTO team (id, name, parent_id) VALUES (88, 'x', 77)",
        ),
    ]
}

fn lax(world: &World, (table, column, text): (&str, &str, &str)) -> Dependency {
    let mut tables = world.manager.tables().iter();
    let table = tables.find(|known| known.table == table).unwrap();
    let at = table.column(column).unwrap();
    // As it is spelled, even where a number is meant.
    let value = match table.columns[at].kind.atom(text) {
        number if number.to_string() == text => number,
        _ => Atom::Text(text.into()),
    };
    match table.key.as_slice() {
        [key] if *key == at => Dependency::Row(table.id, Key::One(value)),
        _ => Dependency::equal(table.id, table.columns[at].exposed.unwrap(), value),
    }
}

#[tokio::test]
async fn what_a_laxer_rule_misses_is_found() {
    let world = World::start().await;
    let mut random = crate::random::Random::new(0);
    for hole in holes() {
        world.refill(&mut random).await;
        world
            .transaction("DELETE FROM event; DELETE FROM player; DELETE FROM team")
            .await;
        let insert = "INSERT INTO team VALUES (1, 'red', NULL); INSERT INTO player (id) VALUES (1)";
        world.transaction(insert).await;
        let statement = Statement {
            text: hole.statement.to_owned(),
            values: hole
                .values
                .iter()
                .map(|value| (*value).to_owned())
                .collect(),
        };
        let watched = [world.watch(statement).await.expect(hole.statement)];
        let before = world.results(&watched).await;
        let mut index = world.index(&watched, Dependency::clone);
        watch_in(&mut index, 1, &[lax(&world, hole.lax)]);
        let transaction = world.transaction(hole.commit).await;
        let told = world.told(&transaction, &mut index);
        let after = world.results(&watched).await;
        assert_ne!(before, after, "{} is of no consequence", hole.statement);
        assert_eq!(
            told,
            HashSet::from([0]),
            "{} {:?}",
            hole.statement,
            watched[0].dependencies
        );
    }
}

/// An index that checks what is left of a dependency in one image only.
#[derive(Clone, Copy, Debug, PartialEq)]
enum LooksAt {
    After,
    Before,
}

impl LooksAt {
    /// The commit as such an index takes it: rows that come, or rows that go.
    fn taken(self, transaction: &Transaction) -> Transaction {
        let mut taken = transaction.clone();
        for change in &mut taken.changes {
            match self {
                LooksAt::After if change.new.is_some() => {
                    change.kind = ChangeKind::Insert;
                    change.old = Old::None;
                }
                LooksAt::Before if change.old != Old::None => {
                    change.kind = ChangeKind::Delete;
                    change.new = None;
                }
                _ => {}
            }
        }
        taken
    }
}

#[tokio::test]
async fn what_an_index_misses_that_checks_one_image_only_is_found() {
    let world = World::start().await;
    let mut random = crate::random::Random::new(0);
    let count = "SELECT count(*) FROM event WHERE player_id = 1 AND kind = 'kill'";
    for (lax, commit) in [
        (
            LooksAt::After,
            "UPDATE event SET kind = 'assist' WHERE id = 1",
        ),
        (LooksAt::After, "UPDATE event SET kind = NULL WHERE id = 1"),
        (
            LooksAt::Before,
            "UPDATE event SET kind = 'kill' WHERE id = 2",
        ),
        (
            LooksAt::Before,
            "UPDATE event SET player_id = 1 WHERE id = 3",
        ),
    ] {
        world.refill(&mut random).await;
        world.transaction("DELETE FROM event").await;
        let insert = "INSERT INTO event (id, player_id, kind) VALUES \
                      (1, 1, 'kill'), (2, 1, 'assist'), (3, 2, 'kill'), (4, 1, 'assist')";
        world.transaction(insert).await;
        let statement = Statement {
            text: count.to_owned(),
            values: Vec::new(),
        };
        let watched = [world.watch(statement).await.unwrap()];
        let mut index = world.index(&watched, Dependency::clone);
        let before = world.results(&watched).await;
        let transaction = world.transaction(commit).await;
        assert_ne!(before, world.results(&watched).await, "{commit}");
        let told = world.told(&transaction, &mut index);
        assert_eq!(told, HashSet::from([0]), "{commit}");
        let told = world.told(&lax.taken(&transaction), &mut index);
        assert_eq!(told, HashSet::new(), "{lax:?} misses {commit}");

        // And of what changes nothing, nobody is told.
        let transaction = world
            .transaction("UPDATE event SET score = 7, kind = 'death' WHERE id = 4")
            .await;
        let told = world.told(&transaction, &mut index);
        assert_eq!(told, HashSet::new());
    }
}

/// What is read of a row as it is, is narrowed in every spelling that is sure.
#[tokio::test]
async fn what_is_sure_is_narrowed() {
    let world = World::start().await;
    let uuid = format!("SELECT 1 FROM player WHERE code = '{UUID}'");
    for text in [
        "SELECT 1 FROM player WHERE id = 1",
        "SELECT 1 FROM event WHERE kind = 'kill' AND at > '2024-01-01'",
        "SELECT 1 FROM part WHERE id = 1",
        "SELECT 1 FROM part_odd WHERE id = 1",
        "SELECT 1 FROM player WHERE mood = 'sad'::mood",
        "SELECT 1 FROM player WHERE pad = 'ab  '",
        &uuid,
    ] {
        let found = world.captured(text, &[]).await.unwrap();
        let narrow =
            |one: &Dependency| matches!(one, Dependency::Row(..) | Dependency::Equal { .. });
        assert!(
            !found.is_empty() && found.iter().all(narrow),
            "{text}: {found:?}"
        );
    }
    let part = world
        .manager
        .tables()
        .iter()
        .position(|table| table.table == "part")
        .unwrap();
    let odd = world.captured("SELECT 1 FROM part_odd", &[]).await.unwrap();
    assert_eq!(odd, [Dependency::Table(TableId(part as u32))]);
}
