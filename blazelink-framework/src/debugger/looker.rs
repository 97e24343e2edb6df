//! `Looker`: who looks at the debugger, and what they may do there.
//!
//! The gate finds it out for each request; what changes anything asks it first. What must stay true:
//! nothing is done that its role does not allow, and what is done is in the log, with who has done it.

use std::fmt;
use std::sync::Arc;

use super::api::Refusal;
use crate::config::DebuggerRole;
use crate::session::SessionLabel;

/// Somebody who looks at the debugger below a path of the app's own: see
/// [`Builder::debugger`](crate::Builder::debugger).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looker {
    name: Arc<str>,
    role: DebuggerRole,
}

impl Looker {
    /// Somebody with this role. The log tells what they do under this name.
    pub fn new(name: &str, role: DebuggerRole) -> Looker {
        Looker {
            name: name.into(),
            role,
        }
    }

    /// Their name in the log.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What they may do.
    pub fn role(&self) -> DebuggerRole {
        self.role
    }

    /// They do this, to a session or to the app. Refused unless they are an operator.
    pub(super) fn acts(&self, what: &str, session: Option<SessionLabel>) -> Result<(), Refusal> {
        if self.role < DebuggerRole::Operator {
            tracing::warn!(by = &*self.name, what, "refused in the debugger");
            return Err(Refusal::forbidden(format!(
                "You may look, and not {what}: that takes the role of an operator ([debugger] role)"
            )));
        }
        match session {
            Some(session) => {
                tracing::warn!(by = &*self.name, %session, what, "acts in the debugger")
            }
            None => tracing::warn!(by = &*self.name, what, "acts in the debugger"),
        }
        Ok(())
    }
}

impl fmt::Display for DebuggerRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DebuggerRole::Reader => "reader",
            DebuggerRole::Operator => "operator",
        })
    }
}
