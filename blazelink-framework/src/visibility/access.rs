//! `Access`: what one viewer may see of one table, as the app says it, and the hook that asks the
//! app.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use sea_orm::ColumnTrait;

use super::rule::{ColumnName, Rule};
use crate::viewer::Viewer;

/// What a viewer may see of a table: which rows, and of these all columns but some.
///
/// A row outside of it is a row that is not there. A hidden column is null, with an error that
/// says so whatever its value is; so is a relation that would tell its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Access {
    pub(super) rows: Rule,
    pub(super) hidden: Vec<ColumnName>,
}

impl Access {
    /// Everything.
    pub fn all() -> Access {
        Access::rows(Rule::all())
    }

    /// Nothing.
    pub fn none() -> Access {
        Access::rows(Rule::none())
    }

    /// All columns of these rows.
    pub fn rows(rule: Rule) -> Access {
        Access {
            rows: rule,
            hidden: Vec::new(),
        }
    }

    /// The same without this column. The columns of the key cannot be hidden: they name the row.
    #[must_use]
    pub fn hide<C: ColumnTrait>(mut self, column: C) -> Access {
        self.hidden.push(ColumnName::of(&column));
        self
    }
}

impl fmt::Debug for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The app's code that says what a viewer may see of a table.
#[derive(Clone)]
pub(crate) struct Hook(Arc<dyn Fn(&Viewer) -> Access + Send + Sync>);

impl Hook {
    pub(crate) fn new(hook: impl Fn(&Viewer) -> Access + Send + Sync + 'static) -> Hook {
        Hook(Arc::new(hook))
    }

    /// What the app says; nothing if its code panics. It is asked on the thread that publishes,
    /// too, which must outlive it.
    pub(crate) fn access(&self, viewer: &Viewer) -> Option<Access> {
        catch_unwind(AssertUnwindSafe(|| (self.0)(viewer))).ok()
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}
