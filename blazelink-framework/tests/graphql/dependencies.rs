//! Whatever pages are asked for and whatever changes: if the answer is another one, a dependency
//! that was declared for it was hit.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use sea_orm::{ConnectionTrait, DbBackend, Linked, RelationDef, RelationTrait, Statement};
use serde_json::Value as Json;

use crate::entities::*;
use crate::support::{App, builder};

const SEED: u64 = 20_261_125;
const QUERIES: usize = 150;

/// Changes that each query meets.
const CHANGES: usize = 12;

/// Few rows that meet most queries.
const ROWS: &str = "\
    TRUNCATE game_event, \"user\", tag, user_tag, game; \
    INSERT INTO \"user\" SELECT n, (ARRAY['ann', 'new', 'a'])[n], NULL, 1 + n % 2, n \
        FROM generate_series(1, 3) n; \
    INSERT INTO game SELECT n, 'g' || n FROM generate_series(1, 3) n; \
    INSERT INTO game_event SELECT n, (ARRAY['kill', 'join', 'death'])[1 + n % 3], 1 + n % 3, 1 + n % 2 \
        FROM generate_series(1, 8) n; \
    INSERT INTO tag VALUES (1, 'new'), (2, 'pro'), (3, 'a'), (4, 'new'); \
    INSERT INTO user_tag VALUES (1, 1), (1, 2), (2, 3), (3, 4), (3, 1)";

struct GamesOfTeam;

impl Linked for GamesOfTeam {
    type FromEntity = team::Entity;
    type ToEntity = game::Entity;

    fn link(&self) -> Vec<RelationDef> {
        vec![
            user::Relation::Team.def().rev(),
            game_event::Relation::User.def().rev(),
            game_event::Relation::Game.def(),
        ]
    }
}

/// Conditions and orders of a table, by its root.
fn arguments(random: &mut StdRng, of: &str) -> String {
    let n = random.random_range(1..4);
    let conditions: &[String] = &match of {
        "gameEvents" => vec![
            format!("player_id:{{eq:{n}}}"),
            format!("player_id:{{in:[{n},2]}}"),
            format!("game_id:{{ne:{n}}}"),
            "type:{eq:\"kill\"}".to_owned(),
            "type:{in:[\"kill\",\"join\"]},game_id:{lte:2}".to_owned(),
            format!("player_id:{{eq:{n}}},type:{{eq:\"kill\"}}"),
            format!("game_id:{{in:[{n},1]}},type:{{in:[\"kill\",\"join\"]}}"),
            format!("or:[{{player_id:{{eq:{n}}}}},{{game_id:{{eq:1}}}}]"),
            format!("and:[{{player_id:{{eq:{n}}}}},{{not:{{type:{{starts_with:\"k\"}}}}}}]"),
            "player_id:{is_null:true}".to_owned(),
        ],
        "users" => vec![
            format!("team_id:{{eq:{n}}}"),
            "name:{eq:\"ann\"}".to_owned(),
            format!("name:{{eq:\"new\"}},team_id:{{eq:{n}}}"),
            format!("score:{{gt:{n}}}"),
            format!("not:{{team_id:{{eq:{n}}}}}"),
        ],
        "tags" => vec![
            "label:{eq:\"new\"}".to_owned(),
            "label:{ne:\"new\"}".to_owned(),
            format!("id:{{in:[{n},4]}}"),
        ],
        _ => vec!["name:{ne:\"g1\"}".to_owned(), format!("id:{{eq:{n}}}")],
    };
    let orders: &[&str] = match of {
        "gameEvents" => &[
            "{type:DESC}",
            "[{player_id:ASC_NULLS_FIRST},{game_id:DESC}]",
        ],
        "users" => &["{name:ASC}", "[{team_id:DESC},{score:ASC}]"],
        "tags" => &["{label:DESC}"],
        _ => &["{name:DESC}"],
    };
    let mut all = format!("size:{}", random.random_range(1..5));
    if random.random_range(0..4) > 0 {
        let first = conditions.choose(random).unwrap();
        all.push_str(&format!(",where:{{{first}}}"));
    }
    if random.random_range(0..2) > 0 {
        all.push_str(&format!(",orderBy:{}", orders.choose(random).unwrap()));
    }
    all
}

fn query(random: &mut StdRng) -> String {
    let n = random.random_range(1..4);
    let events = arguments(random, "gameEvents");
    let (users, tags, games) = (
        arguments(random, "users"),
        arguments(random, "tags"),
        arguments(random, "games"),
    );
    match random.random_range(0..8) {
        0 => format!("{{gameEvents({events}){{count next items{{obj_id row{{type}}}}}}}}"),
        1 => format!("{{users({users}){{count items{{obj_id row{{name}}}}}}}}"),
        2 => format!(
            "{{user(identifier:{{obj_id:{n}}}){{events({events}){{count next items{{row{{type}}}}}}}}}}"
        ),
        3 => format!(
            "{{user(identifier:{{obj_id:{n}}}){{tags({tags}){{count next items{{obj_id row{{label}}}}}}}}}}"
        ),
        4 => format!("{{user(identifier:{{obj_id:{n}}}){{tags({tags}){{items{{obj_id}}}}}}}}"),
        5 => format!(
            "{{team(identifier:{{obj_id:{n}}}){{users({users}){{items{{row{{events({events}){{count items{{obj_id}}}}}}}}}}}}}}"
        ),
        6 => format!(
            "{{team(identifier:{{obj_id:{n}}}){{games({games}){{count items{{row{{name}}}}}}}}}}"
        ),
        _ => format!(
            "{{users({users}){{items{{row{{tags({tags}){{count}} events({events}){{items{{row{{type}}}}}}}}}}}}}}"
        ),
    }
}

