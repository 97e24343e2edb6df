//! The inspector's explorer: a query that whoever looks puts to the app, as somebody's session sees it;
//! answered by the code that answers clients, with what it depends on and the statements that it ran.
//!
//! What must stay true: it only reads, as the viewer may; it shows values, so it is there where values
//! are shown, and in development. It runs on the app's own runtime, where the database's connections
//! are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::OperationType;
use poem_openapi::types::Any;
use serde_json::Value;
use tokio::runtime::Handle;

use super::inspector::{Inspector, role_of, tier};
use super::names::name_of;
use super::recordings::NotDone;
use super::report::{DependencyReport, Explored, ReadReport, StatementReport};
use super::updates::Values;
use crate::config::Environment;
use crate::context::BlazeContext;
use crate::data::{Ran, noting};
use crate::error::Result;
use crate::graphql::{Executor, Request, Response};
use crate::object_id::ObjectId;
use crate::session::{SessionId, SessionLabel};
use crate::subscription::{Dependency, Reading, Role, SessionWatch, Watch};
use crate::viewer::Viewer;

/// What answers queries.
#[derive(Debug)]
pub(crate) struct Explorer {
    executor: Arc<Executor>,
    runtime: Handle,
}

/// A query that is to be answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// The document.
    pub(crate) query: String,
    /// Its variables.
    pub(crate) variables: serde_json::Map<String, Value>,
    /// As whose session it is to be answered; nobody in particular's, if none is named.
    pub(crate) of: Option<SessionLabel>,
    /// What names the session that is to watch what is read; none is to, without it.
    pub(crate) live: Option<String>,
}

impl Explorer {
    /// Asks this executor, on this runtime.
    pub(crate) fn new(executor: Arc<Executor>, runtime: Handle) -> Explorer {
        Explorer { executor, runtime }
    }

    /// Answers, and notes what that depends on and what it ran.
    async fn answer(
        &self,
        request: Request,
        context: BlazeContext,
        watch: Noting,
    ) -> Option<(Response, Vec<Ran>)> {
        let executor = Arc::clone(&self.executor);
        let answering = self
            .runtime
            .spawn(async move { noting(executor.execute(request, &context, &watch)).await });
        answering.await.ok()
    }
}

impl Inspector {
    /// Answers a query.
    ///
    /// # Errors
    ///
    /// If values are not shown, if it writes, or if there is no such session.
    pub(crate) async fn explore(&self, asked: Asked) -> std::result::Result<Explored, NotDone> {
        if self.values == Values::Masked && self.subject.environment == Environment::Production {
            return Err(NotDone::Refused(
                "The explorer shows values, and in production that is for [debugger] values = true"
                    .to_owned(),
            ));
        }
        if writes(&asked.query) {
            return Err(NotDone::Refused(
                "The explorer only reads: send mutations to the app itself".to_owned(),
            ));
        }
        let viewer = match asked.of {
            None => Viewer::anonymous(),
            Some(label) => {
                let session = self.find(label);
                let session = session.ok_or_else(|| {
                    NotDone::Unknown(format!("There is no session {label}: it has ended"))
                })?;
                session.viewer()
            }
        };
        let subscriptions = &self.subject.subscriptions;
        let watching = match asked.live {
            None => None,
            Some(name) => {
                let id = SessionId::new(&format!("explorer {name}"));
                let id = id.ok_or_else(|| {
                    NotDone::Refused("What names a live query is too long".to_owned())
                })?;
                let session = subscriptions.connections().open(&id, Instant::now());
                let bound = subscriptions.bind(&session, &viewer);
                bound.map_err(|another| NotDone::Refused(another.to_string()))?;
                Some(session)
            }
        };
        let label = watching.as_ref().map(|session| session.label());
        let noted = Arc::new(Noted::default());
        let watch = Noting {
            noted: Arc::clone(&noted),
            on: watching.map(|session| subscriptions.watch_for(&session)),
        };
        let context = BlazeContext::new(viewer.clone());
        let context = match label {
            Some(label) => context.in_session(label),
            None => context,
        };
        let request = Request {
            query: asked.query,
            operation_name: None,
            variables: asked.variables,
        };
        let began = Instant::now();
        let answered = self.subject.explorer.answer(request, context, watch).await;
        let (response, ran) = answered.ok_or_else(|| {
            NotDone::Refused("The app has stopped, or failed while it answered".to_owned())
        })?;
        let answer = serde_json::from_slice(&response.body);
        let answer = answer.unwrap_or_else(|_| {
            Value::String(String::from_utf8_lossy(&response.body).into_owned())
        });
        Ok(Explored {
            status: response.status,
            answer: Any(answer),
            took_us: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
            viewer: match viewer.is_anonymous() {
                true => "anonymous".to_owned(),
                false => "known".to_owned(),
            },
            session: label.map(|label| label.to_string()),
            reads: self.reads_of(&noted),
            statements: ran
                .into_iter()
                .map(|ran| StatementReport {
                    sql: ran.sql,
                    took_us: u64::try_from(ran.took.as_micros()).unwrap_or(u64::MAX),
                    rows: ran.rows as u64,
                })
                .collect(),
        })
    }

