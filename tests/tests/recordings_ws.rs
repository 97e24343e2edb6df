//! Every conversation that was held with the original, held with the fixture.
//!
//! They are held one after the other with one app on one database, as they were recorded. Those
//! that need a server that dies, a monitor, or minutes, are told by the tests that
//! [`ELSEWHERE`] names.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use blazelink::config::Config;
use blazelink_tests::app::TestApp;
use blazelink_tests::client::{Client, tells_of};
use blazelink_tests::conversation::{Conversation, Outcome};
use blazelink_tests::deviations::Deviations;
use blazelink_tests::project::FIXTURE;
use blazelink_tests::recordings;
use serde_json::{Value, json};

/// Recordings whose story another test tells, and which.
const ELSEWHERE: [(&str, &str); 9] = [
    (
        "ws-47",
        "monitor.rs::a_monitor_follows_a_subscription_and_each_change_to_its_message",
    ),
    (
        "ws-48",
        "monitor.rs::a_monitor_that_leaves_changes_nothing_for_others",
    ),
    (
        "ws-50",
        "recordings_ws.rs::a_client_that_was_told_a_part_of_a_commit_hears_of_all_after_a_crash",
    ),
    (
        "ws-51",
        "journal.rs::a_silent_client_hears_of_what_it_watches_after_a_stop",
    ),
    (
        "ws-52",
        "restarts.rs::every_client_ends_with_what_is_stored_over_twenty_crashes_with_either_slot",
    ),
    (
        "ws-53",
        "recordings_ws.rs::two_apps_of_one_database_both_tell_their_clients",
    ),
    (
        "ws-54",
        "../../blazelink-framework/tests/replication/decoding.rs::rows_of_partitions_are_the_tables_own",
    ),
    (
        "ws-55",
        "defects/growth.rs::more_requests_at_once_than_connections_to_the_database_are_all_answered",
    ),
    (
        "ws-56",
        "heavy_input.rs::the_deepest_and_longest_requests_are_answered_within_bounded_memory",
    ),
];

