//! The debugger's HTTP API, for the tool and the pages; `/api/openapi.json` describes it.
//!
//! What must stay true: every list has a limit, and nothing here changes anything of the app. Whoever
//! asks has passed the `gate` by then.

use std::sync::Arc;

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::types::Any;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde_json::Value;

use super::explorer::Asked;
use super::filter::{Filter, Misread};
use super::inquiry::{Question, Unanswerable};
use super::inspector::Inspector;
use super::report::{
    self, Explored, Grid, Overview, ReplicationReport, SchemaReport, SessionDetail, Sessions,
    Subscriptions, Updates, Why,
};
use super::summary::{By, Summary};
use crate::change::Lsn;
use crate::session::SessionLabel;

/// Rows of a list, if no other number is asked for, and the most that may be.
const LISTED: usize = 50;
const MOST: usize = 500;

/// See the file's head.
pub(crate) struct Api {
    /// Who answers.
    pub(crate) inspector: Arc<Inspector>,
}

/// Why something is not answered.
#[derive(Debug, Object)]
pub(crate) struct Unanswered {
    /// A sentence.
    error: String,
    /// The part of the question that is wrong, if one is.
    part: Option<String>,
}

#[derive(Debug, ApiResponse)]
pub(crate) enum Refusal {
    /// The question is not understood.
    #[oai(status = 400)]
    Misread(Json<Unanswered>),
    /// Whoever asks may not.
    #[oai(status = 403)]
    Forbidden(Json<Unanswered>),
    /// There is none.
    #[oai(status = 404)]
    Unknown(Json<Unanswered>),
    /// It cannot be done as things are.
    #[oai(status = 409)]
    Refused(Json<Unanswered>),
    /// Postgres does not say.
    #[oai(status = 503)]
    Silent(Json<Unanswered>),
}

impl Refusal {
    pub(super) fn misread(part: &str, sentence: impl Into<String>) -> Refusal {
        Refusal::Misread(Json(Unanswered {
            error: sentence.into(),
            part: Some(part.to_owned()),
        }))
    }

    pub(super) fn forbidden(sentence: String) -> Refusal {
        Refusal::Forbidden(Json(Unanswered {
            error: sentence,
            part: None,
        }))
    }

    fn silent(sentence: String) -> Refusal {
        Refusal::Silent(Json(Unanswered {
            error: sentence,
            part: None,
        }))
    }

    pub(super) fn refused(sentence: String) -> Refusal {
        Refusal::Refused(Json(Unanswered {
            error: sentence,
            part: None,
        }))
    }

    pub(super) fn unknown(sentence: impl Into<String>) -> Refusal {
        Refusal::Unknown(Json(Unanswered {
            error: sentence.into(),
            part: None,
        }))
    }
}

pub(super) type Answer<T> = Result<Json<T>, Refusal>;

/// What is to be done with one transaction.
#[derive(Debug, Object)]
pub(crate) struct Pin {
    /// Whether it is to be kept as long as possible.
    pinned: bool,
}

/// A query that is to be answered.
#[derive(Debug, Object)]
pub(crate) struct Explore {
    /// The document; it only reads.
    query: String,
    /// Its variables, an object.
    variables: Option<Any<Value>>,
    /// The label of the session as whose viewer sees it; nobody in particular, if none is named.
    #[oai(rename = "as")]
    of: Option<String>,
    /// What names this query while it is to be kept current, and nobody can guess: a session of the
    /// explorer's then watches what it reads, and hears of it.
    live: Option<String>,
}

#[OpenApi(prefix_path = "/api")]
#[allow(clippy::unused_async, reason = "the derive takes no other functions")]
impl Api {
    /// How the app does: the stages from Postgres to clients, the sessions, what is wrong.
    #[oai(path = "/overview", method = "get")]
    async fn overview(&self) -> Json<Overview> {
        Json(self.inspector.overview())
    }

    /// The newest transactions.
    #[oai(path = "/updates", method = "get")]
    async fn updates(
        &self,
        /// Which, such as `table:game_event op:insert outcome:denied lag>100ms since:5m`. All terms
        /// must hold: table, row, op, session, outcome, cause, since, lag.
        filter: Query<Option<String>>,
        /// Only those with a smaller number.
        before: Query<Option<u64>>,
        /// How many; at most 500.
        limit: Query<Option<usize>>,
    ) -> Answer<Updates> {
        let filter = filtered(filter.0.as_deref())?;
        Ok(Json(self.inspector.updates(
            &filter,
            before.0,
            listed(limit.0),
        )))
    }

    /// The transactions that are remembered, put together and in numbers.
    #[oai(path = "/summary", method = "get")]
    async fn summary(
        &self,
        /// By what they are put together: `change` or `cause`.
        by: Query<By>,
        /// Which, as for a list of them.
        filter: Query<Option<String>>,
    ) -> Answer<Summary> {
        let filter = filtered(filter.0.as_deref())?;
        Ok(Json(self.inspector.summary(&filter, by.0)))
    }

    /// One transaction, and everything that became of it.
    #[oai(path = "/updates/:number", method = "get")]
    async fn update(&self, number: Path<u64>) -> Answer<report::Path> {
        let path = self.inspector.update(number.0);
        path.map(Json).ok_or_else(|| not_kept(number.0))
    }

