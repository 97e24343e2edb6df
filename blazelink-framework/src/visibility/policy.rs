//! `ReadPolicy`: what the app has said of who may read a table, and what holds where it has said
//! nothing. Held by each `TableDef`; what may be written is said beside it, never here.
//!
//! What must stay true: outside of development a table of which nothing is said is closed.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::access::Access;
use crate::viewer::Viewer;

/// Who may read a table.
#[derive(Clone, Debug, Default)]
pub(crate) enum ReadPolicy {
    /// The app has said nothing; what that means is decided once it is known who is served.
    #[default]
    Unsaid,
    /// The app has said nothing, and it is being developed: everybody sees everything.
    Lent,
    /// The app has said nothing: nobody sees anything.
    Closed,
    /// Everybody sees everything, as the app or the entity says.
    Public,
    /// Each viewer sees what the app says.
    Asked(Hook),
}

impl ReadPolicy {
    /// Whether not everybody may see everything.
    pub(crate) fn guards(&self) -> bool {
        match self {
            ReadPolicy::Lent | ReadPolicy::Public => false,
            ReadPolicy::Unsaid | ReadPolicy::Closed | ReadPolicy::Asked(_) => true,
        }
    }
}

/// The app's code that says what a viewer may see of a table.
#[derive(Clone)]
pub(crate) struct Hook(Arc<dyn Fn(&Viewer) -> Access + Send + Sync>);

impl Hook {
    pub(crate) fn new(hook: impl Fn(&Viewer) -> Access + Send + Sync + 'static) -> Hook {
        Hook(Arc::new(hook))
    }

    /// What the app says; nothing if its code panics.
    pub(crate) fn access(&self, viewer: &Viewer) -> Option<Access> {
        catch_unwind(AssertUnwindSafe(|| (self.0)(viewer))).ok()
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}
