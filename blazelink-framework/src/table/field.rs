//! A computed field: its name, arguments and type, and the function that answers it.
//!
//! Registered as an [`Extension`] of an entity, or by a [`VirtualTable`](super::VirtualTable). The
//! registry checks it; the executor calls it once per row that asks for it.

use std::any::TypeId;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sea_orm::sea_query::Iden;
use sea_orm::{ColumnTrait, DbErr};

use super::call::Call;
use super::entity::Table;
use super::field_type::{FieldType, Output, Scalar, ValueType};
use crate::capture::Declared;
use crate::error::{Error, ErrorKind};

/// A computed field.
///
/// ```
/// use blazelink::table::Field;
///
/// let greeting = Field::new("greeting", |call| {
///     Ok(format!("{}!", call.argument::<String>("word")?))
/// })
/// .argument::<String>("word");
/// ```
#[derive(Clone)]
pub struct Field {
    pub(crate) name: &'static str,
    pub(crate) ty: ValueType,
    pub(crate) arguments: Vec<Argument>,
    /// Names of the row's columns that it reads.
    pub(crate) reads: Vec<String>,
    /// What it says it depends on, if it says.
    pub(crate) declared: Option<&'static str>,
    /// The same, bound by the registry.
    pub(crate) depends_on: Vec<Declared>,
    resolve: Resolve,
}

type Resolve =
    Arc<dyn for<'a> Fn(Call<'a>) -> BoxFuture<'a, Result<Output, FieldError>> + Send + Sync>;

/// An argument of a computed field. It may always be left out; what then happens the field says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Argument {
    pub(crate) name: &'static str,
    pub(crate) scalar: Scalar,
    pub(crate) lists: usize,
}

impl Field {
    /// A field that is computed at once, from the row and the arguments.
    ///
    /// It depends on its own row only.
    pub fn new<T: FieldType + Send + 'static>(
        name: &'static str,
        compute: fn(&Call<'_>) -> Result<T, FieldError>,
    ) -> Field {
        let resolve: Resolve =
            Arc::new(move |call| std::future::ready(compute(&call).map(T::into_output)).boxed());
        Field::make::<T>(name, resolve)
    }

    /// A field that reads the database, or waits for something else.
    ///
    /// It depends on its own row, and on what it reads through [`Call::context`], which watches
    /// each statement before it is sent. What it learns otherwise it says: with
    /// [`Field::depends_on`], or with [`Call::depend_on_row`] and its siblings. Errors of the
    /// database become a [`FieldError`] by `?`.
    ///
    /// ```
    /// use blazelink::table::{Call, Field, FieldError};
    /// use sea_orm::prelude::*;
    ///
    /// # mod entities { pub mod note {
    /// #     use sea_orm::entity::prelude::*;
    /// #     #[sea_orm::model]
    /// #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
    /// #     #[sea_orm(table_name = "note")]
    /// #     pub struct Model { #[sea_orm(primary_key)] pub id: i32, pub user_id: i32 }
    /// #     impl ActiveModelBehavior for ActiveModel {}
    /// # } pub use note as user; }
    /// use entities::{note, user};
    ///
    /// async fn notes(call: Call<'_>) -> Result<i64, FieldError> {
    ///     let id: i32 = call.value(user::Column::Id)?;
    ///     let notes = note::Entity::find().filter(note::Column::UserId.eq(id));
    ///     Ok(notes.count(call.context()).await? as i64)
    /// }
    ///
    /// let field = Field::reading("notes", |call| Box::pin(notes(call)));
    /// ```
    pub fn reading<T: FieldType + Send + 'static>(
        name: &'static str,
        compute: for<'a> fn(Call<'a>) -> BoxFuture<'a, Result<T, FieldError>>,
    ) -> Field {
        let resolve: Resolve =
            Arc::new(move |call| compute(call).map(|value| value.map(T::into_output)).boxed());
        Field::make::<T>(name, resolve)
    }

    fn make<T: FieldType>(name: &'static str, resolve: Resolve) -> Field {
        Field {
            name,
            ty: T::value_type(),
            arguments: Vec::new(),
            reads: Vec::new(),
            declared: None,
            depends_on: Vec::new(),
            resolve,
        }
    }

    /// Adds an argument. It is nullable and has no default in the schema.
    #[must_use]
    pub fn argument<T: ArgumentType>(mut self, name: &'static str) -> Field {
        self.arguments.push(Argument {
            name,
            scalar: T::SCALAR,
            lists: T::LISTS,
        });
        self
    }

    /// Says which of the row's columns it reads, besides the key; hidden ones too.
    #[must_use]
    pub fn reads<C: ColumnTrait>(mut self, columns: impl IntoIterator<Item = C>) -> Field {
        let names = columns.into_iter();
        self.reads
            .extend(names.map(|column| Iden::unquoted(&column).to_owned()));
        self
    }

    /// Says what it depends on, instead of having it found out from what it reads through
    /// [`Call::context`]: tables by name, and in parentheses by which of their columns rows count.
    /// On the right of a `=` stands a column of the own row, an argument, or a literal. Where the
    /// own row's column is null, no row counts; an argument that is null narrows nothing.
    ///
    /// ```
    /// # use blazelink::table::{Call, Field, FieldError};
    /// # async fn kills(_: Call<'_>) -> Result<i64, FieldError> { Ok(0) }
    /// let field = Field::reading("kills", |call| Box::pin(kills(call)))
    ///     .depends_on("game_event(player_id = id, kind = 'kill'), season");
    /// ```
    ///
    /// Without any table, it depends on its own row only. A name that does not exist is an error at
    /// start-up.
    #[must_use]
    pub fn depends_on(mut self, declared: &'static str) -> Field {
        self.declared = Some(declared);
        self
    }

    pub(crate) fn resolve<'a>(&self, call: Call<'a>) -> BoxFuture<'a, Result<Output, FieldError>> {
        if let Err(error) = call.declare(&self.depends_on) {
            return std::future::ready(Err(error)).boxed();
        }
        (self.resolve)(call)
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({})", self.name)
    }
}

