//! What tests of other packages rely on.
#![allow(clippy::unwrap_used)]

use blazelink_postgres::TestDatabase;
use tokio_postgres::{Client, Connection, NoTls, Socket, tls::NoTlsStream};

async fn connect(database: &TestDatabase) -> Client {
    let (client, connection) = tokio_postgres::connect(database.url(), NoTls)
        .await
        .unwrap();
    tokio::spawn(drive(connection));
    client
}

async fn drive(connection: Connection<Socket, NoTlsStream>) {
    // Ends with the client, or with a server that a test kills.
    let _ = connection.await;
}

async fn ask(client: &Client, question: &str) -> String {
    client.query_one(question, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn every_test_has_a_database_of_its_own_on_one_server_that_replicates() {
    let (first, second) = tokio::join!(TestDatabase::create(), TestDatabase::create());
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_ne!(first.name(), second.name());
    assert_eq!(
        first.cluster().process_id().await,
        second.cluster().process_id().await
    );
    let client = connect(&first).await;
    for (setting, value) in [
        ("wal_level", "logical"),
        ("server_encoding", "UTF8"),
        ("fsync", "off"),
        ("listen_addresses", ""),
        ("max_slot_wal_keep_size", "1GB"),
    ] {
        assert_eq!(ask(&client, &format!("SHOW {setting}")).await, value);
    }
    assert_eq!(
        ask(&client, "SELECT current_database()::text").await,
        first.name()
    );
}

#[tokio::test]
async fn template_is_prepared_once_and_copied_for_each_test() {
    let prepare = async |url: String| -> Result<(), tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
        let work = async move {
            // Fails when it is run a second time.
            let made = client
                .batch_execute("CREATE TABLE made (id int PRIMARY KEY)")
                .await;
            drop(client);
            made
        };
        let (made, ended) = tokio::join!(work, connection);
        made.and(ended)
    };
    let (first, second) = tokio::join!(
        TestDatabase::from_template("once", prepare),
        TestDatabase::from_template("once", prepare)
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    connect(&first)
        .await
        .batch_execute("INSERT INTO made VALUES (1)")
        .await
        .unwrap();
    let count = ask(&connect(&second).await, "SELECT count(*)::text FROM made").await;
    assert_eq!(count, "0");
}

#[tokio::test]
async fn template_whose_preparation_fails_says_why_and_can_be_tried_again() {
    let failing = async |_: String| Err("no migrations here");
    let error = TestDatabase::from_template("again", failing)
        .await
        .unwrap_err();
    assert!(format!("{error:#}").contains("no migrations here"));
    let working = async |_: String| Ok::<(), std::io::Error>(());
    TestDatabase::from_template("again", working).await.unwrap();
}

#[tokio::test]
async fn database_survives_a_killed_and_restarted_server() {
    let database = TestDatabase::with_own_cluster().await.unwrap();
    let client = connect(&database).await;
    client
        .batch_execute("CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)")
        .await
        .unwrap();
    database.cluster().kill().await;
    assert!(
        tokio_postgres::connect(database.url(), NoTls)
            .await
            .is_err()
    );
    database.cluster().restart().await.unwrap();
    let client = connect(&database).await;
    assert_eq!(ask(&client, "SELECT count(*)::text FROM kept").await, "1");
    database.cluster().stop().await;
    database.cluster().restart().await.unwrap();
    let client = connect(&database).await;
    assert_eq!(ask(&client, "SELECT count(*)::text FROM kept").await, "1");
}
