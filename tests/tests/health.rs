//! What those who keep an app running are told of it: `/health` and `/ready`.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::time::Duration;

use blazelink::Blazelink;
use blazelink::config::{Config, Environment};
use blazelink_tests::app::{TestApp, shooter_database, shooter_server};
use blazelink_tests::project::SHOOTER;
use reqwest::{Client, Method, StatusCode};
use rustix::process::{Pid, Signal, kill_process};

const READY: &str = r#"{"ready":true}"#;

const PATIENCE: Duration = Duration::from_secs(60);

async fn ask(address: SocketAddr, path: &str) -> (StatusCode, String) {
    let answer = reqwest::get(format!("http://{address}{path}"))
        .await
        .unwrap();
    (answer.status(), answer.text().await.unwrap())
}

/// Waits until `/ready` answers this: what it says is at most some seconds old.
async fn until_ready_says(address: SocketAddr, status: StatusCode, body: &str) {
    let said = async {
        while ask(address, "/ready").await != (status, body.to_owned()) {
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, said).await;
    assert!(in_time.is_ok(), "{:?}", ask(address, "/ready").await);
}

#[tokio::test]
async fn whoever_asks_by_whatever_name_hears_whether_the_app_works_and_nothing_else() {
    let app = TestApp::start().await;
    let address = app.address();
    until_ready_says(address, StatusCode::OK, READY).await;
    let client = Client::new();
    for path in ["/health", "/ready"] {
        let url = format!("http://{address}{path}");
        let asked = client
            .get(&url)
            .header("host", "10.1.2.3:8000")
            .header("origin", "http://elsewhere.example");
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let shared = answer.headers().get("access-control-allow-origin");
        assert_eq!(shared, None, "no page reads it");
        let posted = client.request(Method::POST, &url).send().await.unwrap();
        assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
        let below = client
            .get(format!("{url}/x"))
            .header("host", "10.1.2.3:8000");
        let below = below.send().await.unwrap();
        assert_eq!(below.status(), StatusCode::MISDIRECTED_REQUEST);
    }
}

#[tokio::test]
async fn app_without_its_database_lives_and_is_not_ready_until_that_is_back() {
    let app = TestApp::start_on(shooter_server().await, |_| {}).await;
    let address = app.address();
    until_ready_says(address, StatusCode::OK, READY).await;
    app.database().cluster().kill().await;
    let reason = r#"{"ready":false,"reason":"database"}"#;
    until_ready_says(address, StatusCode::SERVICE_UNAVAILABLE, reason).await;
    let alive = (StatusCode::OK, r#"{"health":"ok"}"#.to_owned());
    assert_eq!(ask(address, "/health").await, alive);
    app.database().cluster().restart().await.unwrap();
    until_ready_says(address, StatusCode::OK, READY).await;
}

#[tokio::test]
async fn app_that_hears_of_commits_too_late_is_not_ready() {
    let database = shooter_database().await;
    let bound = Duration::from_secs(1);
    let app = TestApp::start_on(database, |config| config.limits.ready_lag = bound).await;
    let address = app.address();
    until_ready_says(address, StatusCode::OK, READY).await;
    let sql = app.sql().await;
    let senders = "SELECT active_pid FROM pg_replication_slots WHERE database = current_database()";
    let sender: i32 = sql.query_one(senders, &[]).await.unwrap().get(0);
    let sender = Pid::from_raw(sender).unwrap();
    // The server goes on committing, and the process that tells of it stands still.
    kill_process(sender, Signal::STOP).unwrap();
    sql.execute("INSERT INTO game (id, name) VALUES (1, 'late')", &[])
        .await
        .unwrap();
    let reason = r#"{"ready":false,"reason":"lag"}"#;
    until_ready_says(address, StatusCode::SERVICE_UNAVAILABLE, reason).await;
    kill_process(sender, Signal::CONT).unwrap();
    until_ready_says(address, StatusCode::OK, READY).await;
}

#[tokio::test]
async fn path_that_an_app_declares_itself_is_refused_by_name() {
    let database = shooter_database().await;
    let mut config = Config::new("shooter", database.url());
    config.folder = SHOOTER.folder.into();
    config.environment = Environment::Development;
    let app = shooter::app(Blazelink::builder()).page("/ready", "index.html");
    let refused = app.start(config).await.unwrap_err();
    assert_eq!(refused.sentence(), "`/ready` cannot be served");
}
