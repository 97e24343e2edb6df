//! `Call`: what a computed field is given: its row or identifier, its arguments, the database, and
//! where it says what it depends on.

use std::any::{Any, TypeId};
use std::str::FromStr;
use std::sync::OnceLock;

use async_graphql_value::ConstValue;
use blazelink_migrations::identifier;
use sea_orm::sea_query::Iden;
use sea_orm::{ColumnTrait, Condition, DatabaseConnection};

use super::argument::ArgumentType;
use super::definition::TableDef;
use super::entity::Table;
use super::field_error::FieldError;
use super::identified::Identified;
use super::manager::TableManager;
use super::typed_rows::TypedRows;
use crate::capture::{Declared, InCall, Said, Term};
use crate::context::BlazeContext;
use crate::object_id::Key;
use crate::subscription::Dependency;
use crate::value::Kind;

/// One call of a computed field.
pub struct Call<'a> {
    pub(crate) surroundings: Surroundings<'a>,
    pub(crate) subject: Subject<'a>,
    /// By name, with null for what was not given.
    pub(crate) arguments: &'a [(&'static str, ConstValue)],
    pub(crate) window: Window,
}

/// What all calls of one root share.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) manager: &'a TableManager,
    pub(crate) database: &'a DatabaseConnection,
    /// The one of this call.
    pub(crate) context: &'a BlazeContext,
    /// The same call, for what the field says of itself.
    pub(crate) within: &'a InCall,
}

/// What a field belongs to.
pub(crate) enum Subject<'a> {
    /// A row: the texts of the columns that were read, by position.
    Row {
        table: &'a TableDef,
        cells: Vec<(usize, Option<&'a str>)>,
        /// The row's number, with the rows as values of the entity's `Model`.
        typed: Option<(&'a TypedRows, usize)>,
    },
    /// All rows of a batch as values of the entity's `Model`.
    Rows(&'a TableDef, &'a TypedRows),
    /// A virtual table, and what its struct is kept in for all of its fields.
    Virtual(&'a Identified, &'a Instance),
}

/// The struct of a virtual table, once a field has needed it.
pub(crate) type Instance = OnceLock<Box<dyn Any + Send + Sync>>;

/// What the framework gives a method of `#[blazelink::fields]` beside its arguments.
#[diagnostic::on_unimplemented(
    message = "a computed field is not given `{Self}`",
    label = "no argument by reference",
    note = "by reference a field takes `&BlazeContext` (or `&Call<'_>`); an argument is taken by \
            value, such as `String` for `&str`"
)]
pub trait Given<'a>: Sized {
    /// Of this call.
    fn of(call: &'a Call<'_>) -> Self;
}

impl<'a> Given<'a> for &'a BlazeContext {
    fn of(call: &'a Call<'_>) -> &'a BlazeContext {
        call.context()
    }
}

impl<'a> Given<'a> for &'a Call<'a> {
    fn of(call: &'a Call<'_>) -> &'a Call<'a> {
        call
    }
}

/// The struct of a virtual table, as `#[derive(blazelink::VirtualTable)]` makes it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no virtual table with a struct",
    note = "write `#[derive(blazelink::VirtualTable)]` on `struct {Self}`"
)]
pub trait Named: Any + Send + Sync + Sized {
    /// What its client names.
    ///
    /// # Errors
    ///
    /// If a row that it needs is not named.
    fn named(call: &Call<'_>) -> Result<Self, FieldError>;
}

/// Which part of all items a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The number of items at most.
    pub limit: u64,
    /// The number of items before the page.
    pub offset: u64,
}

