//! A computed field: its name, arguments and type, and the function that answers it.
//!
//! Registered as an [`Extension`](super::Extension) of an entity, or by a
//! [`VirtualTable`](super::VirtualTable). The registry checks it; the executor calls it once per
//! row that asks for it, or once for all rows of a batch.

use std::fmt;
use std::sync::Arc;

use async_graphql_value::ConstValue;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sea_orm::sea_query::Iden;
use sea_orm::{ColumnTrait, FromQueryResult, ModelTrait};

use super::argument::{ArgumentType, InputType};
use super::call::Call;
use super::field_error::FieldError;
use super::field_return::Answer;
use super::field_type::{FieldType, ValueType};
use super::typed_rows::Codec;
use crate::capture::Declared;

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
    /// How it has its rows read, if as values of the entity's `Model`.
    pub(crate) codec: Option<Codec>,
    /// Whether it is called once for all rows of a batch.
    pub(crate) batched: bool,
    /// What it says it depends on, if it says.
    pub(crate) declared: Option<&'static str>,
    /// The same, bound by the registry.
    pub(crate) depends_on: Vec<Declared>,
    resolve: Resolve,
}

/// How a field is answered.
pub type Answered<'a> = BoxFuture<'a, Result<Answer, FieldError>>;

type Resolve = Arc<dyn for<'a> Fn(Call<'a>) -> Answered<'a> + Send + Sync>;

/// An argument of a computed field. It may always be left out; what then happens the field says.
#[derive(Clone, Debug)]
pub(crate) struct Argument {
    pub(crate) name: &'static str,
    pub(crate) ty: InputType,
    pub(crate) default: Option<ConstValue>,
}

impl Field {
    /// A field that is computed at once, from the row and the arguments.
    ///
    /// It depends on its own row only.
    pub fn new<T: FieldType + Send + 'static>(
        name: &'static str,
        compute: fn(&Call<'_>) -> Result<T, FieldError>,
    ) -> Field {
        let resolve: Resolve = Arc::new(move |call| {
            let answer = move || Ok(Answer::Value(compute(&call)?.into_output()));
            // Computed when it is polled, where a panic is caught.
            std::future::ready(()).map(move |()| answer()).boxed()
        });
        Field::make(name, T::value_type(), resolve)
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
        let resolve: Resolve = Arc::new(move |call| {
            let value = compute(call).map(|value| Ok(Answer::Value(value?.into_output())));
            value.boxed()
        });
        Field::make(name, T::value_type(), resolve)
    }

    /// A field of this type that is answered by whatever [`Answer`] says. What
    /// `#[blazelink::fields]` writes.
    pub fn answering(
        name: &'static str,
        ty: ValueType,
        resolve: for<'a> fn(Call<'a>) -> Answered<'a>,
    ) -> Field {
        Field::make(name, ty, Arc::new(resolve))
    }

    fn make(name: &'static str, ty: ValueType, resolve: Resolve) -> Field {
        Field {
            name,
            ty,
            arguments: Vec::new(),
            reads: Vec::new(),
            codec: None,
            batched: false,
            declared: None,
            depends_on: Vec::new(),
            resolve,
        }
    }

    /// The same, given the row as [`Call::model`]: all of it is read, in one more statement for all
    /// rows of a batch.
    #[must_use]
    pub fn of_row<M>(mut self) -> Field
    where
        M: ModelTrait + FromQueryResult + Send + Sync + 'static,
    {
        self.codec = Some(Codec::of::<M>());
        self
    }

    /// The same, called once for all rows of a batch, which are given as [`Call::models`]. It
    /// answers with [`Answer::Values`].
    #[must_use]
    pub fn of_rows<M>(self) -> Field
    where
        M: ModelTrait + FromQueryResult + Send + Sync + 'static,
    {
        let mut field = self.of_row::<M>();
        field.batched = true;
        field
    }

    /// Adds an argument. It is nullable and has no default in the schema.
    #[must_use]
    pub fn argument<T: ArgumentType>(mut self, name: &'static str) -> Field {
        self.arguments.push(Argument {
            name,
            ty: T::input_type(),
            default: None,
        });
        self
    }

    /// Adds an argument with a default, which the schema tells. The field asks for it with
    /// [`Call::argument_or`].
    #[must_use]
    pub fn argument_or<T: ArgumentType>(mut self, name: &'static str, default: &T) -> Field {
        self.arguments.push(Argument {
            name,
            ty: T::input_type(),
            default: Some(default.to_value()),
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
    /// All of that must hold of a row, before or after a change. On the right of a `=` stands a
    /// column of the own row, an argument, or a literal. Where the own row's column is null, no row
    /// counts; an argument that is null narrows nothing.
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

    pub(crate) fn resolve<'a>(&self, call: Call<'a>) -> Answered<'a> {
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
