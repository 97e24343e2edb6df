//! Clients that confirm or read nothing, beside a hundred that do: nobody notices, and what the
//! server keeps for them is bounded.

use std::collections::HashMap;

use blazelink::codes::limits;
use blazelink_tests::app::TestApp;
use blazelink_tests::client::Client;
use blazelink_tests::raw::Raw;
use blazelink_tests::{memory, rows};
use tokio::task::JoinSet;

/// Good clients, each of which watches a player of its own.
const GOOD: usize = 100;

/// Commits, of which every other one renames all players and the rest one each: 101,000 changes.
const COMMITS: usize = 2_000;

/// Bytes that make a name long: all changes together weigh far more than [`MEMORY`].
const PADDING: usize = 1_500;

/// Bytes by which the process may grow, clients and test included: the change bus, two outboxes,
/// and for what lies in buffers and for what the allocator keeps six times as much as those.
const MEMORY: usize = limits::BUS_BYTES + 8 * limits::OUTBOX_BYTES;

/// The one player that a commit renames; nobody if it renames all.
fn renamed(commit: usize) -> Option<usize> {
    (commit % 2 == 1).then_some(1 + commit / 2 % GOOD)
}

/// The numbers of the commits that rename a player.
fn expected(player: usize) -> Vec<usize> {
    let renames = |&commit: &usize| renamed(commit).is_none_or(|one| one == player);
    (0..COMMITS).filter(renames).collect()
}

/// What a client that watches so many players is told of each, until the last name of all of them:
/// the numbers of the names in their order.
async fn numbers(
    client: &mut Client,
    players: usize,
    confirms: bool,
) -> HashMap<usize, Vec<usize>> {
    let mut numbers: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut ended = 0;
    while ended < players {
        let frame = client.frame().await;
        if confirms {
            client.confirm(&frame).await;
        }
        let data = &frame["data"];
        let name = data["changes"]["name"].as_str().expect("rows are told");
        let number = name.split(' ').next().unwrap_or_default();
        if number == "last" {
            ended += 1;
            continue;
        }
        let player = data["identifier"]["obj_id"].as_u64().expect("a row") as usize;
        let number = number.parse().expect("a name begins with its number");
        numbers.entry(player).or_default().push(number);
    }
    numbers
}

/// A document that reads these players.
fn read(players: impl Iterator<Item = usize>) -> String {
    let reads = players
        .map(|player| format!("p{player}: user(identifier: {{obj_id: {player}}}) {{ name }} "));
    format!("{{ {} }}", reads.collect::<String>())
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_clients_cost_the_others_no_update_and_the_server_little_memory() {
    let app = TestApp::start().await;
    let sql = app.sql().await;
    rows::players(&sql, GOOD).await;
    app.catch_up().await;

    // One reads nothing at all, one reads and never confirms; both watch every player.
    let reader = Client::without_socket(app.address());
    reader.read(&read(1..=GOOD)).await;
    let deaf = Raw::websocket(app.address(), reader.session()).await;
    let mut silent = Client::connect(app.address()).await;
    silent.read(&read(1..=GOOD)).await;
    let silent = tokio::spawn(async move { numbers(&mut silent, GOOD, false).await });
    let mut good = JoinSet::new();
    for player in 1..=GOOD {
        let mut client = Client::connect(app.address()).await;
        client.read(&read(std::iter::once(player))).await;
        good.spawn(async move { (player, numbers(&mut client, 1, true).await) });
    }

    let before = memory::resident();
    memory::forget_peak();
    let name = format!("' || repeat('x', {PADDING})");
    for commit in 0..COMMITS {
        let whom = renamed(commit).map_or("true".to_owned(), |player| format!("id = {player}"));
        let rename = format!("UPDATE \"user\" SET name = '{commit} {name} WHERE {whom}");
        sql.batch_execute(&rename).await.expect("there are players");
        for session in app.app().connections().all() {
            assert!(session.outbox_bytes() <= limits::OUTBOX_BYTES);
        }
    }
    sql.batch_execute("UPDATE \"user\" SET name = 'last'")
        .await
        .expect("there are players");

    while let Some(heard) = good.join_next().await {
        let (player, heard) = heard.expect("the client hears of the last name");
        assert_eq!(heard, HashMap::from([(player, expected(player))]));
    }
    let heard = silent.await.expect("the client hears of the last name");
    // It watches so much that names may merge while it is behind, but never change their order.
    assert_eq!(heard.len(), GOOD);
    assert!(heard.values().all(|numbers| numbers.is_sorted()));
    let grown = memory::peak().saturating_sub(before);
    println!("grown by {grown} bytes");
    assert!(grown <= MEMORY, "grown by {grown} bytes");
    drop(deaf);
    app.stop().await;
}
