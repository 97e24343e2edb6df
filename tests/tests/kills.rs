//! The app killed with SIGKILL while the database is written to: what clients of the original show
//! is what is stored, although they say nothing when they come back.

use std::path::Path;
use std::time::Duration;

use blazelink::config::SlotMode;
use blazelink_tests::app::{catch_up, connect, shooter_server};
use blazelink_tests::browser::{Browser, Shown};
use blazelink_tests::model::View;
use blazelink_tests::rows;
use blazelink_tests::server::Server;
use rand::{RngExt, SeedableRng, rngs::SmallRng};
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
