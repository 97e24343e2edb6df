//! The kitchen: made by SeaORM of its entities, and exposed as it is.

use blazelink::table::TableManager;
use blazelink_sample::kitchen;

use crate::relations;
use crate::support::App;

const ROWS: &str = include_str!("../../kitchen.sql");

#[tokio::test]
async fn every_relation_of_every_kind_answers_what_a_join_does() {
    let tables = kitchen::tables();
    let mut texts: Vec<&str> = tables.iter().map(|it| &*it.sql).collect();
    texts.push(ROWS);
    let builder = TableManager::builder()
        .open_unless_said()
        .discover("blazelink_sample::kitchen");
    let app = App::start(builder, &texts).await;
    assert!(app.manager.tables().len() >= 22);
    let junctions = ["follow", "membership", "post_tag", "order_line"];
    relations::compare_all(&app, &junctions).await;
}
