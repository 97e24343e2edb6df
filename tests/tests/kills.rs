//! Killed with SIGKILL while the database is written to: the app, after which clients of the
//! original show what is stored although they say nothing when they come back; and clients, after
//! which nobody else has missed anything.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use blazelink::config::SlotMode;
use blazelink_tests::app::{TestApp, catch_up, connect, shooter_server};
use blazelink_tests::browser::{Browser, Shown};
use blazelink_tests::client::Client;
use blazelink_tests::model::View;
use blazelink_tests::rows;
use blazelink_tests::server::Server;
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;

const KILLS: usize = 20;
const BROWSERS: i64 = 8;
const PLAYERS: i64 = 6;
const SEED: u64 = 20_261_125;

/// How long a round may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a browser shows: a player with team and events, a game, and the page of all players.
fn page(player: i64) -> Vec<Shown> {
    let shown = |entity, obj_id, document| Shown {
        entity,
        obj_id,
        document,
    };
    let game = "{ game(identifier: {obj_id: 1}) { name events(page: 0, size: 3) { count } } }";
    let all = "{ users(page: 0, size: 20) { count items { obj_id row { name } } } }";
    vec![
        shown("User", Some(player), View::document(player)),
        shown("Game", Some(1), game.to_owned()),
        shown("User", None, all.to_owned()),
    ]
}

/// A random commit.
fn commit(random: &mut SmallRng, number: usize) -> String {
    let player = random.random_range(1..=PLAYERS);
    match random.random_range(0..6) {
        0 => format!("UPDATE \"user\" SET name = '{number}' WHERE id = {player}"),
        1 => format!("UPDATE team SET name = '{number}' WHERE id = 1"),
        2 => format!("UPDATE game SET name = '{number}' WHERE id = 1"),
        3 => format!(
            "INSERT INTO game_event (kind, game_id, player_id) VALUES ('{number}', 1, {player})"
        ),
        4 => format!("UPDATE game_event SET player_id = {player} WHERE id % 5 = {number} % 5"),
        _ => format!(
            "DELETE FROM game_event WHERE player_id = {player}; \
             UPDATE \"user\" SET name = 'without' WHERE id = {player}"
        ),
    }
}

/// What a kill waits for.
#[derive(Debug)]
enum Moment {
    /// So many commits of the round.
    Commits(usize),
    /// So many updates that browsers of the round were sent; if there are fewer, all commits.
    Updates(usize),
}

impl Moment {
    fn random(random: &mut SmallRng, commits: usize) -> Moment {
        match random.random_range(0..3) {
            0 => Moment::Updates(random.random_range(1..4 * commits)),
            _ => Moment::Commits(random.random_range(1..=commits)),
        }
    }

    async fn reached(&self, mut commits: watch::Receiver<usize>, updates: &watch::Sender<usize>) {
        let mut updates = updates.subscribe();
        match *self {
            Moment::Commits(count) => {
                // An error means that the writer has ended, so all of them are committed.
                let _ = commits.wait_for(|done| *done >= count).await;
            }
            Moment::Updates(count) => tokio::select! {
                _ = updates.wait_for(|sent| *sent >= count) => {}
                () = async { while commits.changed().await.is_ok() {} } => {}
            },
        }
    }
}

