//! A scene for tests of the debugger: the shooter with two players, whose key is their id, and with a
//! debugger that can be asked.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::Path;

use blazelink::codes::limits;
use blazelink::config::{Config, DebuggerAt, DebuggerKey};
use blazelink::table::Writes;
use blazelink::{
    Access, Builder, ContextFactory, ContextRequest, Refused, Rule, Viewer, WriteAccess,
};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use shooter::entities::user;

use crate::app::{TestApp, shooter_database};
use crate::client::{Client, tells_of};
use crate::rows;

/// The debugger's key.
pub const KEY: &str = "0123456789abcdef";

/// The key is the id of a player.
struct Keys;

impl ContextFactory for Keys {
    type Viewer = i32;

    async fn viewer(&self, request: &ContextRequest<'_>) -> Result<Option<i32>, Refused> {
        Ok(request.authorization().and_then(|key| key.parse().ok()))
    }
}

/// Players see themselves, and never the team.
fn own_row(viewer: &Viewer) -> Access {
    match viewer.get::<i32>() {
        Some(&player) => {
            Access::rows(Rule::eq(user::Column::Id, player)).hide(user::Column::TeamId)
        }
        None => Access::none(),
    }
}

/// Everybody sees everything, and may write players.
pub fn open(blaze: Builder) -> Builder {
    blaze
        .context(Keys)
        .record_viewers::<i32>()
        .writes::<user::Entity>(Writes::all().allow(|_| WriteAccess::all()))
}

/// The same, but players see of all players themselves only, and never the team.
pub fn guarded(blaze: Builder) -> Builder {
    open(blaze).visible::<user::Entity>(own_row)
}

/// Settings with a debugger.
pub fn debugged(config: &mut Config) {
    config.debugger.at = Some(DebuggerAt {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        listener: None,
        key: DebuggerKey::new(KEY).expect("it is long enough"),
        role: None,
    });
    config.debugger.bytes = 1 << 20;
    config.debugger.sample = Some(NonZeroU32::MIN);
}

/// The same, that remembers as much as it does by default, and keeps recordings below this folder.
pub fn recorded(folder: &Path) -> impl FnOnce(&mut Config) + use<> {
    let folder = folder.to_owned();
    move |config| {
        debugged(config);
        config.state = Some(folder);
        config.debugger.bytes = limits::DEBUGGER_BYTES;
    }
}

/// An app with two players, and where its debugger is.
#[derive(Debug)]
pub struct Scene {
    /// The app.
    pub app: TestApp,
    /// Where its debugger is.
    pub debugger: SocketAddr,
}

impl Scene {
    /// With the app that this declares.
    pub async fn start(declare: impl FnOnce(Builder) -> Builder) -> Scene {
        Scene::with(declare, debugged).await
    }

    /// The same, with these settings.
    pub async fn with(
        declare: impl FnOnce(Builder) -> Builder,
        change: impl FnOnce(&mut Config),
    ) -> Scene {
        let app = TestApp::start_declared(shooter_database().await, change, declare).await;
        rows::players(&app.sql().await, 2).await;
        Scene::of(app).await
    }

    /// Of an app that has its players.
    pub async fn of(app: TestApp) -> Scene {
        app.catch_up().await;
        let debugger = app.app().debugger_address().await;
        let debugger = debugger.expect("the debugger listens");
        Scene { app, debugger }
    }

    /// A client of this player's that watches these.
    pub async fn player(&self, player: usize, documents: &[&str]) -> Client {
        let mut client = Client::connect(self.app.address()).await;
        client.set_key(&player.to_string());
        for document in documents {
            client.read(document).await;
        }
        client
    }

    /// What the debugger answers.
    pub async fn ask(&self, path: &str) -> (StatusCode, Value) {
        self.answer(self.request(Method::GET, path)).await
    }

    /// What it answers to this.
    pub async fn tell(&self, method: Method, path: &str, what: &Value) -> (StatusCode, Value) {
        self.answer(self.request(method, path).json(what)).await
    }

    /// What it answers to a file.
    pub async fn upload(&self, path: &str, file: Vec<u8>) -> (StatusCode, Value) {
        let request = self.request(Method::POST, path);
        let request = request.header("content-type", "application/octet-stream");
        self.answer(request.body(file)).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("http://{}{path}", self.debugger);
        reqwest::Client::new().request(method, url).bearer_auth(KEY)
    }

    async fn answer(&self, request: RequestBuilder) -> (StatusCode, Value) {
        let answer = request.send().await.expect("the debugger answers");
        let status = answer.status();
        let text = answer.text().await.expect("it answers to the end");
        (
            status,
            serde_json::from_str(&text).expect("answers are JSON"),
        )
    }

    /// The same of what is there.
    pub async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        answer
    }

    /// Asks until the answer is as it should be: what a client does is seen a little later.
    pub async fn until(&self, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
        loop {
            let answer = self.get(path).await;
            if holds(&answer) {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Runs a statement, and waits until whom it concerns was told.
    pub async fn execute(&self, statement: &str) {
        let done = self.app.sql().await.batch_execute(statement).await;
        done.expect("the statement is sound");
        self.app.catch_up().await;
    }

    /// The label of the only session that has a client and watches something.
    pub async fn only_session(&self) -> String {
        let watching =
            |session: &&Value| session["subscriptions"] != 0 && session["state"] != "offline";
        let of = |all: &Value| -> Vec<String> {
            let sessions = all["sessions"].as_array().into_iter().flatten();
            let labels = sessions
                .filter(watching)
                .filter_map(|it| it["session"].as_str());
            labels.map(ToOwned::to_owned).collect()
        };
        let all = self.until("/api/sessions", |all| of(all).len() == 1).await;
        of(&all).remove(0)
    }

    /// Why a session did or did not hear of an object.
    pub async fn why(&self, session: &str, object: &str) -> Value {
        self.get(&format!("/api/why?session={session}&object={object}"))
            .await
    }
}

/// The next frame that tells a client of a player.
pub async fn told_of_player(client: &mut Client, player: i64) -> Value {
    loop {
        let frame = client.frame().await;
        if tells_of(&frame, "User", player) {
            return frame;
        }
    }
}

/// The answer and its sentence.
pub fn said(why: &Value) -> (&str, &str) {
    let text = |name: &str| why[name].as_str().expect("a text");
    (text("answer"), text("sentence"))
}
