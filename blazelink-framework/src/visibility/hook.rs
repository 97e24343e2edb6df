//! `Hook`: the app's code that says what a viewer may see or write of a table. Held by its `TableDef`,
//! asked for each request and each commit.
//!
//! What must stay true: where it panics, nobody sees or writes anything for it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::viewer::Viewer;

/// Says what a viewer may, in terms of `A`.
pub(crate) struct Hook<A>(Arc<dyn Fn(&Viewer) -> A + Send + Sync>);

impl<A> Hook<A> {
    pub(crate) fn new(hook: impl Fn(&Viewer) -> A + Send + Sync + 'static) -> Hook<A> {
        Hook(Arc::new(hook))
    }

    /// What the app says; nothing if its code panics.
    pub(crate) fn access(&self, viewer: &Viewer) -> Option<A> {
        catch_unwind(AssertUnwindSafe(|| (self.0)(viewer))).ok()
    }
}

// Derived, it would ask the same of `A`.
impl<A> Clone for Hook<A> {
    fn clone(&self) -> Hook<A> {
        Hook(Arc::clone(&self.0))
    }
}

impl<A> fmt::Debug for Hook<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}
