//! The part of the debugger's HTTP API that is for operators, in production too: who looks, how much is
//! followed, and sessions that are sent away.
//!
//! What must stay true: each act is asked of the looker first, which writes it into the log.

use std::num::NonZeroU32;
use std::sync::Arc;

use poem::web::Data;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::api::{Answer, Refusal, label, no_session};
use super::inspector::Inspector;
use super::looker::Looker;
use crate::session::Session;

/// See the file's head.
pub(crate) struct OperatorApi {
    /// Who answers.
    pub(crate) inspector: Arc<Inspector>,
}

/// Who looks.
#[derive(Debug, Object)]
pub(crate) struct LookerReport {
    /// Their name in the log.
    name: String,
    /// `reader` or `operator`.
    role: String,
}

/// How much is followed.
#[derive(Debug, Object)]
pub(crate) struct Sample {
    /// Of so many transactions one is followed however it goes; 1 for all of them.
    one_in: u32,
}

/// A session was sent away.
#[derive(Debug, Object)]
pub(crate) struct SentAway {
    /// Its label.
    session: String,
    /// How many dependencies it holds from now on.
    subscriptions: u64,
}

#[OpenApi(prefix_path = "/api")]
#[allow(clippy::unused_async, reason = "the derive takes no other functions")]
impl OperatorApi {
    /// Who you are, and what you may do.
    #[oai(path = "/looker", method = "get")]
    async fn looker(&self, looker: Data<&Looker>) -> Json<LookerReport> {
        Json(LookerReport {
            name: looker.name().to_owned(),
            role: looker.role().to_string(),
        })
    }

    /// Of so many transactions one is followed from now on. It lasts as long as the app.
    #[oai(path = "/sample", method = "put")]
    async fn sample(&self, looker: Data<&Looker>, sample: Json<Sample>) -> Answer<Sample> {
        let Some(one_in) = NonZeroU32::new(sample.0.one_in) else {
            return Err(Refusal::misread("one_in", "one in how many is 1 or more"));
        };
        looker.acts(&format!("follow one update in {one_in}"), None)?;
        self.inspector.follow_one_in(one_in);
        Ok(Json(Sample {
            one_in: one_in.get(),
        }))
    }

    /// Closes a session's socket. Its client comes back, if it is a good one, and goes on.
    #[oai(path = "/sessions/:session/disconnect", method = "post")]
    async fn disconnect(&self, looker: Data<&Looker>, session: Path<String>) -> Answer<SentAway> {
        let session = self.session(&session.0)?;
        looker.acts("close a session's socket", Some(session.label()))?;
        session.cut();
        Ok(Json(self.sent_away(&session)))
    }

    /// Has a session watch nothing any more, and closes its socket. What waited for it is let go: to go
    /// on, its client must read again, and so be let in by the app again.
    #[oai(path = "/sessions/:session/revoke", method = "post")]
    async fn revoke(&self, looker: Data<&Looker>, session: Path<String>) -> Answer<SentAway> {
        let session = self.session(&session.0)?;
        looker.acts("revoke what a session watches", Some(session.label()))?;
        self.inspector.revoke(&session);
        Ok(Json(self.sent_away(&session)))
    }
}

impl OperatorApi {
    fn session(&self, text: &str) -> Result<Arc<Session>, Refusal> {
        let session = self.inspector.find(label(text)?);
        session.ok_or_else(|| no_session(text))
    }

    fn sent_away(&self, session: &Session) -> SentAway {
        SentAway {
            session: session.label().to_string(),
            subscriptions: self.inspector.watched_by(session) as u64,
        }
    }
}