/// Computed fields for an entity, and what its `ObjectId`s carry.
#[derive(Clone, Copy)]
pub struct Extension {
    pub(crate) entity: fn() -> TypeId,
    pub(crate) rust_name: fn() -> &'static str,
    pub(crate) fields: fn() -> Vec<Field>,
    pub(crate) carried: fn() -> Vec<Carried>,
}

impl Extension {
    /// These fields for this entity.
    pub const fn of<E: Table>(fields: fn() -> Vec<Field>) -> Extension {
        Extension {
            entity: TypeId::of::<E>,
            rust_name: std::any::type_name::<E>,
            fields,
            carried: Vec::new,
        }
    }

    /// The `ObjectId`s of its rows have these `dependencies`, so that a client which asks with them
    /// watches these too. A row needs none for what is read of it: this is for what a client should
    /// hear of besides.
    #[must_use]
    pub const fn carrying(mut self, carried: fn() -> Vec<Carried>) -> Extension {
        self.carried = carried;
        self
    }
}

/// What an `ObjectId` carries as a dependency.
#[derive(Clone, Copy, Debug)]
pub struct Carried {
    pub(crate) entity: TypeId,
    pub(crate) rust_name: &'static str,
}

impl Carried {
    /// All rows of this entity, which must be exposed.
    pub fn whole<E: Table>() -> Carried {
        Carried {
            entity: TypeId::of::<E>(),
            rust_name: std::any::type_name::<E>(),
        }
    }
}

impl fmt::Debug for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extension({})", (self.rust_name)())
    }
}

/// A type that an argument may have: a scalar, `Option` of one that may be missing, `Vec`.
pub trait ArgumentType: Sized {
    /// Its type in GraphQL, without the lists around it.
    const SCALAR: Scalar;

    /// The number of lists around it.
    const LISTS: usize = 0;

    /// The value; nothing if it does not fit. Null and a missing argument are given as null.
    fn from_value(value: &async_graphql_value::ConstValue) -> Option<Self>;
}

macro_rules! arguments {
    ($($ty:ty, $scalar:ident, $pattern:pat => $value:expr;)*) => {$(
        impl ArgumentType for $ty {
            const SCALAR: Scalar = Scalar::$scalar;

            fn from_value(value: &async_graphql_value::ConstValue) -> Option<Self> {
                use async_graphql_value::ConstValue as Value;
                match value {
                    $pattern => $value,
                    _ => None,
                }
            }
        }
    )*};
}

arguments! {
    bool, Boolean, Value::Boolean(truth) => Some(*truth);
    i32, Int, Value::Number(number) => i32::try_from(number.as_i64()?).ok();
    f64, Float, Value::Number(number) => number.as_f64();
    String, String, Value::String(text) => Some(text.clone());
}

impl ArgumentType for i64 {
    const SCALAR: Scalar = Scalar::BigInt;

    fn from_value(value: &async_graphql_value::ConstValue) -> Option<Self> {
        match value {
            async_graphql_value::ConstValue::Number(number) => number.as_i64(),
            async_graphql_value::ConstValue::String(text) => text.parse().ok(),
            _ => None,
        }
    }
}

impl<T: ArgumentType> ArgumentType for Option<T> {
    const SCALAR: Scalar = T::SCALAR;
    const LISTS: usize = T::LISTS;

    fn from_value(value: &async_graphql_value::ConstValue) -> Option<Self> {
        match value {
            async_graphql_value::ConstValue::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

impl<T: ArgumentType> ArgumentType for Vec<T> {
    const SCALAR: Scalar = T::SCALAR;
    const LISTS: usize = T::LISTS + 1;

    /// A single value stands for a list of it (GraphQL October 2021, section 3.11).
    fn from_value(value: &async_graphql_value::ConstValue) -> Option<Self> {
        match value {
            async_graphql_value::ConstValue::Null => None,
            async_graphql_value::ConstValue::List(items) => {
                items.iter().map(T::from_value).collect()
            }
            single => Some(vec![T::from_value(single)?]),
        }
    }
}

/// Why a field has no value: it is null, with an error that says the message.
#[derive(Debug)]
pub struct FieldError {
    message: Cow<'static, str>,
    /// What clients are not told. With it the read has failed, and is not watched.
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl FieldError {
    /// An error whose message clients read. The answer stays watched: what it says may change.
    pub fn new(message: impl Into<Cow<'static, str>>) -> FieldError {
        FieldError {
            message: message.into(),
            source: None,
        }
    }

    /// What clients read.
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn source(&self) -> Option<&(dyn std::error::Error + Send + Sync)> {
        self.source.as_deref()
    }
}

impl From<DbErr> for FieldError {
    /// Clients read that the database did not answer; the rest goes to the log.
    fn from(source: DbErr) -> FieldError {
        FieldError {
            message: "The database did not answer a statement".into(),
            source: Some(source.into()),
        }
    }
}

impl From<Error> for FieldError {
    /// Clients read a request's errors, and of others that the field failed.
    fn from(error: Error) -> FieldError {
        let message = match error.kind() {
            ErrorKind::Request => error.sentence().to_owned(),
            _ => "The field could not be computed".to_owned(),
        };
        FieldError {
            message: message.into(),
            source: Some(error.into()),
        }
    }
}
