//! Who must be told of what: dependencies, the index that matches changes to them, and the
//! manager that the rest of the framework talks to.

mod dependency;

pub use dependency::{Dependency, Reading, Role, Unwatched, Watch};
