//! `Rule`: which rows of a table, said in terms of its columns and of values that belong to the
//! viewer. Words only; [`Sight`](super::Sight) binds it to a table.

use std::any::TypeId;
use std::fmt;
use std::ops::Not;

use sea_orm::sea_query::Iden;
use sea_orm::{ColumnTrait, Value};

/// Which rows of a table. Behaves as the same condition in SQL does, NULL included: a comparison
/// with NULL is neither true nor false, and rows are meant for which the whole is true.
///
/// Compared are integers, booleans, UUIDs, texts, dates and enums; dates and enums with a text, as
/// Postgres prints them. The columns may be hidden ones, but none that Postgres generates.
///
/// ```
/// use blazelink::Rule;
/// # mod note {
/// #     use sea_orm::entity::prelude::*;
/// #     #[sea_orm::model]
/// #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
/// #     #[sea_orm(table_name = "note")]
/// #     pub struct Model {
/// #         #[sea_orm(primary_key)] pub id: i32,
/// #         pub author_id: i32,
/// #         pub team_id: Option<i32>,
/// #     }
/// #     impl ActiveModelBehavior for ActiveModel {}
/// # }
///
/// let mine = Rule::eq(note::Column::AuthorId, 7);
/// let of_my_teams = Rule::is_in(note::Column::TeamId, [1, 2]);
/// let visible = mine.or(of_my_teams).or(Rule::is_null(note::Column::TeamId));
/// ```
#[derive(Clone, PartialEq)]
pub struct Rule(pub(super) Node);

#[derive(Clone, PartialEq)]
pub(super) enum Node {
    Constant(bool),
    Equal(ColumnName, Literal),
    OneOf(ColumnName, Vec<Literal>),
    IsNull(ColumnName),
    All(Vec<Rule>),
    Any(Vec<Rule>),
    Not(Box<Rule>),
}

/// A column as the author names it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct ColumnName {
    pub(super) entity: TypeId,
    pub(super) name: String,
}

impl ColumnName {
    pub(super) fn of<C: ColumnTrait>(column: &C) -> ColumnName {
        ColumnName {
            entity: TypeId::of::<C::EntityName>(),
            name: Iden::unquoted(column).to_owned(),
        }
    }
}

impl fmt::Debug for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A value to compare with.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Literal {
    Null,
    Integer(i64),
    Boolean(bool),
    Uuid(String),
    Text(String),
    /// Of a type that rules do not compare.
    Unfit,
}

impl From<Value> for Literal {
    fn from(value: Value) -> Literal {
        use Literal::{Boolean, Integer, Null, Text, Uuid};
        let integer = |number: Option<i64>| number.map_or(Null, Integer);
        match value {
            Value::Bool(truth) => truth.map_or(Null, Boolean),
            Value::TinyInt(number) => integer(number.map(i64::from)),
            Value::SmallInt(number) => integer(number.map(i64::from)),
            Value::Int(number) => integer(number.map(i64::from)),
            Value::BigInt(number) => integer(number),
            Value::TinyUnsigned(number) => integer(number.map(i64::from)),
            Value::SmallUnsigned(number) => integer(number.map(i64::from)),
            Value::Unsigned(number) => integer(number.map(i64::from)),
            Value::String(text) => text.map_or(Null, Text),
            Value::Uuid(id) => id.map_or(Null, |id| Uuid(id.to_string())),
            _ => Literal::Unfit,
        }
    }
}

impl Rule {
    /// Every row.
    pub fn all() -> Rule {
        Rule(Node::Constant(true))
    }

    /// No row.
    pub fn none() -> Rule {
        Rule(Node::Constant(false))
    }

    /// The rows in which the column has this value. None if the value is NULL.
    pub fn eq<C: ColumnTrait>(column: C, value: impl Into<Value>) -> Rule {
        Rule(Node::Equal(ColumnName::of(&column), value.into().into()))
    }

    /// The rows in which the column has one of these values.
    pub fn is_in<C: ColumnTrait, V: Into<Value>>(
        column: C,
        values: impl IntoIterator<Item = V>,
    ) -> Rule {
        let values = values.into_iter().map(|value| value.into().into());
        Rule(Node::OneOf(ColumnName::of(&column), values.collect()))
    }

    /// The rows in which the column is NULL.
    pub fn is_null<C: ColumnTrait>(column: C) -> Rule {
        Rule(Node::IsNull(ColumnName::of(&column)))
    }

    /// The rows that both mean.
    #[must_use]
    pub fn and(self, other: Rule) -> Rule {
        Rule(Node::All(vec![self, other]))
    }

    /// The rows that one of both means.
    #[must_use]
    pub fn or(self, other: Rule) -> Rule {
        Rule(Node::Any(vec![self, other]))
    }
}

impl Not for Rule {
    type Output = Rule;

    /// The rows for which the rule is false; those for which it is neither true nor false stay
    /// out, as in SQL.
    fn not(self) -> Rule {
        Rule(Node::Not(Box::new(self)))
    }
}

impl fmt::Debug for Rule {
    /// The columns; the values, which are a viewer's, never print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, name: &str, rules: &[Rule]| {
            let mut tuple = f.debug_tuple(name);
            rules.iter().for_each(|rule| {
                tuple.field(rule);
            });
            tuple.finish()
        };
        match &self.0 {
            Node::Constant(true) => f.write_str("all"),
            Node::Constant(false) => f.write_str("none"),
            Node::Equal(column, _) => write!(f, "{} = ..", column.name),
            Node::OneOf(column, values) => {
                write!(f, "{} in ({} values)", column.name, values.len())
            }
            Node::IsNull(column) => write!(f, "{} is null", column.name),
            Node::All(rules) => list(f, "and", rules),
            Node::Any(rules) => list(f, "or", rules),
            Node::Not(rule) => write!(f, "not({rule:?})"),
        }
    }
}
