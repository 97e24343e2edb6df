//! The visibility gate: an answer that is fetched because of a notice is never older than it.

use std::net::SocketAddr;

use blazelink_tests::app::TestApp;
use blazelink_tests::client::{Client, number};
use blazelink_tests::rows;
use tokio::task::JoinSet;

const WRITERS: usize = 16;
const COMMITS: usize = 10_000;

/// Refetches a player at each of its notices, up to the one with the number `last`; gives how
/// many answers were older than their notice.
async fn refetch_at_each_notice(address: SocketAddr, player: usize, last: usize) -> usize {
    let mut client = Client::connect(address).await;
    let document = format!("{{ user(identifier: {{obj_id: {player}}}) {{ name }} }}");
    client.read(&document).await;
    let mut stale = 0;
    loop {
        let frame = client.frame().await;
        let told = number(&frame["data"]["changes"]["name"]);
        let read = number(&client.read(&document).await["user"]["name"]);
        stale += usize::from(read < told);
        client.confirm(&frame).await;
        if told == last {
            return stale;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_older_than_its_notice_under_sixteen_writers() {
    let app = TestApp::start().await;
    rows::players(&app.sql().await, WRITERS).await;
    let each = COMMITS / WRITERS;

    let mut readers = JoinSet::new();
    for player in 1..=WRITERS {
        readers.spawn(refetch_at_each_notice(app.address(), player, each));
    }
    // A reader that has not yet subscribed when its writer begins sees the later commits only.
    let mut writers = JoinSet::new();
    for player in 1..=WRITERS {
        let sql = app.sql().await;
        writers.spawn(async move {
            let statement = format!("UPDATE \"user\" SET name = $1 WHERE id = {player}");
            let statement = sql
                .prepare(&statement)
                .await
                .expect("the statement is sound");
            for commit in 1..=each {
                let name = commit.to_string();
                sql.execute(&statement, &[&name])
                    .await
                    .expect("the writer owns its row");
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.expect("the writer ends");
    }
    let stale: usize = readers.join_all().await.into_iter().sum();
    println!("{COMMITS} commits, {stale} answers older than their notice");
    assert_eq!(stale, 0);
    app.stop().await;
}
