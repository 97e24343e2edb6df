//! Every answer to why a session did, or did not, hear of a row: each brought about in a running app, for
//! tests of whoever says them.

use blazelink::config::DebuggerRole;
use blazelink::{Builder, Looker};
use reqwest::StatusCode;
use serde_json::Value;
use tempfile::TempDir;

use crate::app::{TestApp, shooter_database};
use crate::client::Client;
use crate::raw::Raw;
use crate::rows;
use crate::scene::{Scene, guarded, open, recorded, said, told_of_player};

/// A question whose answer is known.
#[derive(Clone, Debug)]
pub struct Case {
    /// The word of the answer.
    pub answer: &'static str,
    /// The session's label.
    pub session: String,
    /// The row.
    pub object: &'static str,
    /// The commit; the newest that has changed the row, if none is named.
    pub at: Option<String>,
}

/// An app with questions that can be put to its debugger. What they are about lasts as long as this.
#[derive(Debug)]
pub struct Stage {
    /// The app and its debugger.
    pub scene: Scene,
    /// The questions.
    pub cases: Vec<Case>,
    clients: Vec<Client>,
    stalled: Vec<Raw>,
    /// With the app's recordings.
    _folder: TempDir,
}

const FIRST: &str = "{ user(identifier: {obj_id: 1}) { name } }";
const SECOND: &str = "{ user(identifier: {obj_id: 2}) { name } }";
const THIRD: &str = "{ user(identifier: {obj_id: 3}) { name } }";
const FOURTH: &str = "{ user(identifier: {obj_id: 4}) { name } }";
const EVENTS: &str = "{ gameEvents(where: {player_id: {eq: 1}}) { count } }";
const USERS: &str = "{ users(page: 0, size: 10) { count items { row { name } } } }";

/// The answers that an app gives in which everybody sees everything.
pub async fn in_the_open() -> Stage {
    let folder = TempDir::new().expect("a folder can be made");
    let change = recorded(folder.path());
    let declare = |blaze: Builder| {
        let anybody = || Looker::new("anybody", DebuggerRole::Reader);
        open(blaze).debugger("/admin/debugger", move |_| Some(anybody()))
    };
    let app = TestApp::start_declared(shooter_database().await, change, declare).await;
    let sql = app.sql().await;
    rows::players(&sql, 5).await;
    rows::game(&sql).await;
    let weak = "ALTER TABLE game_event REPLICA IDENTITY DEFAULT; \
                INSERT INTO game_event (id, kind, game_id, player_id) VALUES (9, 'kill', 1, 2)";
    sql.batch_execute(weak)
        .await
        .expect("the statement is sound");
    let mut stage = Stage {
        scene: Scene::of(app).await,
        cases: Vec::new(),
        clients: Vec::new(),
        stalled: Vec::new(),
        _folder: folder,
    };
    let mut reader = stage.scene.player(1, &[FIRST, EVENTS]).await;
    let watcher = stage.scene.only_session().await;

    stage.ask("unchanged", &watcher, "user:999");
    stage.ask("not-published", &watcher, "pg_class:1");
    stage.ask_at("not-reached", &watcher, "user:1", "FFFF/0");
    stage.ask_at("not-recorded", &watcher, "user:1", "0/1");
    stage
        .write("UPDATE \"user\" SET name = 'x' WHERE id = 5")
        .await;
    stage.ask("filtered", &watcher, "user:5");
    stage.write("UPDATE game SET name = 'x' WHERE id = 1").await;
    stage.ask("not-subscribed", &watcher, "game:1");
    stage
        .write("UPDATE game_event SET kind = 'hit' WHERE id = 9")
        .await;
    stage.ask("identity-too-weak", &watcher, "game_event:9");
    let told = stage
        .write("UPDATE \"user\" SET name = 'x' WHERE id = 1")
        .await;
    let frame = told_of_player(&mut reader, 1).await;
    reader.confirm(&frame).await;
    stage.ask_at("confirmed", &watcher, "user:1", &told);
    stage.until_answered().await;
    stage
        .write("UPDATE \"user\" SET name = 'y' WHERE id = 1")
        .await;
    told_of_player(&mut reader, 1).await;
    stage.ask("sent", &watcher, "user:1");
    stage.clients.push(reader);

    let mut gone = stage.scene.player(1, &[SECOND]).await;
    let offline = stage.session_of("user:2").await;
    gone.cut();
    stage
        .write("UPDATE \"user\" SET name = 'y' WHERE id = 2")
        .await;
    stage.ask("offline", &offline, "user:2");
    stage.until_answered().await;
    stage.clients.push(gone);

    let waiting = stage.stall(THIRD, "user:3").await;
    let held = stage.until("user:3", 1_000, &waiting, "waiting").await;
    // As many wait as are sent one by one, and from then on they are merged.
    stage.until_merged("user:3", &waiting, &held).await;
    stage.ask_at("merged", &waiting, "user:3", &held);
    stage.ask("waiting", &waiting, "user:3");

    let reset = stage.stall(FOURTH, "user:4").await;
    stage.until("user:4", 60_000, &reset, "reset").await;
    stage.ask("reset", &reset, "user:4");
    stage.until_answered().await;
    stage
}