impl<'a> Call<'a> {
    /// The database, for reads through SeaORM that are not watched. Say what the read depends on
    /// first, or read through [`Call::context`].
    pub fn database(&self) -> &'a DatabaseConnection {
        self.surroundings.database
    }

    /// In whose name the field is read, and the connection to read through: what is read through
    /// it is watched. See [`BlazeContext`].
    pub fn context(&self) -> &'a BlazeContext {
        self.surroundings.context
    }

    /// Who reads the field, as the app's own type; nothing if it is nobody in particular. A field
    /// may answer each viewer differently: what it depends on holds for this viewer's session only.
    pub fn viewer<T: 'static>(&self) -> Option<&'a T> {
        self.surroundings.context.viewer().get()
    }

    /// The rows of `E` that whoever reads the field may see, as a condition for SeaORM's
    /// `Entity::find().filter(..)`; all rows if the app says nothing of the entity.
    ///
    /// What a field reads by itself is not narrowed: a field may count what its reader does not
    /// see. But a session hears of changes that its viewer may see only, so a field that reads more
    /// is not kept current by the rest.
    ///
    /// # Errors
    ///
    /// If the entity is not exposed.
    pub fn visible<E: Table>(&self) -> Result<Condition, FieldError> {
        let narrowing = self.narrowing(TypeId::of::<E>())?;
        Ok(narrowing.unwrap_or_else(Condition::all))
    }

    /// An argument's value. `Option<T>` takes null and a missing argument.
    ///
    /// # Errors
    ///
    /// If it is missing or does not fit; the message names it.
    pub fn argument<T: ArgumentType>(&self, name: &str) -> Result<T, FieldError> {
        let value = self.arguments.iter().find(|(known, _)| *known == name);
        let value = value.map_or(&ConstValue::Null, |(_, value)| value);
        T::from_value(value).ok_or_else(|| {
            FieldError::new(match value {
                ConstValue::Null => format!("The argument `{name}` is missing"),
                _ => {
                    let ty = T::input_type().spelled();
                    format!("The argument `{name}` must be of type {ty}")
                }
            })
        })
    }

    /// As [`Call::argument`], with a value for null and a missing argument.
    ///
    /// # Errors
    ///
    /// If it does not fit; the message names it.
    pub fn argument_or<T: ArgumentType>(
        &self,
        name: &str,
        default: impl FnOnce() -> T,
    ) -> Result<T, FieldError> {
        let mut given = self.arguments.iter();
        let given = given.any(|(known, value)| *known == name && *value != ConstValue::Null);
        if given {
            self.argument(name)
        } else {
            Ok(default())
        }
    }

    /// The row as a value of its entity's `Model`; of a field that was made with
    /// [`Field::of_row`](super::Field::of_row).
    ///
    /// # Errors
    ///
    /// If a column holds what its Rust type cannot, which the message names, or the row is gone.
    pub fn model<M: Any>(&self) -> Result<&'a M, FieldError> {
        let Subject::Row {
            typed: Some((rows, row)),
            ..
        } = &self.subject
        else {
            return Err(FieldError::defect("the field was not made of rows"));
        };
        let at = rows
            .position(*row)
            .map_err(|why| FieldError::new(why.to_owned()))?;
        let model = rows.all::<M>().and_then(|models| models.get(at));
        model.ok_or_else(|| FieldError::defect("the field was made of rows of another entity"))
    }

    /// All rows that the field is asked of; of a field that was made with
    /// [`Field::of_rows`](super::Field::of_rows).
    ///
    /// # Errors
    ///
    /// If it was not.
    pub fn models<M: Any>(&self) -> Result<&'a [M], FieldError> {
        let models = match &self.subject {
            Subject::Rows(_, rows) => rows.all::<M>(),
            _ => None,
        };
        models.ok_or_else(|| FieldError::defect("the field was not made of rows of this entity"))
    }

    /// The struct of the virtual table, the same for all of its fields in one answer.
    ///
    /// # Errors
    ///
    /// If a row that it needs is not named.
    pub fn instance<V: Named>(&self) -> Result<&'a V, FieldError> {
        let Subject::Virtual(_, kept) = &self.subject else {
            return Err(FieldError::defect("the field is of no virtual table"));
        };
        if kept.get().is_none() {
            let instance = V::named(self)?;
            // Another field may have been as fast; its struct is the same.
            let _ = kept.set(Box::new(instance));
        }
        let instance = kept.get().and_then(|kept| kept.downcast_ref::<V>());
        instance.ok_or_else(|| FieldError::defect("the field is of another virtual table"))
    }

    /// The key of the row of this entity that its client names with this number.
    pub(crate) fn named_key(&self, entity: TypeId, number: usize) -> Option<&'a Key> {
        let Subject::Virtual(identified, _) = &self.subject else {
            return None;
        };
        let table = self.surroundings.manager.by_type(entity)?;
        let named = identified.dependencies.iter();
        let keys = named
            .filter(|named| named.table == table.id)
            .filter_map(|named| named.key.as_ref());
        let mut keys = keys.skip(number);
        keys.next()
    }

    /// What narrows rows of this entity to those that whoever reads the field may see.
    pub(crate) fn narrowing(&self, entity: TypeId) -> Result<Option<Condition>, FieldError> {
        let table = self.table(entity)?;
        let viewer = self.surroundings.context.viewer();
        let sight = self.surroundings.manager.sight(table, viewer);
        Ok(sight.map(|sight| sight.condition(&identifier(&table.table))))
    }

    /// The part that a [`Page`](super::Page) is to have; of no items if the page is out of range.
    pub fn window(&self) -> Window {
        self.window
    }

    /// A column of the row, which must be of its key or among [`Field::reads`](super::Field::reads);
    /// nothing if it is NULL. `T` reads it from the text that Postgres prints.
    ///
    /// # Errors
    ///
    /// If the column was not read, or its text is no `T`.
    pub fn column<T: FromStr>(&self, column: impl ColumnTrait) -> Result<Option<T>, FieldError> {
        let name = Iden::unquoted(&column);
        let Subject::Row { table, cells, .. } = &self.subject else {
            return Err(FieldError::defect(format!(
                "a virtual table has no column `{name}`"
            )));
        };
        let at = table.column(name);
        let cell = cells.iter().find(|(column, _)| Some(*column) == at);
        let Some((at, text)) = cell else {
            return Err(FieldError::defect(format!(
                "the field does not say that it reads `{name}`"
            )));
        };
        let text = text.map(|text| match (&table.columns[*at].kind, text) {
            (Kind::Bool, "t") => "true",
            (Kind::Bool, "f") => "false",
            _ => text,
        });
        let parsed = text.map(str::parse).transpose();
        parsed.map_err(|_| FieldError::defect(format!("the column `{name}` has another type")))
    }

    /// As [`Call::column`], for columns that are never NULL.
    ///
    /// # Errors
    ///
    /// As there, and if it is NULL.
    pub fn value<T: FromStr>(&self, column: impl ColumnTrait) -> Result<T, FieldError> {
        let name = Iden::unquoted(&column).to_owned();
        self.column(column)?
            .ok_or_else(|| FieldError::new(format!("`{name}` is null")))
    }

    /// The key of the row of `E` that the client names as a dependency of a virtual table: of the
    /// first of that entity. Nothing if none is named by a key.
    pub fn dependency<E: Table>(&self) -> Option<&Key> {
        self.named_key(TypeId::of::<E>(), 0)
    }

    /// As [`Call::dependency`], for an entity with a key of one column, as `T`.
    ///
    /// # Errors
    ///
    /// If there is none, or its key is no `T`.
    pub fn dependency_key<E: Table, T: FromStr>(&self) -> Result<T, FieldError> {
        let atoms = self.dependency::<E>().map(Key::atoms);
        let Some([atom]) = atoms else {
            return Err(FieldError::new(
                "A dependency that the field needs is missing",
            ));
        };
        let parsed = atom.to_string().parse();
        parsed.map_err(|_| FieldError::defect("the dependency's key has another type"))
    }

    /// The identifier of a virtual table as JSON, with `modifiers` always `[]`. Empty on a row.
    pub fn identifier_json(&self) -> String {
        let mut json = Vec::new();
        if let Subject::Virtual(identified, _) = &self.subject {
            identified.write_json(self.surroundings.manager, &mut json);
        }
        String::from_utf8(json).unwrap_or_default()
    }

    /// Names a row of `E` for a client, as a dependency of a [`VirtualRef`](super::VirtualRef).
    ///
    /// # Errors
    ///
    /// If the entity is not exposed.
    pub fn row<E: Table>(&self, key: impl Into<Key>) -> Result<Identified, FieldError> {
        let mut named = self.whole::<E>()?;
        named.key = Some(key.into());
        Ok(named)
    }

    /// As [`Call::row`], for all rows of `E`.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn whole<E: Table>(&self) -> Result<Identified, FieldError> {
        Ok(Identified::whole(self.table(TypeId::of::<E>())?.id))
    }

    /// Depends on one row, whether or not it exists now. The key is spelled as Postgres prints it.
    ///
    /// # Errors
    ///
    /// If the entity is not exposed, or the session may not watch more.
    pub fn depend_on_row<E: Table>(&self, key: impl Into<Key>) -> Result<(), FieldError> {
        let table = self.table(TypeId::of::<E>())?;
        self.depend(row_dependency(table, &key.into()))
    }

    /// Depends on the rows in which a column has a value, before or after a change. Widened to the
    /// table where equal values may print differently, or the column is hidden.
    ///
    /// # Errors
    ///
    /// If the entity is not exposed, or the session may not watch more.
    pub fn depend_on_equal<C: ColumnTrait>(
        &self,
        column: C,
        value: impl Into<Key>,
    ) -> Result<(), FieldError> {
        let table = self.table(TypeId::of::<C::EntityName>())?;
        let found = table.column(Iden::unquoted(&column));
        let found = found.map(|at| &table.columns[at]).filter(|c| c.exact);
        let exposed = found.and_then(|column| Some((column, column.exposed?)));
        self.depend(match (exposed, value.into()) {
            (Some((found, column)), Key::One(value)) => {
                let value = found.kind.atom(&value.to_string());
                Dependency::equal(table.id, column, value)
            }
            _ => Dependency::Table(table.id),
        })
    }

    /// Depends on any row of an entity.
    ///
    /// # Errors
    ///
    /// If the entity is not exposed, or the session may not watch more.
    pub fn depend_on_table<E: Table>(&self) -> Result<(), FieldError> {
        let table = self.table(TypeId::of::<E>())?;
        self.depend(Dependency::Table(table.id))
    }

    /// Depends on what the field says of itself.
    pub(crate) fn declare(&self, declared: &[Declared]) -> Result<(), FieldError> {
        for one in declared {
            let manager = self.surroundings.manager;
            let (own, cells) = match &self.subject {
                Subject::Row { table, cells, .. } => (*table, cells.as_slice()),
                // Of many rows at once no column narrows.
                Subject::Rows(table, _) => (*table, [].as_slice()),
                Subject::Virtual(identified, _) => (manager.table(identified.table), [].as_slice()),
            };
            let table = manager.table(one.reads);
            let dependencies = one.dependencies(table, own, |term| self.said(term, cells));
            dependencies
                .into_iter()
                .try_for_each(|one| self.depend(one))?;
        }
        Ok(())
    }

    fn said(&self, term: &Term, cells: &[(usize, Option<&str>)]) -> Said {
        match term {
            Term::Literal(text) => Said::Text(text.clone()),
            Term::Column(at) => match cells.iter().find(|(column, _)| column == at) {
                Some((_, Some(text))) => Said::Text((*text).to_owned()),
                Some((_, None)) => Said::Null,
                None => Said::Unknown,
            },
            Term::Argument(name) => {
                let mut arguments = self.arguments.iter();
                match arguments
                    .find(|(known, _)| known == name)
                    .map(|(_, value)| value)
                {
                    Some(ConstValue::String(text)) => Said::Text(text.clone()),
                    Some(ConstValue::Enum(label)) => Said::Text(label.to_string()),
                    Some(ConstValue::Number(number)) => Said::Text(number.to_string()),
                    Some(ConstValue::Boolean(true)) => Said::Text("t".to_owned()),
                    Some(ConstValue::Boolean(false)) => Said::Text("f".to_owned()),
                    // What is not given may stand for all.
                    None | Some(_) => Said::Unknown,
                }
            }
        }
    }

    fn depend(&self, dependency: Dependency) -> Result<(), FieldError> {
        Ok(self.surroundings.within.depend(dependency)?)
    }

    fn table(&self, entity: TypeId) -> Result<&'a TableDef, FieldError> {
        let table = self.surroundings.manager.by_type(entity);
        table.ok_or_else(|| FieldError::defect("the entity it depends on is not exposed"))
    }
}

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Call({} arguments)", self.arguments.len())
    }
}

/// The dependency on a row, or on its table where equal keys may print differently.
pub(crate) fn row_dependency(table: &TableDef, key: &Key) -> Dependency {
    let columns = table.key.iter().map(|&at| &table.columns[at]);
    let exact = columns.clone().all(|column| column.exact);
    let pairs = columns.zip(key.atoms());
    let atoms = pairs.map(|(column, atom)| column.kind.atom(&atom.to_string()));
    match Key::from_atoms(atoms.collect()) {
        Some(key) if exact && key.atoms().len() == table.key.len() => {
            Dependency::Row(table.id, key)
        }
        _ => Dependency::Table(table.id),
    }
}
