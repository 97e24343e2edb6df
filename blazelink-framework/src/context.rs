//! `BlazeContext`: in whose name a request is answered. Made by the endpoint for each request,
//! handed to the executor, seen by computed fields.

use crate::session::SessionLabel;
use crate::viewer::Viewer;

/// Who asks, and in which session. By default nobody, and in none.
#[derive(Clone, Debug, Default)]
pub struct BlazeContext {
    viewer: Viewer,
    session: Option<SessionLabel>,
}

impl BlazeContext {
    /// The context of this viewer, outside of any session.
    pub fn new(viewer: Viewer) -> BlazeContext {
        BlazeContext {
            viewer,
            session: None,
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

    /// Who asks.
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// What logs show of the session; nothing if the request names none.
    pub fn session(&self) -> Option<SessionLabel> {
        self.session
    }
}
