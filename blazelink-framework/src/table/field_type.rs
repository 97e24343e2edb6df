//! What a computed field may return: its type in GraphQL, and its value on the way to the answer.
//!
//! [`FieldType`] is implemented for scalars (`scalar`), `Option`, `Vec`, [`Page`], [`RowRef`],
//! [`VirtualRef`], the `Model` of every [`Table`] and every [`Struct`]; authors derive [`Struct`].

use std::any::TypeId;
use std::marker::PhantomData;

use async_graphql_value::ConstValue;

use super::argument::{ArgumentType, InputType};
use super::entity::Table;
use super::field_error::FieldError;
use super::identified::Identified;
use super::model_key::{KeyOf, canonical, typed_key};
use super::virtual_table::VirtualTable;
use crate::object_id::{Atom, Key};

/// A type that a computed field may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the value of a computed field",
    label = "no value of a field",
    note = "give a scalar, a struct with `#[derive(blazelink::Struct)]`, the `Model` of an entity \
            with `#[derive(blazelink::Table)]`, or `Option<..>` or `Vec<..>` of these",
    note = "a field as a whole may also be a `Page<..>`, a SeaORM `Select<..>`, and a `Result<..>` \
            whose error becomes a `blazelink::FieldError`"
)]
pub trait FieldType {
    /// Its type in GraphQL.
    fn value_type() -> ValueType;

    /// The value for the answer, of the form that [`FieldType::value_type`] says.
    fn into_output(self) -> Output;

    /// The type of a list of it.
    #[doc(hidden)]
    fn list_type() -> ValueType {
        ValueType::List(Box::new(Self::value_type()))
    }

    /// As [`FieldType::into_output`] of a list of it.
    #[doc(hidden)]
    fn list_output(values: Vec<Self>) -> Output
    where
        Self: Sized,
    {
        Output::List(values.into_iter().map(Self::into_output).collect())
    }
}

/// A plain object of named members, which may be structs themselves. Derive it with
/// [`#[derive(blazelink::Struct)]`](macro@crate::Struct); by hand it is
///
/// ```
/// use blazelink::table::{FieldType, Member, Output, Struct};
///
/// struct Streak { kind: String, best: i32 }
///
/// impl Struct for Streak {
///     const NAME: &'static str = "Streak";
///
///     fn members() -> Vec<Member> {
///         vec![Member::of::<String>("kind"), Member::of::<i32>("best")]
///     }
///
///     fn into_members(self) -> Vec<Output> {
///         vec![self.kind.into_output(), self.best.into_output()]
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the value of a computed field",
    label = "no value of a field",
    note = "give a scalar, a struct with `#[derive(blazelink::Struct)]`, the `Model` of an entity \
            with `#[derive(blazelink::Table)]`, or `Option<..>` or `Vec<..>` of these",
    note = "a field as a whole may also be a `Page<..>`, a SeaORM `Select<..>`, and a `Result<..>` \
            whose error becomes a `blazelink::FieldError`"
)]
pub trait Struct {
    /// Its type's name in GraphQL.
    const NAME: &'static str;

    /// Its members.
    fn members() -> Vec<Member>;

    /// The members' values, in the order of [`Struct::members`].
    fn into_members(self) -> Vec<Output>;
}

/// A member of a [`Struct`].
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name in GraphQL.
    pub name: &'static str,
    /// Its type.
    pub ty: ValueType,
}

impl Member {
    /// A member of this name and type. A [`Page`] is none: it takes arguments.
    pub fn of<T: FieldType>(name: &'static str) -> Member {
        Member {
            name,
            ty: T::value_type(),
        }
    }
}

/// The type of a computed field's value.
#[derive(Clone, Debug)]
pub enum ValueType {
    /// One value.
    Scalar(Scalar),
    /// A [`Struct`].
    Struct(StructType),
    /// A reference to a row of an exposed entity.
    Row(RowType),
    /// A reference to a virtual table.
    Virtual(VirtualType),
    /// A list.
    List(Box<ValueType>),
    /// A page of anything but lists and pages; only a field as a whole can be one.
    Page(Box<ValueType>),
}

