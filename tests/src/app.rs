//! An app, running in the test's process on a database of its own.

use std::net::SocketAddr;

use blazelink::config::{Config, Environment, SlotMode};
use blazelink::{Blazelink, Builder};
use blazelink_postgres::TestDatabase;
use serde_json::json;

use crate::client::{Client, tells_of};
use crate::project::{FIXTURE, Project, SHOOTER};

/// A running app and its database. Everything ends when it is dropped; [`TestApp::stop`] waits.
#[derive(Debug)]
pub struct TestApp {
    database: TestDatabase,
    app: blazelink::App,
}

impl TestApp {
    /// The shooter on a fresh, migrated, empty database, on a free port, following the log.
    pub async fn start() -> TestApp {
        TestApp::start_on(shooter_database().await, |_| {}).await
    }

    /// The same on this database, with other settings.
    pub async fn start_on(database: TestDatabase, change: impl FnOnce(&mut Config)) -> TestApp {
        TestApp::of(&SHOOTER, database, change).await
    }

    /// The same, and the app declares more.
    pub async fn start_declared(
        database: TestDatabase,
        change: impl FnOnce(&mut Config),
        declare: impl FnOnce(Builder) -> Builder,
    ) -> TestApp {
        TestApp::declared(&SHOOTER, database, change, declare).await
    }

    /// The fixture on a fresh database with the rows that the recordings began with.
    pub async fn fixture() -> TestApp {
        TestApp::of(&FIXTURE, FIXTURE.database().await, |_| {}).await
    }

    /// A project's app on this database, with other settings.
    pub async fn of(
        project: &Project,
        database: TestDatabase,
        change: impl FnOnce(&mut Config),
    ) -> TestApp {
        TestApp::declared(project, database, change, |blaze| blaze).await
    }

    async fn declared(
        project: &Project,
        database: TestDatabase,
        change: impl FnOnce(&mut Config),
        declare: impl FnOnce(Builder) -> Builder,
    ) -> TestApp {
        let app = launch(project, database.url(), change, declare).await;
        TestApp { database, app }
    }

    /// The fixture once more, on the database of this one.
    pub async fn fixture_beside(&self) -> blazelink::App {
        launch(&FIXTURE, self.database.url(), |_| {}, |blaze| blaze).await
    }

    /// Where the app listens.
    pub fn address(&self) -> SocketAddr {
        self.app.address()
    }

    /// The app.
    pub fn app(&self) -> &blazelink::App {
        &self.app
    }

    /// The app's database.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// An ordinary connection to the app's database, as psql would have it.
    pub async fn sql(&self) -> tokio_postgres::Client {
        connect(self.database.url()).await
    }

    /// See [`catch_up`].
    pub async fn catch_up(&self) {
        catch_up(self.address(), &self.sql().await).await;
    }

    /// Stops the app and waits for it. The database ends with what is returned.
    pub async fn stop(self) -> TestDatabase {
        self.app.stop().await;
        self.database
    }

    /// Drops the app without stopping it.
    pub fn abandon(self) -> TestDatabase {
        self.database
    }
}

async fn launch(
    project: &Project,
    url: &str,
    change: impl FnOnce(&mut Config),
    declare: impl FnOnce(Builder) -> Builder,
) -> blazelink::App {
    let mut config = Config::new(project.name, url);
    config.slot = SlotMode::Temporary;
    config.environment = Environment::Development;
    config.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.folder = project.folder.into();
    change(&mut config);
    let app = declare((project.declare)(Blazelink::builder()))
        .start(config)
        .await
        .expect("the app starts on a migrated database");
    app.live().await;
    app
}

/// Waits until the app at `address`, which has games, has handed on everything that is committed now. A client
/// that subscribes afterwards is told of nothing that it has read already.
pub async fn catch_up(address: SocketAddr, sql: &tokio_postgres::Client) {
    let mut probe = Client::connect(address).await;
    let id = rand::random_range(2_000_000..i32::MAX);
    let document = format!("{{ game(identifier: {{obj_id: {id}}}) {{ id }} }}");
    let (_, answer) = probe.ask(&document, json!({})).await;
    assert!(
        answer["data"]["game"].is_null(),
        "the probe watches a row that is not there"
    );
    for statement in [
        "INSERT INTO game (id, name) VALUES ($1, 'probe')",
        "DELETE FROM game WHERE id = $1",
    ] {
        sql.execute(statement, &[&id])
            .await
            .expect("nobody else uses the row");
        assert!(tells_of(&probe.frame().await, "Game", id));
    }
}

/// A database with the shooter's tables, no rows, and no slot.
pub async fn shooter_database() -> TestDatabase {
    SHOOTER.database().await
}

/// The same on a server of its own, for a test that kills it or changes its settings; with the
/// durable slot that the migrations make.
pub async fn shooter_server() -> TestDatabase {
    SHOOTER.server().await
}

/// An ordinary connection, or nothing while the server does not accept one.
pub async fn connect_once(url: &str) -> Option<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .ok()?;
    tokio::spawn(connection);
    Some(client)
}

/// An ordinary connection; its driver runs until the client is dropped.
pub async fn connect(url: &str) -> tokio_postgres::Client {
    connect_once(url)
        .await
        .expect("the private Postgres accepts connections")
}