/// The answers that policies give.
pub async fn behind_policies() -> Stage {
    let folder = TempDir::new().expect("a folder can be made");
    let scene = Scene::with(guarded, recorded(folder.path())).await;
    let client = scene.player(1, &[USERS]).await;
    let session = scene.only_session().await;
    let mut stage = Stage {
        scene,
        cases: Vec::new(),
        clients: vec![client],
        stalled: Vec::new(),
        _folder: folder,
    };
    stage
        .write("UPDATE \"user\" SET name = 'x' WHERE id = 2")
        .await;
    stage.ask("denied", &session, "user:2");
    stage
        .write(
            "INSERT INTO team (id, name, color) VALUES (78, 'x', '#fff'); \
             UPDATE \"user\" SET team_id = 78 WHERE id = 1",
        )
        .await;
    stage.ask("nothing-visible", &session, "user:1");
    stage.until_answered().await;
    stage
}

impl Stage {
    fn ask(&mut self, answer: &'static str, session: &str, object: &'static str) {
        self.cases.push(Case {
            answer,
            session: session.to_owned(),
            object,
            at: None,
        });
    }

    fn ask_at(&mut self, answer: &'static str, session: &str, object: &'static str, at: &str) {
        self.ask(answer, session, object);
        if let Some(case) = self.cases.last_mut() {
            case.at = Some(at.to_owned());
        }
    }

    /// What the debugger says to a question.
    pub async fn answer(&self, case: &Case) -> Value {
        let at = case.at.as_ref().map(|at| format!("&at={at}"));
        let at = at.unwrap_or_default();
        let path = format!(
            "/api/why?session={}&object={}{at}",
            case.session, case.object
        );
        let (status, answer) = self.scene.ask(&path).await;
        assert_eq!(status, StatusCode::OK, "{case:?}: {answer}");
        answer
    }

    /// Waits until the newest question is answered as it is to be: what a client does is seen a little
    /// later.
    async fn until_answered(&self) {
        let case = self.cases.last().expect("something is asked");
        while said(&self.answer(case).await).0 != case.answer {
            tokio::task::yield_now().await;
        }
    }

    /// Commits a statement. Where the newest commit is that has changed a player.
    async fn write(&self, statement: &str) -> String {
        self.scene.execute(statement).await;
        self.newest().await
    }

    /// Where the newest commit is in the log that has changed a player.
    async fn newest(&self) -> String {
        let updates = self
            .scene
            .get("/api/updates?limit=1&filter=table:user")
            .await;
        let lsn = updates["updates"][0]["lsn"].as_str();
        lsn.unwrap_or_default().to_owned()
    }

    /// The label of the session that watches this row and was told of a change of it just now.
    async fn session_of(&self, object: &str) -> String {
        let id = object.rsplit(':').next().unwrap_or_default();
        self.write(&format!("UPDATE \"user\" SET name = 'z' WHERE id = {id}"))
            .await;
        let path = format!("/api/updates?limit=1&filter=row:{object}");
        let updates = self.scene.get(&path).await;
        let path = format!("/api/updates/{}", updates["updates"][0]["number"]);
        let path = self.scene.get(&path).await;
        let label = path["deliveries"][0]["session"].as_str();
        label.expect("a session was told").to_owned()
    }

    /// A session that watches a row, and whose client reads nothing that it is told.
    async fn stall(&mut self, document: &str, object: &str) -> String {
        let client = Client::without_socket(self.scene.app.address());
        let raw = Raw::websocket(self.scene.app.address(), client.session()).await;
        client.read(document).await;
        self.clients.push(client);
        self.stalled.push(raw);
        self.session_of(object).await
    }

    /// Renames a player, with so many letters, until the newest is answered like that. Where it is.
    async fn until(
        &self,
        object: &'static str,
        letters: usize,
        session: &str,
        answer: &str,
    ) -> String {
        loop {
            self.rename(object, letters, 20).await;
            if said(&self.scene.why(session, object).await).0 == answer {
                return self.newest().await;
            }
        }
    }

    /// Renames a player until what was told of the commit at this position is merged.
    async fn until_merged(&self, object: &'static str, session: &str, at: &str) {
        let path = format!("/api/why?session={session}&object={object}&at={at}");
        while said(&self.scene.get(&path).await).0 != "merged" {
            self.rename(object, 10, 200).await;
        }
    }

    /// Renames a player in so many commits.
    async fn rename(&self, object: &str, letters: usize, times: usize) {
        let id = object.rsplit(':').next().unwrap_or_default();
        let commits = format!(
            "DO $$ BEGIN FOR i IN 1..{times} LOOP \
             UPDATE \"user\" SET name = i || repeat('x', {letters}) WHERE id = {id}; COMMIT; \
             END LOOP; END $$"
        );
        self.scene.execute(&commits).await;
    }
}
