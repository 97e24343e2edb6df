//! Who must be told of what: dependencies, the index that matches changes to them, and the
//! manager that the rest of the framework talks to.

mod concerned;
#[cfg(test)]
mod cost;
mod declared;
mod dependency;
mod event;
mod graph;
mod index;
mod judge;
mod judging;
mod ledger;
mod manager;
#[cfg(test)]
mod model;
mod monitored;
mod points;
mod pool;
mod portable;
mod publish;
mod rehearsal;
mod residual;
mod residuals;
mod rules;
mod session_watch;
#[cfg(test)]
pub(crate) mod testing;
mod viewers;

pub use declared::Declared;
pub use dependency::{Dependency, Reading, Role, Unwatched, Watch};
pub use index::{Answer, Full, Notice, SubscriptionIndex};
pub(crate) use judging::Conditions;
pub use ledger::{Ledger, View, ViewName, Visit};
pub use manager::SubscriptionManager;
pub(crate) use portable::{Named, NamedView};
pub(crate) use rehearsal::Stage;
pub use residual::{OneOf, Residual};
pub use session_watch::SessionWatch;
