//! What the tests of apps rely on: after `settled` a client was told of what it reads and of nothing
//! else, tests do not meet each other, see what production shows, and leave nothing behind.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::Duration;

use blazelink::codes::Code;
use blazelink::test::{APPS_AT_ONCE, TestApp, TestResult, TestSetup};
use blazelink::{
    Access, Builder, ContextFactory, ContextRequest, Refused, Rule, Viewer, WriteAccess,
    table::Writes,
};
use blazelink_migrations::PublicationMigration;
use blazelink_tests::process::Process;
use blazelink_tests::project::SHOOTER;
use futures_util::future::try_join_all;
use sea_orm::prelude::*;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, QueryOrder, Set, Statement};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};
use serde_json::json;
use shooter::entities::{game, game_event, team, user};
use shooter_migration::Migrator;

const USERS: &str = "{ users { items { row { name } } } }";

/// How long what ends by itself may take to end.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// The shooter, declared like this.
fn game_in<D: Fn(Builder) -> Builder>(declare: D) -> TestSetup<D, Migrator> {
    TestApp::setup(declare, Migrator).folder(SHOOTER.folder)
}

/// The shooter without players, with a red team.
async fn empty() -> TestResult<TestApp> {
    let app = game_in(shooter::app).start().await?;
    let red = team::ActiveModel {
        name: Set("Red".into()),
        color: Set("#ff0000".into()),
        ..Default::default()
    };
    red.insert(app.db()).await?;
    Ok(app)
}

async fn join(db: &DatabaseConnection, name: &str) -> Result<user::Model, DbErr> {
    let player = user::ActiveModel {
        name: Set(name.to_owned()),
        team_id: Set(1),
        ..Default::default()
    };
    player.insert(db).await
}

async fn rename(db: &DatabaseConnection, id: i32, name: String) -> Result<(), DbErr> {
    let player = user::ActiveModel {
        id: Set(id),
        name: Set(name),
        ..Default::default()
    };
    player.update(db).await.map(|_| ())
}

/// One text that this statement gives.
async fn text(db: &DatabaseConnection, sql: &str) -> TestResult<Option<String>> {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let row = db.query_one_raw(statement).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
}

