//! Between the key of a row as the framework knows it (`object_id`) and as SeaORM types it.
//!
//! A framework's key is spelled as Postgres prints it; what is made here is.

use std::any::Any;

use async_graphql_value::ConstValue;
use sea_orm::sea_query::{ColumnType, FromValueTuple, OptionEnum, ValueTuple};
use sea_orm::{
    ColumnTrait, EntityTrait, Iterable, ModelTrait, PrimaryKeyToColumn, PrimaryKeyTrait, Value,
};

use super::argument::ArgumentType;
use super::entity::Table;
use super::field_error::FieldError;
use super::field_type::{FieldType, Output};
use crate::object_id::{Atom, Key};

/// The type that an entity gives its key: that of the column, or a tuple of several.
pub type KeyOf<E> = <<E as EntityTrait>::PrimaryKey as PrimaryKeyTrait>::ValueType;

/// The key of a row that was read.
pub(crate) fn key_of<M: ModelTrait>(model: &M) -> Option<Key> {
    let columns = <M::Entity as EntityTrait>::PrimaryKey::iter();
    let atoms = columns.map(|column| {
        let column = column.into_column();
        atom(model.get(column), column.def().get_column_type())
    });
    Key::from_atoms(atoms.collect::<Option<Vec<_>>>()?)
}

/// A reference to a row that was read, for what `#[derive(Table)]` writes of a `Model`; null if it
/// is of another type.
#[doc(hidden)]
pub fn reference<E: EntityTrait>(model: &dyn Any) -> Output
where
    E::Model: 'static,
{
    let key = model.downcast_ref::<E::Model>().and_then(key_of);
    key.map_or(Output::Null, Output::Row)
}

/// The key as the entity types it.
///
/// # Errors
///
/// If it is of other columns, or holds what is no value of theirs.
pub(crate) fn typed_key<E: EntityTrait>(key: &Key) -> Result<KeyOf<E>, FieldError> {
    let refused = || FieldError::new("A key is no value of the key's type");
    let values = values::<E>(key.atoms()).ok_or_else(refused)?;
    let mut values = values.into_iter();
    let tuple = match (values.next(), values.next(), values.next()) {
        (Some(one), None, _) => ValueTuple::One(one),
        (Some(one), Some(two), None) => ValueTuple::Two(one, two),
        (Some(one), Some(two), Some(three)) if values.len() == 0 => {
            ValueTuple::Three(one, two, three)
        }
        (one, two, three) => {
            let first = [one, two, three].into_iter().flatten();
            ValueTuple::Many(first.chain(values).collect())
        }
    };
    Ok(KeyOf::<E>::from_value_tuple(tuple))
}

/// The key of these atoms, however a client spells them; nothing if they are no key of the entity.
pub(crate) fn canonical<E: Table>(atoms: &[Atom]) -> Option<Key> {
    let columns = E::PrimaryKey::iter().map(|column| column.into_column().def());
    let values = values::<E>(atoms)?.into_iter();
    let atoms = values
        .zip(columns)
        .map(|(value, column)| atom(value, column.get_column_type()));
    Key::from_atoms(atoms.collect::<Option<Vec<_>>>()?)
}

fn values<E: EntityTrait>(atoms: &[Atom]) -> Option<Vec<Value>> {
    let columns: Vec<_> = E::PrimaryKey::iter().collect();
    if columns.len() != atoms.len() {
        return None;
    }
    let pairs = columns.into_iter().zip(atoms);
    pairs
        .map(|(column, atom)| {
            value(
                &atom.to_string(),
                column.into_column().def().get_column_type(),
            )
        })
        .collect()
}

/// What a column's text is to SeaORM.
fn value(text: &str, ty: &ColumnType) -> Option<Value> {
    fn read<T: ArgumentType>(text: &str) -> Option<T> {
        T::from_value(&ConstValue::String(text.to_owned()))
    }
    Some(match ty {
        ColumnType::TinyInteger => Value::TinyInt(Some(text.parse().ok()?)),
        ColumnType::SmallInteger => Value::SmallInt(Some(text.parse().ok()?)),
        ColumnType::Integer => Value::Int(Some(text.parse().ok()?)),
        ColumnType::BigInteger => Value::BigInt(Some(text.parse().ok()?)),
        ColumnType::TinyUnsigned => Value::TinyUnsigned(Some(text.parse().ok()?)),
        ColumnType::SmallUnsigned => Value::SmallUnsigned(Some(text.parse().ok()?)),
        ColumnType::Unsigned => Value::Unsigned(Some(text.parse().ok()?)),
        ColumnType::BigUnsigned => Value::BigUnsigned(Some(text.parse().ok()?)),
        ColumnType::Boolean => Value::Bool(match text {
            "t" | "true" => Some(true),
            "f" | "false" => Some(false),
            _ => return None,
        }),
        ColumnType::Uuid => Value::Uuid(Some(read(text)?)),
        ColumnType::Decimal(_) | ColumnType::Money(_) => Value::Decimal(Some(read(text)?)),
        ColumnType::Date => Value::ChronoDate(Some(read(text)?)),
        ColumnType::Time => Value::ChronoTime(Some(read(text)?)),
        ColumnType::DateTime | ColumnType::Timestamp => Value::ChronoDateTime(Some(read(text)?)),
        ColumnType::TimestampWithTimeZone => Value::ChronoDateTimeWithTimeZone(Some(read(text)?)),
        ColumnType::Binary(_) | ColumnType::VarBinary(_) | ColumnType::Blob => {
            Value::Bytes(Some(read(text)?))
        }
        _ => Value::String(Some(text.to_owned())),
    })
}

/// The part of a key that a value of this column is; nothing for NULL, and for what no key has.
fn atom(value: Value, ty: &ColumnType) -> Option<Atom> {
    let output = match value {
        Value::Bool(truth) => return Some(Atom::Text(if truth? { "t" } else { "f" }.into())),
        Value::TinyInt(number) => number?.into_output(),
        Value::SmallInt(number) => number?.into_output(),
        Value::Int(number) => number?.into_output(),
        Value::BigInt(number) => number?.into_output(),
        Value::TinyUnsigned(number) => number?.into_output(),
        Value::SmallUnsigned(number) => number?.into_output(),
        Value::Unsigned(number) => number?.into_output(),
        Value::BigUnsigned(number) => number?.into_output(),
        Value::String(text) => text?.into_output(),
        Value::Char(text) => text?.into_output(),
        Value::Enum(OptionEnum::Some(value)) => value.value.into_output(),
        Value::Bytes(bytes) => bytes?.into_output(),
        Value::Uuid(uuid) => uuid?.into_output(),
        Value::Decimal(number) => number?.into_output(),
        Value::ChronoDate(at) => at?.into_output(),
        Value::ChronoTime(at) => at?.into_output(),
        Value::ChronoDateTime(at) => at?.into_output(),
        Value::ChronoDateTimeUtc(at) => at?.into_output(),
        Value::ChronoDateTimeLocal(at) => at?.into_output(),
        Value::ChronoDateTimeWithTimeZone(at) => at?.into_output(),
        _ => return None,
    };
    match output {
        Output::Integer(number) => Some(Atom::Int(number)),
        Output::Text(text) if matches!(ty, ColumnType::Char(_)) => {
            Some(Atom::Text(text.trim_end_matches(' ').into()))
        }
        Output::Text(text) => Some(Atom::Text(text.into())),
        _ => None,
    }
}
