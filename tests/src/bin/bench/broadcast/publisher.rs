//! A publisher of changes as a process of its own, and what the benchmark tells it.
//!
//! The process prints its address, waits until every client of the scene is there, and then reads
//! from its input how many changes it is to publish. It publishes them one after the other from a
//! thread of its own, as Blazelink's replication thread does, without a database: a change is
//! the same `Transaction` for whoever tells it.

use std::io::BufRead;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::blazelink::change::Transaction;

use super::crowd::Crowd;
use super::{baseline, blazelink, plain};
use crate::commits;
use blazelink_tests::process::Process;

/// The argument with which the benchmark starts itself as a publisher.
pub(crate) const COMMAND: &str = "publish";

/// Between the numbers of the players that are renamed one after the other: coprime to the
/// numbers of players and clients, so that changes come from all over and take the clients in
/// turn.
const STRIDE: usize = 7_919;

/// Who tells the clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// Blazelink, from the subscription index to the websocket.
    Blazelink,
    /// The least on the same libraries; see `baseline`.
    Baseline,
    /// Bytes written to plain sockets; see `plain`.
    Plain,
}

/// Who watches what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene {
    /// Clients, numbered from 0, each with a socket.
    pub(crate) clients: usize,
    /// Players, numbered from 0. A single one is watched by every client; of many, each is
    /// watched by one client, and each client watches as many.
    pub(crate) players: usize,
}

impl Scene {
    /// The players that a client watches.
    pub(super) fn watched_by(self, client: usize) -> impl Iterator<Item = usize> {
        let first = if self.players == 1 { 0 } else { client };
        (first..self.players).step_by(self.clients)
    }

    /// Messages that a change becomes.
    fn messages(self) -> usize {
        if self.players == 1 { self.clients } else { 1 }
    }
}

/// Hands each change of the benchmark to `publish` and calls `pause` when it waits for the next
/// order. Returns when the benchmark ends.
pub(super) fn obey(
    scene: Scene,
    mut publish: impl FnMut(&Arc<Transaction>),
    mut pause: impl FnMut(),
) {
    let mut at = 0;
    for order in std::io::stdin().lock().lines().map_while(Result::ok) {
        let changes: usize = order.parse().expect("orders are numbers");
        for _ in 0..changes {
            at += 1;
            let player = at * STRIDE % scene.players;
            let renamed = commits::rename(player, &format!("player {at:09}"));
            publish(&Arc::new(renamed));
        }
        pause();
    }
}

/// Tells the benchmark where to connect.
pub(super) fn say_address(address: SocketAddr) {
    println!("{address}");
}

/// What `bench publish WHO CLIENTS PLAYERS` does.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let [how, clients, players] = arguments else {
        eprintln!("publish takes who tells, the number of clients and of players");
        return ExitCode::FAILURE;
    };
    let number = |text: &String| text.parse().expect("counts are numbers");
    let scene = Scene {
        clients: number(clients),
        players: number(players),
    };
    match how.as_str() {
        "blazelink" => blazelink::run(scene),
        "baseline" => baseline::run(scene),
        _ => plain::run(scene),
    }
    ExitCode::SUCCESS
}

/// A publisher with its clients, which are in this process.
pub(crate) struct Publisher {
    scene: Scene,
    process: Process,
    crowd: Crowd,
}

/// What some changes have cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// Messages per second, from the order to the last client.
    pub(crate) rate: f64,
    /// Microseconds of the publisher's processor time per message.
    pub(crate) processor: f64,
}

impl Publisher {
    /// Starts a publisher and connects its clients.
    pub(crate) async fn start(how: How, scene: Scene) -> Publisher {
        let who = match how {
            How::Blazelink => "blazelink",
            How::Baseline => "baseline",
            How::Plain => "plain",
        };
        let (clients, players) = (scene.clients.to_string(), scene.players.to_string());
        let command = Process::itself(&[COMMAND, who, &clients, &players]);
        let mut process = Process::start(command);
        let address = process.line().await.parse().expect("it prints its address");
        let crowd = Crowd::join(address, scene.clients, how == How::Plain).await;
        Publisher {
            scene,
            process,
            crowd,
        }
    }

    /// Has `orders` times `changes` changes published, each order when every client has what the
    /// one before it told.
    pub(crate) async fn publish(&mut self, orders: usize, changes: usize) -> Cost {
        let messages = changes * self.scene.messages();
        let before = self.process.processor_time();
        let begun = Instant::now();
        for _ in 0..orders {
            self.crowd.expect(messages);
            self.process.tell(&changes.to_string()).await;
            self.crowd.heard().await;
        }
        let took = begun.elapsed();
        let processor = self.process.processor_time() - before;
        let all = (orders * messages) as f64;
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        Cost {
            rate: all / took.as_secs_f64(),
            processor: micros(processor) / all,
        }
    }

    /// Stops it.
    pub(crate) async fn stop(mut self) {
        self.process.kill().await;
    }
}
