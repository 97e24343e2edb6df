//! `BlazeContext`: in whose name a request is answered. Made by the endpoint for each request,
//! handed to the executor, seen by computed fields, which read the database through it (see
//! `capture`).

use std::sync::Arc;

use crate::capture::InCall;
use crate::cause::Seal;
use crate::session::SessionLabel;
use crate::viewer::Viewer;

/// Who asks, and in which session. By default nobody, and in none.
///
/// The one that [`Call::context`](crate::table::Call::context) gives is also a connection for
/// SeaORM, such as `note::Entity::find().count(cx)`: what is read through it is watched, so that
/// whoever asked is told when it changes. It only reads: one SELECT at a time, without transactions.
/// It sees all rows, whatever the viewer may see, since it is the app's own code that reads: see
/// [`Call::visible`](crate::table::Call::visible). Outside of a call, and after it, reads fail with
/// a [`DbErr`](sea_orm::DbErr) that says so.
#[derive(Clone, Debug, Default)]
pub struct BlazeContext {
    viewer: Viewer,
    session: Option<SessionLabel>,
    call: Option<Arc<InCall>>,
    /// With what transactions say what has made them, and what names the request in that.
    sealing: Option<(Seal, u32)>,
}

impl BlazeContext {
    /// The context of this viewer, outside of any session.
    pub fn new(viewer: Viewer) -> BlazeContext {
        BlazeContext {
            viewer,
            session: None,
            call: None,
            sealing: None,
        }
    }

    /// The context of nobody in particular, outside of any session.
    pub fn anonymous() -> BlazeContext {
        BlazeContext::default()
    }

    /// The same within a session.
    #[must_use]
    pub fn in_session(mut self, label: SessionLabel) -> BlazeContext {
        self.session = Some(label);
        self
    }

    /// The same for the calls of a computed field.
    pub(crate) fn in_call(&self, call: Arc<InCall>) -> BlazeContext {
        BlazeContext {
            call: Some(call),
            ..self.clone()
        }
    }

    /// The same, whose transactions say in the log what has made them.
    #[must_use]
    pub(crate) fn sealing(mut self, seal: Seal) -> BlazeContext {
        self.sealing = Some((seal, rand::random()));
        self
    }

    /// What a transaction of the request is to say of what has made it; nothing if nobody wants to
    /// know.
    pub(crate) fn cause(&self, operation: impl FnOnce() -> String) -> Option<String> {
        let (seal, request) = self.sealing.as_ref()?;
        let session = self.session.map(|session| session.to_string());
        let request = format!("r_{request:08x}");
        Some(seal.message(&operation(), session.as_deref(), &request))
    }

    /// Who asks.
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// What logs show of the session; nothing if the request names none.
    pub fn session(&self) -> Option<SessionLabel> {
        self.session
    }

    /// The call that it belongs to.
    pub(crate) fn call(&self) -> Option<&InCall> {
        self.call.as_deref()
    }
}
