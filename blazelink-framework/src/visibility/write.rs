//! `WriteAccess`: what one viewer may write of one table, as the app says it, and what that means
//! for the table.
//!
//! Made for each write, never kept. What must stay true: where nothing is said, nothing may be
//! written; and rules judge the row that is stored, not the one that a client sent.

use sea_orm::{ColumnTrait, Value};

use super::access::Access;
use super::bound_rule::position;
use super::rule::{ColumnName, Rule};
use super::sight::Sight;
use crate::error::{Error, Result};
use crate::table::TableDef;

/// What a viewer may write of a table: which rows may be created, updated and deleted, and which
/// columns written.
///
/// It adds to what the viewer sees: a row out of sight cannot be updated or deleted, a column that
/// is hidden from the viewer cannot be written unless [`WriteAccess::only`] names it, and a
/// reference cannot be set to a row out of sight.
///
/// ```
/// # mod note {
/// #     use sea_orm::entity::prelude::*;
/// #     #[sea_orm::model]
/// #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
/// #     #[sea_orm(table_name = "note")]
/// #     pub struct Model {
/// #         #[sea_orm(primary_key)] pub id: i32,
/// #         pub author_id: i32,
/// #         pub body: String,
/// #     }
/// #     impl ActiveModelBehavior for ActiveModel {}
/// # }
/// use blazelink::{Rule, Viewer, WriteAccess};
///
/// // Everybody writes notes of their own, and can give none of them away.
/// fn own_notes(viewer: &Viewer) -> WriteAccess {
///     match viewer.get::<i32>() {
///         Some(&user) => {
///             let own = Rule::eq(note::Column::AuthorId, user);
///             WriteAccess::none().create(own.clone()).update(own.clone()).delete(own)
///         }
///         None => WriteAccess::none(),
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct WriteAccess {
    create: Rule,
    update: Rule,
    becomes: Option<Rule>,
    delete: Rule,
    only: Option<Vec<ColumnName>>,
    except: Vec<ColumnName>,
}

impl WriteAccess {
    /// Nothing.
    pub fn none() -> WriteAccess {
        WriteAccess {
            create: Rule::none(),
            update: Rule::none(),
            becomes: None,
            delete: Rule::none(),
            only: None,
            except: Vec::new(),
        }
    }

    /// All rows and columns that the viewer sees.
    pub fn all() -> WriteAccess {
        WriteAccess::none()
            .create(Rule::all())
            .update(Rule::all())
            .delete(Rule::all())
    }

    /// Rows may be created that are such rows once they are stored.
    #[must_use]
    pub fn create(mut self, rows: Rule) -> WriteAccess {
        self.create = rows;
        self
    }

    /// Such rows may be updated, and must be such rows afterwards.
    #[must_use]
    pub fn update(mut self, rows: Rule) -> WriteAccess {
        self.update = rows;
        self
    }

    /// Rows that are updated must be such rows afterwards, instead of what
    /// [`WriteAccess::update`] says.
    #[must_use]
    pub fn becoming(mut self, rows: Rule) -> WriteAccess {
        self.becomes = Some(rows);
        self
    }

    /// Such rows may be deleted.
    #[must_use]
    pub fn delete(mut self, rows: Rule) -> WriteAccess {
        self.delete = rows;
        self
    }

    /// Of the columns only these may be written, also those of them that the viewer does not see.
    #[must_use]
    pub fn only<C: ColumnTrait>(mut self, columns: impl IntoIterator<Item = C>) -> WriteAccess {
        let columns = columns.into_iter();
        self.only = Some(columns.map(|column| ColumnName::of(&column)).collect());
        self
    }

    /// These columns may not be written.
    #[must_use]
    pub fn except<C: ColumnTrait>(mut self, columns: impl IntoIterator<Item = C>) -> WriteAccess {
        let columns = columns.into_iter();
        self.except
            .extend(columns.map(|column| ColumnName::of(&column)));
        self
    }
}

/// Rows of one table that may be written.
#[derive(Clone, Debug)]
pub(crate) struct Writable(Sight);

impl Writable {
    fn bind(rule: &Rule, table: &TableDef) -> Result<Writable> {
        let bound = Sight::bind(&Access::rows(rule.clone()), table);
        bound.map(Writable).map_err(of_writes)
    }

    /// Whether no row may be, whatever the rows are.
    pub(crate) fn is_nothing(&self) -> bool {
        self.0.is_nothing()
    }

    /// The rows, as SQL that is true or false of the row `alias`. The first placeholder is
    /// `$first`, and its values are appended to `values`.
    pub(crate) fn sql(&self, alias: &str, first: usize, values: &mut Vec<Value>) -> String {
        format!("({}) IS TRUE", self.0.sql(alias, first, values))
    }
}

/// A [`WriteAccess`] bound to the columns of one table.
#[derive(Clone, Debug)]
pub(crate) struct WriteSight {
    pub(crate) create: Writable,
    pub(crate) update: Writable,
    /// What an updated row must be afterwards.
    pub(crate) becomes: Writable,
    pub(crate) delete: Writable,
    /// Positions among the table's columns; nothing for all.
    only: Option<Vec<usize>>,
    except: Vec<usize>,
}

impl WriteSight {
    /// What this access means for this table.
    ///
    /// # Errors
    ///
    /// If a rule cannot be bound as [`Sight::bind`] says, or a column is none of the table's.
    pub(crate) fn bind(access: &WriteAccess, table: &TableDef) -> Result<WriteSight> {
        let positions = |names: &[ColumnName]| {
            let found = names.iter().map(|name| position(name, table));
            found.collect::<Result<Vec<_>>>().map_err(of_writes)
        };
        let becomes = access.becomes.as_ref().unwrap_or(&access.update);
        Ok(WriteSight {
            create: Writable::bind(&access.create, table)?,
            update: Writable::bind(&access.update, table)?,
            becomes: Writable::bind(becomes, table)?,
            delete: Writable::bind(&access.delete, table)?,
            only: access.only.as_deref().map(positions).transpose()?,
            except: positions(&access.except)?,
        })
    }

    /// Whether the column may be written by a viewer who sees this of the table; nothing stands
    /// for everything.
    pub(crate) fn takes(&self, column: usize, sight: Option<&Sight>) -> bool {
        let named = match &self.only {
            Some(only) => only.contains(&column),
            None => !sight.is_some_and(|sight| sight.hides(column)),
        };
        named && !self.except.contains(&column)
    }
}

fn of_writes(error: Error) -> Error {
    error.with_hint("correct what `.writes::<..>(..)` allows of the table")
}