/// A change of one row: its table as Postgres and as the schema calls it, the row, the statement.
fn change(random: &mut StdRng) -> (&'static str, &'static str, String, String) {
    let n = random.random_range(1..4);
    let kind = ["'kill'", "'join'", "'death'"].choose(random).unwrap();
    let player = ["1", "2", "3", "NULL"].choose(random).unwrap();
    let id = random.random_range(1..11);
    let of_event = format!("id = {id}");
    let of_user = format!("id = {n}");
    let tag = random.random_range(1..5);
    let of_junction = format!("user_id = {n} AND tag_id = {tag}");
    let of_tag = format!("id = {tag}");
    let label = ["'new'", "'pro'", "'a'"].choose(random).unwrap();
    let (entity, table, row, set) = match random.random_range(0..12) {
        0 => (
            "GameEvent",
            "game_event",
            of_event,
            format!("type = {kind}"),
        ),
        1 => (
            "GameEvent",
            "game_event",
            of_event,
            format!("player_id = {player}"),
        ),
        2 => (
            "GameEvent",
            "game_event",
            of_event,
            format!("game_id = {n}"),
        ),
        3 => {
            let insert = format!(
                "INSERT INTO game_event VALUES ({id}, {kind}, {player}, {n}) ON CONFLICT DO NOTHING"
            );
            return ("GameEvent", "game_event", of_event, insert);
        }
        4 => ("GameEvent", "game_event", of_event, String::new()),
        5 => ("User", "user", of_user, format!("name = {label}")),
        6 => ("User", "user", of_user, format!("team_id = {player}")),
        7 => ("User", "user", of_user, format!("score = {id}")),
        8 => ("UserTag", "user_tag", of_junction, String::new()),
        9 => {
            let insert = format!("INSERT INTO user_tag VALUES ({n}, {tag}) ON CONFLICT DO NOTHING");
            return ("UserTag", "user_tag", of_junction, insert);
        }
        10 => ("Tag", "tag", of_tag, format!("label = {label}")),
        _ => ("Game", "game", of_user, format!("name = {label}")),
    };
    let statement = match set.is_empty() {
        true => format!("DELETE FROM \"{table}\" WHERE {row}"),
        false => format!("UPDATE \"{table}\" SET {set} WHERE {row}"),
    };
    (entity, table, row, statement)
}

/// A change, mostly of a table that the query reads.
fn change_for(random: &mut StdRng, query: &str) -> (&'static str, &'static str, String, String) {
    for _ in 0..5 {
        let change = change(random);
        let read = match change.0 {
            "GameEvent" => query.contains("vents(") || query.contains("games("),
            "User" => query.contains("users(") || query.contains("games("),
            "Game" => query.contains("games("),
            _ => query.contains("tags("),
        };
        if read {
            return change;
        }
    }
    change(random)
}

async fn image(app: &App, table: &str, row: &str) -> Option<Json> {
    let sql = format!("SELECT to_json(x) FROM \"{table}\" AS x WHERE {row}");
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let found = app.database.query_one_raw(statement).await.unwrap()?;
    Some(found.try_get_by_index(0).unwrap())
}

/// Whether a line of what is watched tells of a change of a row with this image.
fn meets(line: &str, entity: &str, image: &Json) -> bool {
    let what = line.split_once(' ').map_or("", |(_, what)| what);
    if what == entity {
        return true;
    }
    let Some(rest) = what
        .strip_prefix(entity)
        .and_then(|rest| rest.strip_prefix(' '))
    else {
        return false;
    };
    let text = |value: &Json| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let Some(equalities) = rest.strip_prefix("where ") else {
        return text(&image["id"]) == rest;
    };
    let holds = |equality: &str| {
        let (column, values) = equality.split_once(" = ").unwrap();
        let of_row = text(&image[column]);
        values.split('|').any(|value| of_row == value)
    };
    equalities.split(" and ").all(holds)
}

#[tokio::test]
async fn an_answer_that_changes_had_a_dependency_that_was_hit() {
    let app = App::of(builder().linked("games", GamesOfTeam)).await;
    app.sql("INSERT INTO team VALUES (3, 'green')").await;
    println!("seed {SEED}");
    let mut random = StdRng::seed_from_u64(SEED);
    let (mut different, mut spared) = (0, 0);
    for _ in 0..QUERIES {
        let query = query(&mut random);
        app.sql(ROWS).await;
        let (mut before, mut watched) = app.watched(&query).await;
        for _ in 0..CHANGES {
            assert!(!before.contains("\"errors\""), "{query}\n{before}");
            let (entity, table, row, statement) = change_for(&mut random, &query);
            let old = image(&app, table, &row).await;
            app.sql(&statement).await;
            let new = image(&app, table, &row).await;
            let mut images = old.iter().chain(&new);
            let hit = images.any(|image| watched.iter().any(|line| meets(line, entity, image)));
            let (after, watched_after) = app.watched(&query).await;
            if before != after {
                different += 1;
                assert!(hit, "{query}\n{statement}\n{before}\n{after}\n{watched:#?}");
            }
            spared += usize::from(!hit);
            (before, watched) = (after, watched_after);
        }
    }
    println!("{different} answers changed, {spared} changes met nothing");
    assert!(different > QUERIES && spared > QUERIES);
}
