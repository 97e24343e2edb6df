//! The part of the debugger's HTTP API that makes trouble, to see how clients bear it: slow, doubled and
//! unheard deliveries, commits that are held back, an app that is killed.
//!
//! What must stay true: it is there in development only, and each act is asked of the looker first, which
//! writes it into the log.

use std::sync::Arc;

use poem::web::Data;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::api::{Answer, Refusal, label, no_session};
use super::inspector::Inspector;
use super::looker::Looker;
use super::report::MischiefReport;
use crate::config::Environment;
use crate::session::{Mischief, Session};

/// See the file's head.
pub(crate) struct MischiefApi {
    /// Who answers.
    pub(crate) inspector: Arc<Inspector>,
}

/// Whether commits are held back.
#[derive(Debug, Object)]
pub(crate) struct Held {
    /// Whether they are.
    held: bool,
}

#[OpenApi(prefix_path = "/api")]
#[allow(clippy::unused_async, reason = "the derive takes no other functions")]
impl MischiefApi {
    /// Has a session's deliveries be late, doubled, or unheard. It lasts as long as the session.
    #[oai(path = "/sessions/:session/mischief", method = "put")]
    async fn mischief(
        &self,
        looker: Data<&Looker>,
        session: Path<String>,
        mischief: Json<MischiefReport>,
    ) -> Answer<MischiefReport> {
        let session = self.session(&session.0)?;
        let Json(asked) = mischief;
        let MischiefReport {
            delay_ms,
            duplicate,
            freeze,
        } = asked;
        looker.acts(
            "have a session told late, twice or unheard",
            Some(session.label()),
        )?;
        session.suffer(Mischief {
            delay_ms,
            duplicate,
            freeze,
        });
        Ok(Json(asked))
    }

    /// Holds all commits back, or no longer: the reader reads, and nobody is told.
    #[oai(path = "/held", method = "put")]
    async fn hold(&self, looker: Data<&Looker>, hold: Json<Held>) -> Answer<Held> {
        self.in_development()?;
        let held = hold.0.held;
        let what = match held {
            true => "hold every commit",
            false => "let commits go again",
        };
        looker.acts(what, None)?;
        self.inspector.hold(held);
        Ok(Json(Held { held }))
    }

    /// Kills the app as `kill -9` does. Nothing is answered.
    #[oai(path = "/kill", method = "post")]
    async fn kill(&self, looker: Data<&Looker>) -> Answer<Held> {
        self.in_development()?;
        looker.acts("kill the app", None)?;
        let itself = rustix::process::getpid();
        let killed = rustix::process::kill_process(itself, rustix::process::Signal::KILL);
        Err(Refusal::refused(match killed {
            Ok(()) => "The app is being killed".to_owned(),
            Err(error) => format!("The app cannot be killed: {error}"),
        }))
    }
}

impl MischiefApi {
    fn in_development(&self) -> Result<(), Refusal> {
        match self.inspector.environment() {
            Environment::Development => Ok(()),
            Environment::Production => Err(Refusal::refused(
                "Mischief is for development: this app serves the public".to_owned(),
            )),
        }
    }

    fn session(&self, text: &str) -> Result<Arc<Session>, Refusal> {
        self.in_development()?;
        let session = self.inspector.find(label(text)?);
        session.ok_or_else(|| no_session(text))
    }
}

impl From<Mischief> for MischiefReport {
    fn from(mischief: Mischief) -> MischiefReport {
        MischiefReport {
            delay_ms: mischief.delay_ms,
            duplicate: mischief.duplicate,
            freeze: mischief.freeze,
        }
    }
}