    /// Keeps a transaction as long as possible, or no longer.
    #[oai(path = "/updates/:number/pin", method = "put")]
    async fn pin(&self, number: Path<u64>, pin: Json<Pin>) -> Answer<Pin> {
        let pinned = pin.0.pinned;
        match self.inspector.pin(number.0, pinned) {
            true => Ok(Json(Pin { pinned })),
            false => Err(not_kept(number.0)),
        }
    }

    /// The sessions: those that something waits for first.
    #[oai(path = "/sessions", method = "get")]
    async fn sessions(
        &self,
        /// Only those in this state: `live`, `behind` or `offline`.
        state: Query<Option<String>>,
        /// How many; at most 500.
        limit: Query<Option<usize>>,
    ) -> Answer<Sessions> {
        let state = state.0.as_deref();
        if let Some(other) = state.filter(|it| !["live", "behind", "offline"].contains(it)) {
            return Err(Refusal::misread(
                other,
                "a state is live, behind or offline",
            ));
        }
        let keep = |session: &str| state.is_none_or(|state| session == state);
        let sessions = self
            .inspector
            .sessions(|_, report| keep(&report.state), listed(limit.0));
        Ok(Json(sessions))
    }

    /// One session, with what it watches.
    #[oai(path = "/sessions/:session", method = "get")]
    async fn session(&self, session: Path<String>) -> Answer<SessionDetail> {
        let label = label(&session.0)?;
        let detail = self.inspector.session(label);
        detail.map(Json).ok_or_else(|| no_session(&session.0))
    }

    /// The state of every session in one string, for a picture of all of them.
    #[oai(path = "/grid", method = "get")]
    async fn grid(&self) -> Json<Grid> {
        Json(self.inspector.grid())
    }

    /// The sessions of one cell of the picture.
    #[oai(path = "/grid/:cell", method = "get")]
    async fn cell(&self, cell: Path<u64>) -> Json<Sessions> {
        Json(self.inspector.cell(cell.0, MOST))
    }

    /// The tables that the app exposes, and who sees what of them.
    #[oai(path = "/schema", method = "get")]
    async fn schema(&self) -> Json<SchemaReport> {
        Json(self.inspector.schema())
    }

    /// How the app stands with Postgres: positions, slots, what is published.
    #[oai(path = "/replication", method = "get")]
    async fn replication(&self) -> Answer<ReplicationReport> {
        let said = self.inspector.replication().await;
        said.map(Json).map_err(Refusal::silent)
    }

    /// What sessions watch, by shape.
    #[oai(path = "/subscriptions", method = "get")]
    async fn subscriptions(&self) -> Json<Subscriptions> {
        Json(self.inspector.subscriptions())
    }

    /// Answers a query, as a session's viewer sees it.
    #[oai(path = "/explore", method = "post")]
    async fn explore(&self, explore: Json<Explore>) -> Answer<Explored> {
        let Json(explore) = explore;
        let of = explore.of.as_deref().filter(|label| !label.is_empty());
        let asked = Asked {
            query: explore.query,
            variables: match explore.variables {
                Some(Any(Value::Object(variables))) => variables,
                Some(Any(Value::Null)) | None => serde_json::Map::new(),
                Some(_) => {
                    return Err(Refusal::misread("variables", "variables are a JSON object"));
                }
            },
            of: of.map(label).transpose()?,
            live: explore.live,
        };
        Ok(Json(self.inspector.explore(asked).await?))
    }

    /// Why a session did, or did not, hear of a row.
    #[oai(path = "/why", method = "get")]
    async fn why(
        &self,
        /// The session's label, such as `s_0009f2`.
        session: Query<String>,
        /// The row, such as `game_event:17`; or a table.
        object: Query<String>,
        /// The commit that it is about, as a position in the log; the newest that has changed the row,
        /// if none is named.
        at: Query<Option<String>>,
    ) -> Answer<Why> {
        let at = match at.0.as_deref() {
            None => None,
            Some(text) => Some(text.parse::<Lsn>().map_err(|()| {
                Refusal::misread(text, "a position in the log is written like 0/1A3F2C8")
            })?),
        };
        let question = Question {
            session: label(&session.0)?,
            object: &object.0,
            at,
        };
        match self.inspector.why(question).await {
            Ok(why) => Ok(Json(why)),
            Err(Unanswerable::NoSession) => Err(no_session(&session.0)),
            Err(Unanswerable::NoObject(sentence)) => Err(Refusal::misread(&object.0, sentence)),
        }
    }
}

/// Which transactions are asked for.
pub(super) fn filtered(text: Option<&str>) -> Result<Filter, Refusal> {
    Filter::parse(text.unwrap_or_default())
        .map_err(|Misread { term, sentence }| Refusal::misread(&term, sentence))
}

/// How many are asked for.
pub(super) fn listed(limit: Option<usize>) -> usize {
    limit.unwrap_or(LISTED).min(MOST)
}

pub(super) fn label(text: &str) -> Result<SessionLabel, Refusal> {
    let label = text.parse();
    label.map_err(|_| Refusal::misread(text, "a session's label is written like s_0009f2"))
}

pub(super) fn no_session(label: &str) -> Refusal {
    Refusal::unknown(format!(
        "There is no session {label}: it has ended, or belongs to another process"
    ))
}

fn not_kept(number: u64) -> Refusal {
    Refusal::unknown(format!(
        "Update {number} is not remembered, or too many are kept already"
    ))
}