/// Commits one after the other, and counts.
async fn write(url: String, statements: Vec<String>, committed: watch::Sender<usize>) {
    let sql = connect(&url).await;
    for statement in statements {
        let done = sql.batch_execute(&statement).await;
        done.expect("the statement is sound");
        committed.send_modify(|count| *count += 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_client_shows_what_is_stored_after_each_of_twenty_kills_of_the_app() {
    println!("seed {SEED}");
    let mut random = SmallRng::seed_from_u64(SEED);
    let database = shooter_server().await;
    let sql = connect(database.url()).await;
    rows::players(&sql, PLAYERS as usize).await;
    rows::game(&sql).await;
    let state = tempfile::tempdir().expect("a folder can be made");
    let start = async || {
        let program = Path::new(env!("CARGO_BIN_EXE_bench"));
        Server::start_program(program, &database, SlotMode::Durable, state.path()).await
    };

    let mut server = start().await;
    let address = watch::Sender::new(server.address());
    let mut browsers = Vec::new();
    for browser in 0..BROWSERS {
        let page = page(1 + browser % PLAYERS);
        browsers.push(Browser::open(server.address(), page).await);
    }
    let mut number = 0;
    for kill in 0..KILLS {
        // One page is closed for good, and another one opened.
        let player = random.random_range(1..=PLAYERS);
        browsers.swap_remove(random.random_range(0..browsers.len()));
        browsers.push(Browser::open(server.address(), page(player)).await);

        let commits = random.random_range(1..60);
        let moment = Moment::random(&mut random, commits);
        let first = number;
        number += commits;
        let statements = (first..number).map(|number| commit(&mut random, number));
        let statements: Vec<String> = statements.collect();

        let settle = watch::Sender::new(false);
        let updates = watch::Sender::new(0);
        let mut following = JoinSet::new();
        for mut browser in browsers.drain(..) {
            let (address, settle) = (address.subscribe(), settle.subscribe());
            let updates = updates.clone();
            following.spawn(async move {
                browser.follow(address, settle, &updates).await;
                browser
            });
        }
        let (committed, progress) = watch::channel(0);
        let writing = tokio::spawn(write(database.url().to_owned(), statements, committed));
        let round = async {
            moment.reached(progress, &updates).await;
            server.kill().await;
            server = start().await;
            address.send_replace(server.address());
            writing.await.expect("the writer ends");
            catch_up(server.address(), &sql).await;
            settle.send_replace(true);
            following.join_all().await
        };
        let round = tokio::time::timeout(PATIENCE, round).await;
        browsers = round.unwrap_or_else(|_| panic!("seed {SEED}: kill {kill} ended the round"));
        for (index, browser) in browsers.iter().enumerate() {
            let stale = browser.stale(server.address()).await;
            assert_eq!(
                stale, None,
                "seed {SEED}, kill {kill} at {moment:?} of {commits}: browser {index} shows the \
                 first and the second is stored"
            );
        }
    }
    let told: usize = browsers.iter().map(Browser::told).sum();
    println!("{KILLS} kills, {number} commits, {told} updates");
    server.kill().await;
}

/// The victims' player, whom half of the others watch as well.
const VICTIM: i64 = 1;

/// A client in a process of its own that watches [`VICTIM`].
async fn victim(address: SocketAddr) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_watcher"))
        .args([address.to_string(), VICTIM.to_string()])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program was built with the test");
    let stdout = child.stdout.take().expect("it is piped");
    let mut lines = BufReader::new(stdout).lines();
    assert_eq!(line(&mut lines).await, "watching");
    (child, lines)
}

async fn line(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    let line = lines.next_line().await.expect("the pipe is open");
    line.expect("the client lives until it is killed")
}

/// Every name of a player that a client is told until the last one.
async fn names(mut client: Client) -> Vec<String> {
    let mut names = Vec::new();
    loop {
        let frame = client.frame().await;
        client.confirm(&frame).await;
        let name = frame["data"]["changes"]["name"].as_str();
        match name.expect("the player's row is told") {
            "last" => return names,
            name => names.push(name.to_owned()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_misses_an_update_when_clients_are_killed_and_their_sockets_are_given_back() {
    println!("seed {SEED}");
    let mut random = SmallRng::seed_from_u64(SEED);
    let app = TestApp::start().await;
    let sql = app.sql().await;
    rows::players(&sql, 2).await;
    app.catch_up().await;
    let mut others = JoinSet::new();
    for other in 0..BROWSERS {
        let player = 1 + other % 2;
        let client = Client::connect(app.address()).await;
        let document = format!("{{ user(identifier: {{obj_id: {player}}}) {{ name }} }}");
        client.read(&document).await;
        others.spawn(async move { (player, names(client).await) });
    }

    let mut committed: Vec<(i64, String)> = Vec::new();
    for kill in 0..KILLS {
        let (mut child, mut lines) = victim(app.address()).await;
        let players: Vec<i64> = (0..random.random_range(2..60))
            .map(|_| random.random_range(1..=2))
            .collect();
        let names = (committed.len()..).map(|number| number.to_string());
        let renames: Vec<(i64, String)> = players.into_iter().zip(names).collect();
        let of_victim = renames.iter().filter(|(player, _)| *player == VICTIM);
        let told = random.random_range(0..=of_victim.count());

        let statements = renames.iter().map(|(player, name)| {
            format!("UPDATE \"user\" SET name = '{name}' WHERE id = {player}")
        });
        let (progress, _) = watch::channel(0);
        let url = app.database().url().to_owned();
        let writing = tokio::spawn(write(url, statements.collect(), progress));
        for _ in 0..told {
            line(&mut lines).await;
        }
        child.kill().await.expect("the client is ours");
        println!("kill {kill} after {told} updates");
        writing.await.expect("the writer ends");
        committed.extend(renames);
        let given_back = async {
            while app.app().connections().sockets() > BROWSERS as usize {
                tokio::task::yield_now().await;
            }
        };
        let given_back = tokio::time::timeout(PATIENCE, given_back).await;
        given_back.unwrap_or_else(|_| panic!("seed {SEED}, kill {kill}: a dead socket is kept"));
    }
    sql.batch_execute("UPDATE \"user\" SET name = 'last'")
        .await
        .expect("the players are there");
    while let Some(heard) = others.join_next().await {
        let (player, heard) = heard.expect("the client hears of the last name");
        let of_player = committed.iter().filter(|(of, _)| *of == player);
        let expected: Vec<String> = of_player.map(|(_, name)| name.clone()).collect();
        assert_eq!(heard, expected, "seed {SEED}, player {player}");
    }
    app.stop().await;
}