#[tokio::test]
async fn after_two_hundred_commits_each_was_told_to_who_reads_it_and_to_nobody_else() -> TestResult
{
    let app = empty().await?;
    for name in ["a", "b", "c"] {
        join(app.db(), name).await?;
    }
    let [mut one, mut two] = [app.client().await?, app.client().await?];
    one.live("{ user(identifier: {obj_id: 1}) { name } }")
        .await?;
    let second = json!({"who": {"obj_id": 2}});
    let by_key = "query ($who: ObjectIdInput) { user(identifier: $who) { name } }";
    two.live((by_key, second)).await?;
    for round in 0..200 {
        let name = format!("round {round}");
        let player = 1 + round % 3;
        rename(app.db(), player, name.clone()).await?;
        app.settled().await?;
        assert_eq!(
            (one.stale(), two.stale()),
            (player == 1, player == 2),
            "{name}"
        );
        for (client, own) in [(&mut one, 1), (&mut two, 2)] {
            if player == own {
                assert_eq!(client.updates(), [format!("Update User {own}").as_str()]);
                assert_eq!(client.updates()[0].changes["name"], name);
                assert_eq!(client.refetch().await?["user"]["name"], name);
                assert!(!client.stale(), "it has read {name}");
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_is_committed_before_a_read_is_not_told_after_it() -> TestResult {
    let app = empty().await?;
    let mut client = app.client().await?;
    client.live(USERS).await?;
    for round in 0..50 {
        join(app.db(), &format!("player {round}")).await?;
        // Without a barrier of its own here, the commit would be told to a client that knows it.
        client.refetch().await?;
        app.settled().await?;
        assert!(!client.stale(), "round {round}: {:?}", client.updates());
    }
    Ok(())
}

#[tokio::test]
async fn client_has_all_that_it_is_told_however_much_that_is() -> TestResult {
    const PLAYERS: usize = 1_000;
    let app = empty().await?;
    let many = format!(
        "INSERT INTO \"user\" (name, team_id) SELECT '', 1 FROM generate_series(1, {PLAYERS})"
    );
    app.db().execute_unprepared(&many).await?;
    let mut client = app.client().await?;
    let page = format!("{{ users(size: {PLAYERS}) {{ items {{ obj_id row {{ name }} }} }} }}");
    client.live(page).await?;
    // Several times what the server writes between two looks at the client.
    let longer = "UPDATE \"user\" SET name = repeat('x', 1000)";
    app.db().execute_unprepared(longer).await?;
    app.settled().await?;
    assert_eq!(client.updates().len(), PLAYERS);
    Ok(())
}

#[tokio::test]
async fn page_that_is_loaded_anew_watches_nothing_of_the_former() -> TestResult {
    let app = empty().await?;
    let mut client = app.client().await?;
    client.live(USERS).await?;
    client.live("{ teams { items { row { name } } } }").await?;
    join(app.db(), "Ada").await?;
    app.settled().await?;
    assert!(!client.stale());
    Ok(())
}

#[tokio::test]
async fn more_apps_than_run_at_once_take_turns_and_do_not_meet() -> TestResult {
    let one = async |number: usize| -> TestResult {
        let app = empty().await?;
        let mut client = app.client().await?;
        client.live(USERS).await?;
        let name = format!("player {number}");
        join(app.db(), &name).await?;
        app.settled().await?;
        assert_eq!(client.updates(), ["Create User 1"]);
        let read = client.refetch().await?;
        assert_eq!(read["users"]["items"], json!([{"row": {"name": name}}]));
        app.stop().await;
        Ok(())
    };
    try_join_all((0..APPS_AT_ONCE + 2).map(one)).await?;
    Ok(())
}

struct Keys;

impl ContextFactory for Keys {
    type Viewer = i32;

    async fn viewer(&self, request: &ContextRequest<'_>) -> Result<Option<i32>, Refused> {
        let key = request.authorization();
        key.map(|key| key.parse().map_err(|_| Refused::new("Sign in again")))
            .transpose()
    }
}

fn own(viewer: &Viewer) -> Rule {
    let user = viewer.get::<i32>().copied();
    Rule::eq(game_event::Column::PlayerId, user.unwrap_or_default())
}

/// The shooter in which players see and record their own events only.
fn private(blaze: Builder) -> Builder {
    shooter::app(blaze)
        .context(Keys)
        .visible::<game_event::Entity>(|viewer| Access::rows(own(viewer)))
        .writes::<game_event::Entity>(
            Writes::all().allow(|viewer| WriteAccess::none().create(own(viewer))),
        )
}

#[tokio::test]
async fn viewers_are_told_and_refused_as_in_production() -> TestResult {
    let app = game_in(private).seeded().start().await?;
    let (mut one, mut two) = (app.client_as("1").await?, app.client_as("2").await?);
    for client in [&mut one, &mut two] {
        client.live("{ gameEvents { count } }").await?;
    }
    let game = game::Entity::find().order_by_desc(game::Column::Id);
    let game = game.one(app.db()).await?.unwrap().id;
    let create =
        "mutation ($input: CreateGameEventInput!) { createGameEvent(input: $input) { obj_id } }";
    let of = |player: i32| json!({"input": {"kind": "kill", "game_id": game, "player_id": player}});
    one.mutate((create, of(1))).await?;
    app.settled().await?;
    assert_eq!((one.stale(), two.stale()), (true, false));

    let refused = two.errors((create, of(1))).await?;
    assert_eq!(
        refused[0]["extensions"]["code"],
        Code::WriteDenied.to_string()
    );
    let refused = two.mutate((create, of(1))).await.unwrap_err();
    assert_eq!(refused.code(), Code::TestAnswer);
    assert!(
        format!("{refused:#}").contains("createGameEvent: "),
        "{refused:#}"
    );
    let nobody = app.client_as("who knows").await?;
    assert!(format!("{:#}", nobody.ask(USERS).await.unwrap_err()).contains("401"));
    let answered = app.client().await?.errors(USERS).await.unwrap_err();
    assert_eq!(answered.code(), Code::TestAnswer, "there are no errors");
    Ok(())
}

/// A table of which nothing is said.
#[allow(unreachable_pub)] // What the derives write beside it is public.
mod unsaid {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "team")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub name: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Migrations that cannot be applied.
struct Failing;

impl MigratorTrait for Failing {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        // Each makes the table, and so the second does not.
        vec![Box::new(Unpublished), Box::new(Failing)]
    }
}

impl MigrationName for Failing {
    fn name(&self) -> &str {
        "m2"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Failing {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Unpublished.up(manager).await
    }
}

#[tokio::test]
async fn migrations_that_fail_are_named_each_time_with_the_reason() {
    for _ in 0..2 {
        let error = TestApp::start(shooter::app, Failing).await.unwrap_err();
        let said = format!("{error:#}");
        for part in ["testkit::Failing", "relation \"team\" already exists"] {
            assert!(said.contains(part), "{said}");
        }
    }
}

/// Migrations that have forgotten to publish their table.
struct Unpublished;

impl MigratorTrait for Unpublished {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(PublicationMigration), Box::new(Unpublished)]
    }
}

impl MigrationName for Unpublished {
    fn name(&self) -> &str {
        "m1"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Unpublished {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "CREATE TABLE team (id serial PRIMARY KEY, name text NOT NULL)";
        let made = manager.get_connection().execute_unprepared(sql).await;
        made.map(|_| ())
    }
}

#[tokio::test]
async fn table_of_which_nothing_is_said_is_closed_and_its_publication_is_checked() -> TestResult {
    let only_teams = |blaze: Builder| blaze.table::<unsaid::Entity>();
    let error = TestApp::start(only_teams, Unpublished).await.unwrap_err();
    assert_eq!(error.code(), Code::Publication, "{error:#}");

    let closed = |blaze: Builder| {
        let blaze = blaze.table::<unsaid::Entity>();
        blaze
            .table::<user::Entity>()
            .table::<game::Entity>()
            .table::<game_event::Entity>()
    };
    let app = TestApp::start(closed, Migrator).await?;
    let blue = unsaid::ActiveModel {
        name: Set("Blue".into()),
        ..Default::default()
    };
    assert!(
        blue.insert(app.db()).await.is_err(),
        "its colour is missing"
    );
    let red = "INSERT INTO team (name, color) VALUES ('Red', '#ff0000')";
    let mut client = app.client().await?;
    client.live("{ teams { count } }").await?;
    app.db().execute_unprepared(red).await?;
    app.settled().await?;
    assert!(!client.stale());
    assert_eq!(client.refetch().await?["teams"]["count"], 0);
    Ok(())
}

#[tokio::test]
async fn client_whose_websocket_the_app_has_ended_is_said_to_have_none() -> TestResult {
    let app = game_in(shooter::app)
        .config(|config| config.limits.messages_per_second = 1)
        .start()
        .await?;
    let client = app.client().await?;
    let mut ended = None;
    for _ in 0..100 {
        ended = app.settled().await.err();
        if ended.is_some() {
            break;
        }
    }
    let ended = ended.expect("a client may not send so much");
    assert_eq!(ended.code(), Code::TestSocket);
    assert!(ended.sentence().contains("4429"), "{ended}");
    drop(client);
    app.settled().await?;
    Ok(())
}

#[tokio::test]
async fn database_is_gone_after_its_test_also_if_that_panics() -> TestResult {
    let beside = empty().await?;
    let (tell, told) = tokio::sync::oneshot::channel();
    let panicked = tokio::spawn(async {
        let app = empty().await.unwrap();
        let name = text(app.db(), "SELECT current_database()::text").await;
        tell.send(name.unwrap().unwrap()).unwrap();
        panic!("as a failed assertion does");
    });
    let name = told.await?;
    assert!(panicked.await.is_err());
    let left = format!("SELECT datname::text FROM pg_database WHERE datname = '{name}'");
    let gone = async {
        while text(beside.db(), &left).await?.is_some() {}
        TestResult::Ok(())
    };
    tokio::time::timeout(ENDS_WITHIN, gone).await?
}

#[tokio::test]
async fn test_program_that_is_killed_leaves_no_server_and_no_files() -> TestResult {
    const NAME: &str = "test_program_that_is_killed_leaves_no_server_and_no_files";
    const VICTIM: &str = "BLAZELINK_TESTS_VICTIM";
    if std::env::var_os(VICTIM).is_some() {
        let app = empty().await?;
        let folder = text(app.db(), "SHOW data_directory").await?;
        println!("\nlies in {}", folder.unwrap());
        return std::future::pending().await;
    }
    let mut command = Process::itself(&["--exact", NAME, "--nocapture"]);
    command.env(VICTIM, "1");
    let mut victim = Process::start(command);
    let folder = loop {
        let line = victim.line().await;
        if let Some(folder) = line.strip_prefix("lies in ") {
            break folder.to_owned();
        }
    };
    assert!(Path::new(&folder).exists());
    victim.kill().await;
    let gone = async {
        while Path::new(&folder).exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(ENDS_WITHIN, gone).await?;
    Ok(())
}
