//! What Prometheus reads of an app, where it is served, and that it is what happened. Built with the
//! features `metrics` and `test`.
#![allow(clippy::unwrap_used, unreachable_pub)]

use std::net::SocketAddr;

use blazelink::config::MetricsAt;
use blazelink::test::{TestApp, TestResult, TestSetup};
use blazelink::{Access, Builder};
use blazelink_migrations::{PublicationMigration, publish};
use sea_orm::{ActiveModelTrait, Set};
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{pk_auto, string};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

mod player {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "player")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub name: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

struct Players;

impl MigrationName for Players {
    fn name(&self) -> &'static str {
        "players"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Players {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create();
        table.table("player").col(pk_auto("id")).col(string("name"));
        manager.create_table(table).await?;
        publish(manager, "player").await
    }
}

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(PublicationMigration), Box::new(Players)]
    }
}

fn app(blaze: Builder) -> Builder {
    blaze
        .table::<player::Entity>()
        .visible::<player::Entity>(|_| Access::all())
}

fn metered(at: MetricsAt) -> TestSetup<fn(Builder) -> Builder, Migrator> {
    let setup = TestApp::setup(app as fn(Builder) -> Builder, Migrator);
    setup.config(move |config| config.metrics = Some(at))
}

/// Status and text of what is answered to a GET by this name.
async fn get(address: SocketAddr, host: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let asked = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

/// The value of a metric.
fn value(text: &str, metric: &str) -> f64 {
    let mut lines = text.lines().filter_map(|line| line.rsplit_once(' '));
    let found = lines.find(|(name, _)| *name == metric);
    found
        .unwrap_or_else(|| panic!("no {metric} in\n{text}"))
        .1
        .parse()
        .unwrap()
}

#[tokio::test]
async fn what_happens_is_counted_and_sizes_are_those_of_the_moment() -> TestResult {
    let app = metered(MetricsAt::App).start().await?;
    let host = app.address().to_string();
    let mut client = app.client().await?;
    client
        .live("{ players { items { row { name } } } }")
        .await?;
    let (_, before) = get(app.address(), &host, "/metrics").await;
    for name in ["Ada", "Grace"] {
        let player = player::ActiveModel {
            name: Set(name.to_owned()),
            ..Default::default()
        };
        player.insert(app.db()).await?;
    }
    app.settled().await?;
    assert_eq!(client.updates().len(), 2);
    let (status, after) = get(app.address(), &host, "/metrics").await;
    assert_eq!(status, 200, "{after}");
    assert!(after.contains("text/plain; version=0.0.4"), "{after}");
    let grown = |metric: &str| value(&after, metric) - value(&before, metric);
    assert_eq!(grown("blazelink_notices_total"), 2.0);
    assert_eq!(grown("blazelink_changes_total"), 2.0);
    assert!(grown("blazelink_commits_total") >= 2.0);
    assert!(grown("blazelink_gate_wait_seconds_count") >= 1.0);
    assert_eq!(grown("blazelink_outbox_overflows_total"), 0.0);
    for (metric, now) in [
        ("blazelink_sessions", 1.0),
        ("blazelink_sockets", 1.0),
        (
            "blazelink_requests_total{route=\"graphql\",status=\"200\"}",
            1.0,
        ),
        ("blazelink_request_seconds_count{route=\"graphql\"}", 1.0),
    ] {
        assert_eq!(value(&after, metric), now, "{metric}");
    }
    assert!(value(&after, "blazelink_subscriptions") >= 1.0);
    let pool = |state: &str| {
        let metric = format!("blazelink_pool_connections{{pool=\"queries\",state=\"{state}\"}}");
        value(&after, &metric)
    };
    assert!(pool("idle") + pool("used") >= 1.0);
    assert!(
        !after.contains("Ada"),
        "what rows hold is nobody's business here"
    );
    Ok(())
}

#[tokio::test]
async fn metrics_of_the_app_are_behind_its_doors_and_those_of_an_address_are_there_alone()
-> TestResult {
    let app = metered(MetricsAt::App).start().await?;
    let (status, _) = get(app.address(), "elsewhere.example", "/metrics").await;
    assert_eq!(status, 421);

    let own = SocketAddr::from(([127, 0, 0, 1], 0));
    let app = metered(MetricsAt::Address(own)).start().await?;
    let at = app.app().metrics_address().unwrap();
    assert_ne!(at, app.address());
    let (status, text) = get(at, "prometheus", "/metrics").await;
    assert_eq!(status, 200);
    assert_eq!(value(&text, "blazelink_sessions"), 0.0);
    assert_eq!(get(at, "prometheus", "/graphql/").await.0, 404);
    let host = app.address().to_string();
    assert_eq!(get(app.address(), &host, "/metrics").await.0, 404);
    Ok(())
}
