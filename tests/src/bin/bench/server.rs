//! The shooter as a process of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use blazelink_postgres::TestDatabase;
use blazelink_tests::app::{catch_up, connect};

use crate::process::Process;

/// The argument with which the benchmark starts itself as the server.
pub(crate) const COMMAND: &str = "serve";

/// What `bench serve` does.
pub(crate) fn run() -> ExitCode {
    blazelink::run(shooter::app)
}

/// A running server; killed when dropped.
pub(crate) struct Server {
    process: Process,
    address: SocketAddr,
}

impl Server {
    /// Starts the shooter on this database with a temporary slot and a free port, and waits until
    /// it follows the log.
    pub(crate) async fn start(database: &TestDatabase) -> Server {
        Server::start_keeping(database, Path::new("")).await
    }

    /// The same with this state folder; with none, if the path is empty.
    pub(crate) async fn start_keeping(database: &TestDatabase, state: &Path) -> Server {
        let shooter = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/shooter");
        let mut command = Process::command(&[COMMAND]);
        command
            .current_dir(shooter)
            .env("DATABASE_URL", database.url())
            .env("BLAZELINK_ENV", "development")
            .env("BLAZELINK_SLOT", "temporary")
            .env("BLAZELINK_PORT", "0")
            .env("BLAZELINK_STATE", state)
            .env("BLAZELINK_EVENTS", "/dev/stdout")
            .env("RUST_LOG", "warn");
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
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Bytes of memory that it takes now.
    pub(crate) fn resident(&self) -> usize {
        self.process.resident()
    }

    /// Processor time that it has taken.
    pub(crate) fn processor_time(&self) -> Duration {
        self.process.processor_time()
    }

    /// Stops it.
    pub(crate) async fn stop(self) {
        self.process.stop().await;
    }
}
