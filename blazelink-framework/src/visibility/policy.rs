//! `ReadPolicy`: what the app has said of who may read a table, and what holds where it has said
//! nothing. Held by each `TableDef`; what may be written is said beside it, never here.
//!
//! What must stay true: outside of development a table of which nothing is said is closed.

use super::access::Access;
use super::hook::Hook;

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
    Asked(Hook<Access>),
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
