//! What an argument of a computed field may be: its type in GraphQL, and the way from a client's
//! value. Scalars beyond GraphQL's own are in `scalar`.

use async_graphql_value::ConstValue;

use super::field_type::{RowType, Scalar};

/// A type that an argument of a computed field may have: a scalar, `Option` of one that may be
/// missing, `Vec`, the key of a row, a struct of such members with `#[derive(blazelink::Struct)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a computed field",
    label = "no argument",
    note = "take a scalar, `RowRef<user::Entity>` for the key of a row, `Option<..>` or `Vec<..>` \
            of these, or a struct of these with `#[derive(blazelink::Struct)]`"
)]
pub trait ArgumentType: Sized {
    /// Its type in GraphQL.
    fn input_type() -> InputType;

    /// The value; nothing if it does not fit. Null and a missing argument are given as null.
    fn from_value(value: &ConstValue) -> Option<Self>;

    /// The value as GraphQL writes it, for the default in the schema.
    fn to_value(&self) -> ConstValue;

    /// The members of a struct; of nothing else.
    #[doc(hidden)]
    fn input_members() -> Vec<InputMember> {
        Vec::new()
    }

    /// The type of a list of it.
    #[doc(hidden)]
    fn list_type() -> InputType {
        InputType::List(Box::new(Self::input_type()))
    }

    /// As [`ArgumentType::from_value`] of a list of it.
    #[doc(hidden)]
    fn list_from_value(value: &ConstValue) -> Option<Vec<Self>> {
        match value {
            ConstValue::Null => None,
            ConstValue::List(items) => items.iter().map(Self::from_value).collect(),
            // A single value stands for a list of it (GraphQL October 2021, section 3.11).
            single => Some(vec![Self::from_value(single)?]),
        }
    }

    /// As [`ArgumentType::to_value`] of a list of it.
    #[doc(hidden)]
    fn list_to_value(values: &[Self]) -> ConstValue {
        ConstValue::List(values.iter().map(Self::to_value).collect())
    }
}

/// The type of an argument. Every type is nullable in the schema.
#[derive(Clone, Debug)]
pub enum InputType {
    /// One value.
    Scalar(Scalar),
    /// The key of a row of this entity, which must be exposed.
    Row(RowType),
    /// A struct.
    Struct(InputStruct),
    /// A list.
    List(Box<InputType>),
}

/// A struct as an input type.
#[derive(Clone, Copy, Debug)]
pub struct InputStruct {
    /// Its name in GraphQL; not that of the struct as a value, since the two name one space.
    pub name: &'static str,
    /// Its members; a function, since a struct may hold a list of itself.
    pub members: fn() -> Vec<InputMember>,
    /// The Rust type, by which two structs of one name are told apart.
    pub rust_name: fn() -> &'static str,
}

/// A member of an [`InputStruct`].
#[derive(Clone, Debug)]
pub struct InputMember {
    /// Its name in GraphQL.
    pub name: &'static str,
    /// Its type.
    pub ty: InputType,
}

impl InputMember {
    /// A member of this name and type.
    pub fn of<T: ArgumentType>(name: &'static str) -> InputMember {
        InputMember {
            name,
            ty: T::input_type(),
        }
    }

    /// Its value among those of a struct; nothing if it does not fit.
    pub fn take<T: ArgumentType>(value: &ConstValue, name: &str) -> Option<T> {
        let ConstValue::Object(members) = value else {
            return None;
        };
        T::from_value(members.get(name).unwrap_or(&ConstValue::Null))
    }

    /// The value of a struct of these members.
    pub fn object(members: impl IntoIterator<Item = (&'static str, ConstValue)>) -> ConstValue {
        let members = members.into_iter();
        ConstValue::Object(
            members
                .map(|(name, value)| (async_graphql_value::Name::new(name), value))
                .collect(),
        )
    }
}

impl InputType {
    /// How GraphQL spells it.
    pub(crate) fn spelled(&self) -> String {
        match self {
            InputType::Scalar(scalar) => scalar.name().to_owned(),
            InputType::Row(_) => Scalar::Key.name().to_owned(),
            InputType::Struct(of) => of.name.to_owned(),
            InputType::List(item) => format!("[{}]", item.spelled()),
        }
    }
}

impl<T: ArgumentType> ArgumentType for Option<T> {
    fn input_type() -> InputType {
        T::input_type()
    }

    fn from_value(value: &ConstValue) -> Option<Self> {
        match value {
            ConstValue::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }

    fn to_value(&self) -> ConstValue {
        self.as_ref().map_or(ConstValue::Null, T::to_value)
    }
}

impl<T: ArgumentType> ArgumentType for Vec<T> {
    fn input_type() -> InputType {
        T::list_type()
    }

    fn from_value(value: &ConstValue) -> Option<Self> {
        T::list_from_value(value)
    }

    fn to_value(&self) -> ConstValue {
        T::list_to_value(self)
    }
}
