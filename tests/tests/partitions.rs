//! A table whose rows lie in partitions, over the whole app: clients hear of the table's rows, and
//! know of no partition.
#![allow(unreachable_pub)]

use blazelink::{Access, ContextFactory, ContextRequest, Refused, Rule, Viewer};
use blazelink_tests::app::{TestApp, connect, shooter_database};
use blazelink_tests::client::{Client, tells_of};
use blazelink_tests::rows;
use serde_json::{Value, json};

mod visit {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "visit")]
    #[blazelink(public)]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub day: i32,
        pub player_id: i32,
        #[sea_orm(belongs_to, from = "player_id", to = "id")]
        pub player: BelongsTo<shooter::entities::user::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// The second partition is made beside the app, below.
const VISITS: &str = "
    CREATE TABLE visit (id int PRIMARY KEY, day int NOT NULL, player_id int NOT NULL)
        PARTITION BY RANGE (id);
    CREATE TABLE visit_1 PARTITION OF visit FOR VALUES FROM (0) TO (10)";

const LATER: &str = "CREATE TABLE visit_2 PARTITION OF visit FOR VALUES FROM (10) TO (20)";

/// The shooter with visits, of which a part has been made later.
async fn start(guarded: bool) -> (TestApp, tokio_postgres::Client) {
    let database = shooter_database().await;
    let sql = connect(database.url()).await;
    sql.batch_execute(VISITS).await.expect("the names are free");
    let declare = |blaze: blazelink::Builder| {
        let blaze = blaze.table::<visit::Entity>();
        match guarded {
            true => blaze.context(Players).visible::<visit::Entity>(own),
            false => blaze,
        }
    };
    let app = TestApp::start_declared(database, |_| {}, declare).await;
    rows::players(&sql, 2).await;
    sql.batch_execute(LATER).await.expect("the name is free");
    app.catch_up().await;
    (app, sql)
}

struct Players;

impl ContextFactory for Players {
    type Viewer = i32;

    async fn viewer(&self, request: &ContextRequest<'_>) -> Result<Option<i32>, Refused> {
        let key = request.authorization().map(str::parse).transpose();
        key.map_err(|_| Refused::new("The key is no number"))
    }
}

fn own(viewer: &Viewer) -> Access {
    match viewer.get::<i32>() {
        Some(&player) => Access::rows(Rule::eq(visit::Column::PlayerId, player)),
        None => Access::none(),
    }
}