    fn reads_of(&self, noted: &Noted) -> Vec<ReadReport> {
        let exposure = self.subject.subscriptions.exposure();
        let noted = noted.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reads: BTreeMap<String, Vec<DependencyReport>> = BTreeMap::new();
        for (object, role, dependency) in &*noted {
            let report = DependencyReport {
                words: self.subject.tables.in_words(dependency),
                role: role_of(*role).to_owned(),
                tier: tier(dependency).0.to_owned(),
            };
            let of_read = reads.entry(name_of(exposure, object)).or_default();
            if !of_read.contains(&report) {
                of_read.push(report);
            }
        }
        let reads = reads.into_iter();
        reads
            .map(|(object, dependencies)| ReadReport {
                object,
                dependencies,
            })
            .collect()
    }
}

/// Whether a document would write. One that is none writes nothing, and is answered with what is wrong.
fn writes(query: &str) -> bool {
    parse_query(query).is_ok_and(|document| {
        let mut operations = document.operations.iter();
        operations.any(|(_, operation)| operation.node.ty == OperationType::Mutation)
    })
}

/// What a query depends on.
#[derive(Debug, Default)]
struct Noted(Mutex<Vec<(ObjectId, Role, Dependency)>>);

/// Notes what a query depends on, and has a session watch it, if one is to.
#[derive(Debug)]
struct Noting {
    noted: Arc<Noted>,
    on: Option<SessionWatch>,
}

impl Watch for Noting {
    fn begin(&self, object: ObjectId, selection: u64) -> Arc<dyn Reading> {
        let on = self.on.as_ref();
        Arc::new(NotingReading {
            noted: Arc::clone(&self.noted),
            on: on.map(|watch| watch.begin(object.clone(), selection)),
            object,
        })
    }

    fn is_new(&self, object: &ObjectId, selection: u64) -> bool {
        let on = self.on.as_ref();
        on.is_some_and(|watch| watch.is_new(object, selection))
    }
}

struct NotingReading {
    noted: Arc<Noted>,
    on: Option<Arc<dyn Reading>>,
    object: ObjectId,
}

impl Reading for NotingReading {
    fn depend(&self, role: Role, dependency: Dependency) -> Result<()> {
        let mut noted = self.noted.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.push((self.object.clone(), role, dependency.clone()));
        drop(noted);
        match &self.on {
            Some(on) => on.depend(role, dependency),
            None => Ok(()),
        }
    }

    fn finish(&self) {
        if let Some(on) = &self.on {
            on.finish();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_write_is_told_from_what_reads() {
        assert!(writes("mutation { a }"));
        assert!(writes("query A { a } mutation B { b }"));
        assert!(!writes("{ a }"));
        assert!(!writes("subscription { a }"));
        assert!(!writes("mutation {"), "it is no document");
    }
}
