//! A transaction of a million rows beside small ones, in bounded memory.

use blazelink_tests::app::TestApp;
use blazelink_tests::client::{Client, number, tells_of};
use blazelink_tests::{memory, rows};
use tokio::sync::oneshot;

/// What the process may grow by. One row image of the transaction takes about 100 bytes on the
/// wire: kept whole, it would take several hundred megabytes.
const BOUND: usize = 96 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_million_rows_pass_beside_small_commits_in_bounded_memory() {
    let app = TestApp::start().await;
    let sql = app.sql().await;
    rows::players(&sql, 2).await;
    rows::game(&sql).await;
    let mut bystander = Client::connect(app.address()).await;
    bystander
        .read("{ user(identifier: {obj_id: 1}) { name } }")
        .await;
    let mut concerned = Client::connect(app.address()).await;
    let page = "{ user(identifier: {obj_id: 2}) { events(page: 0, size: 1) { count } } }";
    concerned.read(page).await;

    memory::forget_peak();
    let before = memory::peak();
    let big = app.sql().await;
    let (done, mut ended) = oneshot::channel();
    tokio::spawn(async move {
        rows::events(&big, 2, 1_000_000).await;
        let _ = done.send(());
    });
    // One small commit after the other for as long as the big one runs, each told of.
    let mut commits = 0;
    while ended.try_recv().is_err() {
        commits += 1;
        let rename = format!("UPDATE \"user\" SET name = '{commits}' WHERE id = 1");
        sql.batch_execute(&rename)
            .await
            .expect("the player is there");
        let frame = bystander.frame().await;
        assert_eq!(number(&frame["data"]["changes"]["name"]), commits);
        bystander.confirm(&frame).await;
    }
    let frame = concerned.frame().await;
    assert!(tells_of(&frame, "User", 2), "{frame}");
    assert_eq!(
        concerned.read(page).await["user"]["events"]["count"],
        1_000_000
    );

    let grown = memory::peak() - before;
    println!(
        "{commits} small commits beside a million rows; memory grew by {} MiB",
        grown >> 20
    );
    assert!(grown < BOUND, "memory grew by {grown} bytes");
    app.stop().await;
}