/// An entity whose rows a field takes or gives.
#[derive(Clone, Copy, Debug)]
pub struct RowType {
    pub(crate) entity: TypeId,
    /// The entity as Rust calls it, for errors.
    pub(crate) rust_name: &'static str,
}

impl RowType {
    /// The rows of this entity.
    pub fn of<E: Table>() -> RowType {
        RowType {
            entity: TypeId::of::<E>(),
            rust_name: std::any::type_name::<E>(),
        }
    }
}

/// A scalar in GraphQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// `Int`, 32 bits.
    Int,
    /// `BigInt`, 64 bits.
    BigInt,
    /// `Float`.
    Float,
    /// `Boolean`.
    Boolean,
    /// `String`.
    String,
    /// `JSON`.
    Json,
    /// `Key`, of arguments only.
    Key,
}

impl Scalar {
    /// Its name in GraphQL.
    pub fn name(self) -> &'static str {
        match self {
            Scalar::Int => "Int",
            Scalar::BigInt => "BigInt",
            Scalar::Float => "Float",
            Scalar::Boolean => "Boolean",
            Scalar::String => "String",
            Scalar::Json => "JSON",
            Scalar::Key => "Key",
        }
    }

    /// Its name in the name of a page of it, which is the original's.
    pub(crate) fn page_name(self) -> &'static str {
        match self {
            Scalar::Int => "int",
            Scalar::Float => "float",
            Scalar::Boolean => "bool",
            Scalar::String => "str",
            Scalar::BigInt | Scalar::Json | Scalar::Key => self.name(),
        }
    }
}

/// A [`Struct`]'s type.
#[derive(Clone, Copy, Debug)]
pub struct StructType {
    /// Its name in GraphQL.
    pub name: &'static str,
    /// Its members; a function, since a struct may hold a list of itself.
    pub members: fn() -> Vec<Member>,
    /// The Rust type, by which two structs of one name are told apart.
    pub(crate) rust_name: &'static str,
}

/// A [`VirtualTable`]'s type.
#[derive(Clone, Copy, Debug)]
pub struct VirtualType {
    /// Its name in GraphQL.
    pub name: &'static str,
    pub(crate) rust_type: TypeId,
}

/// A value of a computed field.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Null.
    Null,
    /// `Boolean`.
    Boolean(bool),
    /// `Int` or `BigInt`.
    Integer(i64),
    /// `Float`; what JSON has no number for becomes a string, as in a column.
    Float(f64),
    /// `String`.
    Text(String),
    /// `JSON`.
    Json(serde_json::Value),
    /// A list.
    List(Vec<Output>),
    /// A struct's members.
    Struct(Vec<Output>),
    /// The key of a row.
    Row(Key),
    /// The objects that a virtual table is asked for with.
    Virtual(Vec<Identified>),
    /// A page.
    Page {
        /// The page's items; all items if `count` is missing, and then the page is still to be cut.
        items: Vec<Output>,
        /// The number of all items.
        count: Option<i64>,
    },
}

/// A page of values. The field gets the arguments `page` and `size`.
#[derive(Clone, Debug)]
pub struct Page<T> {
    items: Vec<T>,
    count: Option<i64>,
}

impl<T> Page<T> {
    /// The page that was asked for out of all these items.
    pub fn of(all: Vec<T>) -> Page<T> {
        Page {
            items: all,
            count: None,
        }
    }

    /// These items, which the field has read for [`Call::window`](super::Call::window), of `count`.
    ///
    /// References to rows that the reader does not see are left out, but `count` is told as it is:
    /// read and count what [`Call::visible`](super::Call::visible) gives.
    pub fn part(items: Vec<T>, count: i64) -> Page<T> {
        Page {
            items,
            count: Some(count),
        }
    }
}

/// A reference to a row of an entity, which must be exposed. Only its key: if more of the row is
/// asked for, it is read and watched like any other row.
#[derive(Clone, Debug)]
pub struct RowRef<E> {
    key: Key,
    entity: PhantomData<fn() -> E>,
}

impl<E: Table> RowRef<E> {
    /// The row with this key.
    pub fn new(key: impl Into<Key>) -> RowRef<E> {
        RowRef {
            key: key.into(),
            entity: PhantomData,
        }
    }

