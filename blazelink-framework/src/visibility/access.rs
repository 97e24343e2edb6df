//! `Access`: what one viewer may see of one table, as the app says it.

use std::any::TypeId;
use std::fmt;

use sea_orm::sea_query::{Condition, IntoCondition};
use sea_orm::{ColumnTrait, EntityTrait};

use super::rule::{ColumnName, Rule};

/// What a viewer may see of a table: which rows, and of these all columns but some.
///
/// A row outside of it is a row that is not there. A hidden column is null, with an error that
/// says so whatever its value is; so is a relation that would tell its value.
#[derive(Clone, PartialEq)]
pub struct Access {
    pub(super) rows: Rule,
    /// A condition in SQL that holds as well.
    pub(super) condition: Option<Condition>,
    /// Entities that the condition reads besides those that it names.
    pub(super) reads: Vec<TypeId>,
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
            condition: None,
            reads: Vec::new(),
            hidden: Vec::new(),
        }
    }

    /// All columns of the rows for which this condition of SeaORM's holds: whatever SQL can say of
    /// a row that goes by its table's name, other tables included. The slow way: use a [`Rule`] where
    /// one can say it.
    ///
    /// Answers are narrowed by it in SQL. For what is told of a commit, Postgres is asked to judge
    /// the rows before and after it; commits wait for that, at most
    /// [`limits::CONDITIONS_TIMEOUT`](crate::codes::limits::CONDITIONS_TIMEOUT). Whom it leaves
    /// without an answer is told to read again.
    ///
    /// When rows change of another exposed table that the condition names, whoever watches rows
    /// under it is told to read them again. Tables that it reads without naming them, behind a view
    /// or a function, are said with [`Access::reading`]. Changes of tables that are not exposed are
    /// not heard. The condition may name no column that Postgres generates.
    ///
    /// ```
    /// # mod note {
    /// #     use sea_orm::entity::prelude::*;
    /// #     #[sea_orm::model]
    /// #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
    /// #     #[sea_orm(table_name = "note")]
    /// #     pub struct Model {
    /// #         #[sea_orm(primary_key)] pub id: i32,
    /// #         pub team_id: i32,
    /// #     }
    /// #     impl ActiveModelBehavior for ActiveModel {}
    /// # }
    /// use blazelink::{Access, Viewer};
    /// use sea_orm::sea_query::Expr;
    ///
    /// // Notes of the teams that one is a member of.
    /// fn notes(viewer: &Viewer) -> Access {
    ///     match viewer.get::<i32>() {
    ///         Some(&user) => Access::sql(Expr::cust_with_values(
    ///             "note.team_id IN (SELECT team_id FROM membership WHERE user_id = $1)",
    ///             [user],
    ///         )),
    ///         None => Access::none(),
    ///     }
    /// }
    /// ```
    pub fn sql(condition: impl IntoCondition) -> Access {
        Access {
            condition: Some(condition.into_condition()),
            ..Access::all()
        }
    }

    /// The same, and a change of any row of `E` may change which rows are seen: for what a
    /// condition in SQL reads without naming it.
    #[must_use]
    pub fn reading<E: EntityTrait>(mut self) -> Access {
        self.reads.push(TypeId::of::<E>());
        self
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
        match (&self.condition, self.rows == Rule::all()) {
            (Some(_), _) => f.write_str("sees rows by a condition in SQL")?,
            (None, true) => f.write_str("sees all rows")?,
            (None, false) => write!(f, "sees rows by a rule on {:?}", self.rows)?,
        }
        for (at, column) in self.hidden.iter().enumerate() {
            let word = if at == 0 { ", without" } else { " and" };
            write!(f, "{word} `{}`", column.name)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Access({self})")
    }
}
