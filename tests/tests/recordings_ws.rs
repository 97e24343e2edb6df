//! Every conversation that was held with the original, held with the fixture.
//!
//! They are held one after the other with one app on one database, as they were recorded. Those
//! that need a server that dies, a monitor, or minutes, are told by the tests that
//! [`ELSEWHERE`] names.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use blazelink_tests::app::TestApp;
use blazelink_tests::conversation::{Conversation, Outcome};
use blazelink_tests::deviations::Deviations;
use blazelink_tests::recordings;
use serde_json::Value;

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
        "kills.rs::every_client_shows_what_is_stored_after_each_of_twenty_kills_of_the_app",
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

#[tokio::test(flavor = "multi_thread")]
async fn every_conversation_goes_as_recorded_or_as_the_list_says() {
    let app = TestApp::fixture().await;
    let sql = app.sql().await;
    let deviations = Deviations::load();
    let mut wrong = String::new();
    for (name, conversation) in recordings::conversations() {
        if ELSEWHERE.iter().any(|(elsewhere, _)| *elsewhere == name) {
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
async fn two_apps_of_one_database_both_tell_their_clients() {
    let first = TestApp::fixture().await;
    let second = first.fixture_beside().await;
    let mut clients = Vec::new();
    for app in [first.address(), second.address()] {
        let client = blazelink_tests::client::Client::connect(app).await;
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
