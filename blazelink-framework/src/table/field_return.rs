//! What a method of `#[blazelink::fields]` may return, and what becomes of it. Traits decide, not
//! the names of types, so that any alias of `Result` will do.

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

use sea_orm::sea_query::{FromValueTuple, SelectStatement};
use sea_orm::{EntityTrait, ModelTrait, PrimaryKeyTrait, QueryTrait, Select};

use super::entity::Table;
use super::field_error::FieldError;
use super::field_type::{FieldType, Output, RowType, ValueType};

/// What a method returns: a [`FieldType`], a SeaORM `Select` that pages by itself, or a `Result` of
/// one, whose error becomes a [`FieldError`].
#[diagnostic::on_unimplemented(
    message = "a computed field cannot return `{Self}`",
    label = "no value of a field",
    note = "return a scalar, a struct with `#[derive(blazelink::Struct)]`, a `Model`, a `Page<..>`, \
            a SeaORM `Select<..>`, or a `Result<..>` whose error becomes a `blazelink::FieldError`"
)]
pub trait FieldReturn: Sized {
    /// Its type in GraphQL.
    fn value_type() -> ValueType;

    /// What is to become the field's value.
    ///
    /// # Errors
    ///
    /// What the method has failed with.
    fn into_answer(self) -> Result<Answer, FieldError>;
}

/// What a method of a field with `#[batch]` returns: the values by the rows' keys, or in the order
/// of the rows, or a `Result` of one. Rows without a value have null.
#[diagnostic::on_unimplemented(
    message = "a field with `#[batch]` cannot return `{Self}`",
    label = "no values for all rows",
    note = "return `HashMap<i32, T>` by the rows' keys (a tuple for a key of several columns), or \
            `Vec<T>` in the order of the rows, or a `Result` of one"
)]
pub trait BatchReturn<M: ModelTrait>: Sized {
    /// The type of one row's value in GraphQL.
    fn value_type() -> ValueType;

    /// The values of these rows.
    ///
    /// # Errors
    ///
    /// What the method has failed with, or that it has returned too few values.
    fn into_outputs(self, rows: &[M]) -> Result<Vec<Output>, FieldError>;
}

/// What is to become a field's value.
#[derive(Debug)]
pub enum Answer {
    /// The value.
    Value(Output),
    /// One value for each row of the batch.
    Values(Vec<Output>),
    /// The rows that a statement gives, of which one page is to be read.
    Select(Box<Selected>),
}

/// A statement that gives rows of an entity.
#[derive(Clone, Debug)]
pub struct Selected {
    pub(crate) entity: TypeId,
    pub(crate) statement: SelectStatement,
}

impl<T: FieldType> FieldReturn for T {
    fn value_type() -> ValueType {
        T::value_type()
    }

    fn into_answer(self) -> Result<Answer, FieldError> {
        Ok(Answer::Value(self.into_output()))
    }
}

impl<E: Table> FieldReturn for Select<E> {
    fn value_type() -> ValueType {
        ValueType::Page(Box::new(ValueType::Row(RowType::of::<E>())))
    }

    fn into_answer(self) -> Result<Answer, FieldError> {
        Ok(Answer::Select(Box::new(Selected {
            entity: TypeId::of::<E>(),
            statement: self.into_query(),
        })))
    }
}

impl<T: FieldReturn, E: Into<FieldError>> FieldReturn for Result<T, E> {
    fn value_type() -> ValueType {
        T::value_type()
    }

    fn into_answer(self) -> Result<Answer, FieldError> {
        self.map_err(Into::into)?.into_answer()
    }
}

fn by_key<M: ModelTrait, K: FromValueTuple, V: FieldType>(
    rows: &[M],
    mut take: impl FnMut(K) -> Option<V>,
) -> Vec<Output> {
    let values = rows.iter().map(|row| {
        let value = take(K::from_value_tuple(row.get_primary_key_value()));
        value.map_or(Output::Null, V::into_output)
    });
    values.collect()
}

impl<M, K, V, S> BatchReturn<M> for HashMap<K, V, S>
where
    M: ModelTrait,
    <M::Entity as EntityTrait>::PrimaryKey: PrimaryKeyTrait<ValueType = K>,
    K: FromValueTuple + Eq + Hash,
    V: FieldType,
    S: BuildHasher,
{
    fn value_type() -> ValueType {
        V::value_type()
    }

    fn into_outputs(mut self, rows: &[M]) -> Result<Vec<Output>, FieldError> {
        Ok(by_key(rows, |key| self.remove(&key)))
    }
}

impl<M, K, V> BatchReturn<M> for BTreeMap<K, V>
where
    M: ModelTrait,
    <M::Entity as EntityTrait>::PrimaryKey: PrimaryKeyTrait<ValueType = K>,
    K: FromValueTuple + Ord,
    V: FieldType,
{
    fn value_type() -> ValueType {
        V::value_type()
    }

    fn into_outputs(mut self, rows: &[M]) -> Result<Vec<Output>, FieldError> {
        Ok(by_key(rows, |key| self.remove(&key)))
    }
}

impl<M: ModelTrait, V: FieldType> BatchReturn<M> for Vec<V> {
    fn value_type() -> ValueType {
        V::value_type()
    }

    fn into_outputs(self, rows: &[M]) -> Result<Vec<Output>, FieldError> {
        if self.len() != rows.len() {
            return Err(FieldError::defect(
                "a field with #[batch] has not one value for each row",
            ));
        }
        Ok(self.into_iter().map(V::into_output).collect())
    }
}

impl<M: ModelTrait, T: BatchReturn<M>, E: Into<FieldError>> BatchReturn<M> for Result<T, E> {
    fn value_type() -> ValueType {
        T::value_type()
    }

    fn into_outputs(self, rows: &[M]) -> Result<Vec<Output>, FieldError> {
        self.map_err(Into::into)?.into_outputs(rows)
    }
}
