//! The shooter as a process of its own: its memory and its processor time are its own, and it can
//! be killed.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use blazelink::config::SlotMode;
use blazelink_postgres::TestDatabase;

use crate::app::{catch_up, connect};
use crate::process::Process;

/// The argument with which the benchmarks' program is the server.
pub const COMMAND: &str = "serve";

/// What `bench serve` does.
pub fn run() -> ExitCode {
    blazelink::run(shooter::app)
}

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct Server {
    process: Process,
    address: SocketAddr,
}

impl Server {
    /// Starts this program as the shooter on this database, with a temporary slot and a free port,
    /// and waits until it follows the log. For the benchmarks' program only.
    pub async fn start(database: &TestDatabase) -> Server {
        Server::start_keeping(database, Path::new("")).await
    }

    /// The same with this state folder; with none, if the path is empty.
    pub async fn start_keeping(database: &TestDatabase, state: &Path) -> Server {
        let itself = std::env::current_exe().expect("a program has a path");
        Server::start_program(&itself, database, SlotMode::Temporary, state).await
    }

    /// The same without one, and with these variables.
    pub async fn start_with(database: &TestDatabase, variables: &[(&str, &str)]) -> Server {
        let itself = std::env::current_exe().expect("a program has a path");
        let nowhere = Path::new("");
        Server::launch(&itself, database, SlotMode::Temporary, nowhere, variables).await
    }

    /// Starts the benchmarks' program, which is there, as the shooter.
    pub async fn start_program(
        program: &Path,
        database: &TestDatabase,
        slot: SlotMode,
        state: &Path,
    ) -> Server {
        Server::launch(program, database, slot, state, &[]).await
    }

    async fn launch(
        program: &Path,
        database: &TestDatabase,
        slot: SlotMode,
        state: &Path,
        variables: &[(&str, &str)],
    ) -> Server {
        let slot = match slot {
            SlotMode::Temporary => "temporary",
            SlotMode::Durable => "durable",
        };
        let shooter = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/shooter");
        let mut command = Process::command(program, &[COMMAND]);
        command
            .current_dir(shooter)
            .env("DATABASE_URL", database.url())
            .env("BLAZELINK_ENV", "development")
            .env("BLAZELINK_PORT", "0")
            .env("BLAZELINK_SLOT", slot)
            .env("BLAZELINK_STATE", state)
            .env("BLAZELINK_EVENTS", "/dev/stdout")
            .env("RUST_LOG", "warn")
            .envs(variables.iter().copied());
        let mut process = Process::start(command);
        let line = process.line().await;
        let event: serde_json::Value = serde_json::from_str(&line).expect("events are JSON");
        let url = event["url"].as_str().expect("the event names the address");
        let address = url
            .trim_start_matches("http://")
            .parse()
            .expect("it is an address");
        catch_up(address, &connect(database.url()).await).await;
        Server { process, address }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Bytes of memory that it takes now.
    pub fn resident(&self) -> usize {
        self.process.resident()
    }

    /// Processor time that it has taken.
    pub fn processor_time(&self) -> Duration {
        self.process.processor_time()
    }

    /// Kills it with SIGKILL, and waits until it is gone.
    pub async fn kill(&mut self) {
        self.process.kill().await;
    }
}