    /// The row's key.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The row's key as the type that the entity gives it, such as `i32`.
    ///
    /// # Errors
    ///
    /// If a client has sent what is no value of that type.
    pub fn id(&self) -> Result<KeyOf<E>, FieldError> {
        typed_key::<E>(&self.key)
    }
}

/// A client sends the key as in an `ObjectId`.
impl<E: Table> ArgumentType for RowRef<E> {
    fn input_type() -> InputType {
        InputType::Row(RowType::of::<E>())
    }

    fn from_value(value: &ConstValue) -> Option<Self> {
        let atom = |value: &ConstValue| match value {
            ConstValue::Number(number) => Some(Atom::Int(number.as_i64()?)),
            ConstValue::String(text) => Some(Atom::Text(text.as_str().into())),
            ConstValue::Boolean(truth) => Some(Atom::Text(if *truth { "t" } else { "f" }.into())),
            _ => None,
        };
        let atoms = match value {
            ConstValue::List(values) => values.iter().map(atom).collect::<Option<Vec<_>>>()?,
            value => vec![atom(value)?],
        };
        let key = canonical::<E>(&atoms)?;
        Some(RowRef {
            key,
            entity: PhantomData,
        })
    }

    fn to_value(&self) -> ConstValue {
        let atoms = self.key.atoms().iter().map(|atom| match atom {
            Atom::Int(number) => ConstValue::Number((*number).into()),
            Atom::Text(text) => ConstValue::String(text.to_string()),
        });
        let mut atoms: Vec<ConstValue> = atoms.collect();
        match (atoms.len(), atoms.pop()) {
            (1, Some(only)) => only,
            (_, last) => {
                atoms.extend(last);
                ConstValue::List(atoms)
            }
        }
    }
}

/// A reference to a virtual table, which must be exposed: the `ObjectId` with which a client asks
/// its root. Null, and in no list or page, if it names a row that the reader does not see.
#[derive(Clone, Debug)]
pub struct VirtualRef<V> {
    dependencies: Vec<Identified>,
    table: PhantomData<fn() -> V>,
}

impl<V: VirtualTable> VirtualRef<V> {
    /// The virtual table with these dependencies, which [`Call::row`](super::Call::row) and
    /// [`Call::whole`](super::Call::whole) make: at least a row for each of its parameters.
    pub fn new(dependencies: impl IntoIterator<Item = Identified>) -> VirtualRef<V> {
        VirtualRef {
            dependencies: dependencies.into_iter().collect(),
            table: PhantomData,
        }
    }
}

impl<T: Struct> FieldType for T {
    fn value_type() -> ValueType {
        ValueType::Struct(StructType {
            name: T::NAME,
            members: T::members,
            rust_name: std::any::type_name::<T>(),
        })
    }

    fn into_output(self) -> Output {
        Output::Struct(self.into_members())
    }
}

impl<E: Table> FieldType for RowRef<E> {
    fn value_type() -> ValueType {
        ValueType::Row(RowType::of::<E>())
    }

    fn into_output(self) -> Output {
        Output::Row(self.key)
    }
}

impl<V: VirtualTable> FieldType for VirtualRef<V> {
    fn value_type() -> ValueType {
        ValueType::Virtual(VirtualType {
            name: V::NAME,
            rust_type: TypeId::of::<V>(),
        })
    }

    fn into_output(self) -> Output {
        Output::Virtual(self.dependencies)
    }
}

impl<T: FieldType> FieldType for Option<T> {
    fn value_type() -> ValueType {
        T::value_type()
    }

    fn into_output(self) -> Output {
        self.map_or(Output::Null, T::into_output)
    }
}

impl<T: FieldType> FieldType for Vec<T> {
    fn value_type() -> ValueType {
        T::list_type()
    }

    fn into_output(self) -> Output {
        T::list_output(self)
    }
}

impl<T: FieldType> FieldType for Page<T> {
    fn value_type() -> ValueType {
        ValueType::Page(Box::new(T::value_type()))
    }

    fn into_output(self) -> Output {
        Output::Page {
            items: self.items.into_iter().map(T::into_output).collect(),
            count: self.count,
        }
    }
}