fn is_elsewhere(name: &str) -> bool {
    ELSEWHERE.iter().any(|(elsewhere, _)| *elsewhere == name)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_conversation_goes_as_recorded_or_as_the_list_says() {
    let app = TestApp::fixture().await;
    let sql = app.sql().await;
    let deviations = Deviations::load();
    let mut wrong = String::new();
    for (name, conversation) in recordings::conversations() {
        if is_elsewhere(&name) {
            continue;
        }
        let held = conversation.held(app.address(), &sql).await;
        compare(&name, &conversation, &held, &deviations, &mut wrong);
    }
    app.stop().await;
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn compare(
    name: &str,
    conversation: &Conversation,
    held: &Outcome,
    deviations: &Deviations,
    wrong: &mut String,
) {
    let recorded = conversation.recorded();
    let mut differs = |what: &str, found: String| {
        let scenario = &conversation.scenario;
        let _ = writeln!(wrong, "{name}, {scenario}\n  {what}: {found}");
    };
    for (&step, recorded) in &recorded.answers {
        let answer = &held.answers[&step];
        let listed = deviations.answer(name, Some(step), recorded);
        if listed.is_some() && answer.is_like(recorded) {
            differs("as recorded, and listed", format!("answer of step {step}"));
        } else if !answer.is_like(listed.as_ref().unwrap_or(recorded)) {
            differs("otherwise", format!("step {step} is answered {answer:?}"));
        }
    }

    let listed = deviations.frames(name);
    let nothing = Vec::new();
    let keys = recorded.frames.keys().chain(held.frames.keys());
    for key in keys.chain(listed.keys()).collect::<BTreeSet<_>>() {
        let recorded = recorded.frames.get(key).unwrap_or(&nothing);
        let heard = held.frames.get(key).unwrap_or(&nothing);
        let (step, who) = key;
        let found = || {
            let frames: Vec<String> = heard.iter().map(Value::to_string).collect();
            format!("step {step}, {who} hears {frames:#?}")
        };
        match listed.get(key) {
            Some(_) if heard == recorded => differs("as recorded, and listed", found()),
            Some(expected) if heard != expected => differs("not as listed", found()),
            None if heard != recorded => differs("otherwise", found()),
            _ => {}
        }
    }

    let listed: BTreeMap<usize, Option<u16>> = deviations.ends(name);
    for (step, recorded) in &recorded.ends {
        let end = &held.ends[step];
        let found = || format!("the socket of step {step} has ended with {end:?}");
        match listed.get(step) {
            Some(_) if end == recorded => differs("as recorded, and listed", found()),
            Some(expected) if end != expected => differs("not as listed", found()),
            None if end != recorded => differs("otherwise", found()),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_was_told_a_part_of_a_commit_hears_of_all_after_a_crash() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let keeping = |config: &mut Config| config.state = Some(folder.path().to_owned());
    let app = TestApp::of(&FIXTURE, FIXTURE.database().await, keeping).await;
    let mut client = Client::connect(app.address()).await;
    client
        .read("{ game(identifier: {obj_id: 1, dependencies: [{entity: \"GameEvent\"}]}) { id } }")
        .await;
    let sql = app.sql().await;
    let rows = "INSERT INTO gameevent (type, player_id, game_id) \
                SELECT 'kill', 1, 1 FROM generate_series(1, 1000)";
    sql.batch_execute(rows).await.expect("the player is there");
    for _ in 0..69 {
        let frame = client.frame().await;
        client.confirm(&frame).await;
    }

    drop(sql);
    let app = TestApp::of(&FIXTURE, app.abandon(), keeping).await;
    client.move_to(app.address());
    client.open().await;
    let told = client.frames_so_far().await;
    assert_eq!(told.len(), 2, "{told:?}");
    for (entity, key) in [("Game", json!(1)), ("GameEvent", Value::Null)] {
        let frame = told.iter().find(|it| tells_of(it, entity, key.clone()));
        let frame = frame.expect("what it watches is to be read again");
        assert_eq!(frame["data"]["update_type"], "Update");
    }

    let sql = app.sql().await;
    let row = "INSERT INTO gameevent (id, type, player_id, game_id) VALUES (5000, 'kill', 1, 1)";
    sql.batch_execute(row).await.expect("the player is there");
    let before = client.frames_until(|frame| tells_of(frame, "GameEvent", 5000));
    assert_eq!(before.await, Vec::<Value>::new());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_apps_of_one_database_both_tell_their_clients() {
    let first = TestApp::fixture().await;
    let second = first.fixture_beside().await;
    let mut clients = Vec::new();
    for app in [first.address(), second.address()] {
        let client = Client::connect(app).await;
        client
            .read("{ team(identifier: {obj_id: 1}) { name } }")
            .await;
        clients.push(client);
    }
    let sql = first.sql().await;
    let rename = "UPDATE team SET name = 'both' WHERE id = 1";
    sql.batch_execute(rename).await.expect("the team is there");
    for client in &mut clients {
        assert_eq!(client.frame().await["data"]["changes"]["name"], "both");
    }
    second.stop().await;
    first.stop().await;
}

#[test]
fn every_entry_of_the_list_is_of_a_step_that_is_compared() {
    let conversations = recordings::conversations().into_iter();
    let held: BTreeMap<String, Outcome> = conversations
        .filter(|(name, _)| !is_elsewhere(name))
        .map(|(name, conversation)| (name, conversation.recorded()))
        .collect();
    let recorded = |name: &str| {
        let outcome = held.get(name);
        outcome.unwrap_or_else(|| panic!("{name} is listed, and not held here"))
    };
    for deviation in Deviations::load().deviations {
        for frames in &deviation.frames {
            recorded(&frames.recording);
        }
        let answers = deviation.answers.iter();
        for answer in answers.filter(|answer| answer.recording.starts_with("ws-")) {
            let answers = &recorded(&answer.recording).answers;
            let compared = answer.step.is_some_and(|step| answers.contains_key(&step));
            assert!(compared, "{answer:?} is of no answer");
        }
        for close in &deviation.close {
            let compared = recorded(&close.recording).ends.contains_key(&close.step);
            assert!(compared, "{close:?} is of no socket's end");
        }
    }
}

#[test]
fn every_conversation_is_held_here_or_told_by_a_test() {
    let all: BTreeSet<String> = recordings::names()
        .iter()
        .map(|file| recordings::short(file).to_owned())
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for (recording, test) in ELSEWHERE {
        assert!(all.contains(recording), "no recording {recording}");
        let (file, name) = test.split_once("::").expect("a file and a test");
        let text = std::fs::read_to_string(folder.join(file)).expect("the file is there");
        assert!(text.contains(&format!("fn {name}(")), "{test} is not there");
    }
}
