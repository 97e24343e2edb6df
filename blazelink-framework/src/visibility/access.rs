//! `Access`: what one viewer may see of one table, as the app says it.

use std::fmt;

use sea_orm::ColumnTrait;

use super::rule::{ColumnName, Rule};

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

impl fmt::Display for Access {
    /// What is seen, in words, without any value: "sees all rows, without `note`".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rows == Rule::none() {
            return f.write_str("sees nothing");
        }
        match self.rows == Rule::all() {
            true => f.write_str("sees all rows")?,
            false => write!(f, "sees rows by a rule on {:?}", self.rows)?,
        }
        for (at, column) in self.hidden.iter().enumerate() {
            let word = if at == 0 { ", without" } else { " and" };
            write!(f, "{word} `{}`", column.name)?;
        }
        Ok(())
    }
}

impl fmt::Debug for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