async fn run(sql: &tokio_postgres::Client, statement: &str) {
    let done = sql.batch_execute(statement).await;
    done.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// What a frame tells: of what, how, and the changes.
fn told(frame: &Value) -> (Value, Value, Value) {
    let data = &frame["data"];
    let id = &data["identifier"];
    (
        json!([id["entity"], id["obj_id"]]),
        data["update_type"].clone(),
        data["changes"].clone(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_every_partition_are_told_as_the_tables() {
    let (app, sql) = start(false).await;
    for id in [1, 11] {
        run(&sql, &format!("INSERT INTO visit VALUES ({id}, 1, 1)")).await;
        app.catch_up().await;
        let mut row = Client::connect(app.address()).await;
        row.read(&format!(
            "{{ visit(identifier: {{obj_id: {id}}}) {{ day }} }}"
        ))
        .await;
        let mut parents = Vec::new();
        for player in [1, 2] {
            let mut client = Client::connect(app.address()).await;
            let page =
                format!("{{ user(identifier: {{obj_id: {player}}}) {{ visits {{ count }} }} }}");
            client.read(&page).await;
            client.frames_so_far().await;
            parents.push(client);
        }
        // Into the partition itself, too.
        let partition = if id == 1 { "visit_1" } else { "visit_2" };
        for (statement, kind, changes) in [
            (
                format!("UPDATE visit SET day = 2 WHERE id = {id}"),
                "Update",
                json!({"id": id, "day": 2, "player_id": 1}),
            ),
            (
                format!("UPDATE {partition} SET day = 3 WHERE id = {id}"),
                "Update",
                json!({"id": id, "day": 3, "player_id": 1}),
            ),
        ] {
            run(&sql, &statement).await;
            let entity = json!(["Visit", id]);
            let (of, how, what) = told(&row.frame().await);
            assert_eq!((&of, how), (&entity, json!(kind)), "{statement}");
            assert!(is_within(&what, &changes), "{statement}: {what}");
        }
        for parent in &mut parents {
            parent.frames_so_far().await;
        }
        run(&sql, &format!("DELETE FROM visit WHERE id = {id}")).await;
        let (of, how, _) = told(&row.frame().await);
        assert_eq!((of, how), (json!(["Visit", id]), json!("Delete")));
        let frame = parents[0].frame().await;
        assert!(tells_of(&frame, "User", 1), "{frame}");
        assert_eq!(frame["data"]["changes"], json!({}));
    }
    app.stop().await;
}

/// Whether all members of one are those of the other.
fn is_within(one: &Value, other: &Value) -> bool {
    let members = one.as_object().into_iter().flatten();
    let mut members = members.peekable();
    members.peek().is_some() && members.all(|(name, value)| other[name] == *value)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_moves_to_another_partition_is_told() {
    let (app, sql) = start(false).await;
    run(&sql, "INSERT INTO visit VALUES (11, 1, 1)").await;
    app.catch_up().await;
    let mut client = Client::connect(app.address()).await;
    client
        .read("{ old: visit(identifier: {obj_id: 11}) { day } user(identifier: {obj_id: 1}) { visits { count } } }")
        .await;
    client
        .ask("{ visit(identifier: {obj_id: 2}) { day } }", json!({}))
        .await;
    client.frames_so_far().await;
    run(&sql, "UPDATE visit SET id = 2 WHERE id = 11").await;
    let mut frames = Vec::new();
    for _ in 0..3 {
        frames.push(client.frame().await);
    }
    for (entity, id) in [("Visit", 11), ("Visit", 2), ("User", 1)] {
        let is_told = frames.iter().any(|frame| tells_of(frame, entity, id));
        assert!(is_told, "{entity} {id}: {frames:?}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sees_a_row_of_a_later_partition_hears_that_it_is_gone() {
    let (app, sql) = start(true).await;
    run(&sql, "INSERT INTO visit VALUES (11, 1, 1)").await;
    app.catch_up().await;
    let mut clients = Vec::new();
    for player in [1, 2] {
        let mut client = Client::connect(app.address()).await;
        client.set_key(&player.to_string());
        client
            .ask("{ visit(identifier: {obj_id: 11}) { day } }", json!({}))
            .await;
        client.frames_so_far().await;
        clients.push(client);
    }
    run(&sql, "DELETE FROM visit WHERE id = 11").await;
    let frame = clients[0].frame().await;
    assert!(tells_of(&frame, "Visit", 11), "{frame}");
    let (_, mut answer) = clients[0]
        .ask("{ visit(identifier: {obj_id: 11}) { day } }", json!({}))
        .await;
    assert_eq!(answer["data"].take(), json!({"visit": null}));
    // Nobody knows whose it was, so others are told at most to read again.
    for frame in clients[1].frames_so_far().await {
        assert!(tells_of(&frame, "Visit", 11), "{frame}");
        assert_eq!(frame["data"]["changes"], json!({}));
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_postgres_does_not_tell_of_partitions_can_be_said() {
    let (app, sql) = start(false).await;
    run(&sql, "INSERT INTO visit VALUES (11, 1, 1)").await;
    app.catch_up().await;
    let mut client = Client::connect(app.address()).await;
    client
        .read("{ visit(identifier: {obj_id: 11}) { day } }")
        .await;
    client.frames_so_far().await;
    run(
        &sql,
        "BEGIN; ALTER TABLE visit DETACH PARTITION visit_2; \
         SELECT pg_logical_emit_message(true, 'blazelink.invalidate', '{\"table\": \"visit\"}'); \
         COMMIT",
    )
    .await;
    let frame = client.frame().await;
    assert!(tells_of(&frame, "Visit", 11), "{frame}");
    assert_eq!(frame["data"]["changes"], json!({}));
    app.stop().await;
}
