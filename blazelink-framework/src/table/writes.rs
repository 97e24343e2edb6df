//! `Writes`: which mutations an entity has, who may use them, and the app's own code that looks at a
//! row before it is saved.
//!
//! Said with `.writes::<Entity>(..)`, or which mutations alone with `#[blazelink(writes)]`. Read by
//! the schema and by whoever writes. What must stay true: without a rule nobody writes anything.

use std::any::TypeId;
use std::fmt;
use std::sync::Arc;

use blazelink_codes::Code;
use futures_util::future::BoxFuture;
use sea_orm::sea_query::Iden;
use sea_orm::{ColumnTrait, DatabaseTransaction};

use super::definition::{Column, TableDef};
use super::draft::{Draft, Invalid};
use super::setup_error::setup;
use crate::error::Error;
use crate::viewer::Viewer;
use crate::visibility::{Hook, WriteAccess, WriteSight};

/// What is done to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A new row.
    Create,
    /// Other values in a row.
    Update,
    /// The end of a row.
    Delete,
}

/// The mutations of an entity, and who may use them.
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
/// use blazelink::{Rule, WriteAccess};
/// use blazelink::table::{Draft, Invalid, Operation, Writes};
///
/// pub fn app(blaze: blazelink::Builder) -> blazelink::Builder {
///     let writes = Writes::of([Operation::Create, Operation::Update])
///         .allow(|viewer| match viewer.get::<i32>() {
///             Some(&user) => {
///                 let own = Rule::eq(note::Column::AuthorId, user);
///                 WriteAccess::none().create(own.clone()).update(own)
///             }
///             None => WriteAccess::none(),
///         })
///         .validate(|note: &Draft| match note.text(note::Column::Body) {
///             Some("") => Err(Invalid::field(note::Column::Body, "must not be empty")),
///             _ => Ok(()),
///         })
///         .fills([note::Column::AuthorId])
///         .before_save(|note: &mut Draft, _transaction| Box::pin(async move {
///             if let (Operation::Create, Some(&user)) = (note.operation(), note.viewer::<i32>()) {
///                 note.set(note::Column::AuthorId, user);
///             }
///             Ok(())
///         }));
///     blaze.writes::<note::Entity>(writes)
/// }
/// ```
#[derive(Clone)]
pub struct Writes {
    operations: Vec<Operation>,
    allow: Option<Hook<WriteAccess>>,
    /// Names of the columns that no input has.
    filled: Vec<String>,
    validate: Vec<Validate>,
    before_save: Vec<BeforeSave>,
}

type Validate = Arc<dyn Fn(&Draft) -> Result<(), Invalid> + Send + Sync>;
type BeforeSave = Arc<
    dyn for<'a> Fn(&'a mut Draft, &'a DatabaseTransaction) -> BoxFuture<'a, Result<(), Invalid>>
        + Send
        + Sync,
>;

impl Writes {
    /// All three mutations.
    pub fn all() -> Writes {
        Writes::of([Operation::Create, Operation::Update, Operation::Delete])
    }

    /// These mutations.
    pub fn of(operations: impl IntoIterator<Item = Operation>) -> Writes {
        Writes {
            operations: operations.into_iter().collect(),
            allow: None,
            filled: Vec::new(),
            validate: Vec::new(),
            before_save: Vec::new(),
        }
    }

    /// Says what each viewer may write. Without it nobody may write anything. The closure is asked
    /// for each write.
    #[must_use]
    pub fn allow(
        mut self,
        access: impl Fn(&Viewer) -> WriteAccess + Send + Sync + 'static,
    ) -> Writes {
        self.allow = Some(Hook::new(access));
        self
    }

    /// Leaves these columns to the hooks of [`Writes::before_save`]: no input has them.
    #[must_use]
    pub fn fills<C: ColumnTrait>(mut self, columns: impl IntoIterator<Item = C>) -> Writes {
        let names = columns.into_iter();
        self.filled
            .extend(names.map(|column| Iden::unquoted(&column).to_owned()));
        self
    }

    /// Looks at what a client wants to create or update, before the database is asked anything.
    #[must_use]
    pub fn validate(
        mut self,
        validate: impl Fn(&Draft) -> Result<(), Invalid> + Send + Sync + 'static,
    ) -> Writes {
        self.validate.push(Arc::new(validate));
        self
    }

    /// Is called within the transaction, before the row is written, and after an existing one was
    /// locked: it may complete the row, refuse it, and read and write other rows. What it writes
    /// is committed together with the row, or not at all. It has
    /// [`SAVE_TIMEOUT`](blazelink_codes::limits::SAVE_TIMEOUT) to answer.
    #[must_use]
    pub fn before_save<F>(mut self, hook: F) -> Writes
    where
        F: for<'a> Fn(&'a mut Draft, &'a DatabaseTransaction) -> BoxFuture<'a, Result<(), Invalid>>
            + Send
            + Sync
            + 'static,
    {
        self.before_save.push(Arc::new(hook));
        self
    }

    /// Whether there is a mutation for this.
    pub fn has(&self, operation: Operation) -> bool {
        self.operations.contains(&operation)
    }

    /// Whether code of the app runs in the transaction.
    pub(crate) fn has_hooks(&self) -> bool {
        !self.before_save.is_empty()
    }

    /// What the author's own checks find wrong.
    pub(crate) fn check(&self, draft: &Draft) -> Result<(), Invalid> {
        let mut found = Invalid::default();
        for validate in &self.validate {
            if let Err(invalid) = validate(draft) {
                found = found.and(invalid);
            }
        }
        match found.0.is_empty() {
            true => Ok(()),
            false => Err(found),
        }
    }

    /// Calls the hooks before saving, in the order of their declaration.
    pub(crate) fn prepare<'a>(
        &'a self,
        draft: &'a mut Draft,
        transaction: &'a DatabaseTransaction,
    ) -> BoxFuture<'a, Result<(), Invalid>> {
        Box::pin(async move {
            for hook in &self.before_save {
                hook(draft, transaction).await?;
            }
            Ok(())
        })
    }
}

impl fmt::Debug for Writes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writes")
            .field("operations", &self.operations)
            .finish_non_exhaustive()
    }
}

/// Gives the tables the mutations that the app's builder says. They go before the entity's own
/// attribute.
pub(super) fn give(tables: &mut [TableDef], said: Vec<(TypeId, Writes)>) -> Result<(), Error> {
    let mut given = Vec::new();
    for (entity, writes) in said {
        let table = tables.iter_mut().find(|table| table.rust_type == entity);
        let Some(table) = table.filter(|_| !given.contains(&entity)) else {
            let sentence =
                "`.writes::<..>(..)` is said twice of one entity, or of one that is not exposed";
            return Err(setup(
                Code::SchemaDefinition,
                sentence,
                "Say it once, of an entity that is given to .discover(\"..\") or .table::<..>()",
            ));
        };
        table.writes = Some(writes);
        given.push(entity);
    }
    Ok(())
}

impl TableDef {
    /// Whether it has a mutation for this.
    pub(crate) fn writes(&self, operation: Operation) -> bool {
        let declared = self.writes.as_ref().is_some_and(|it| it.has(operation));
        // Of a table that is nothing but its key no row can become another.
        declared && (operation != Operation::Update || self.updatable().next().is_some())
    }

    /// What the viewer may write of it; nothing if no rule says so.
    ///
    /// # Errors
    ///
    /// If the app's code panics, or says what cannot be bound to the table.
    pub(crate) fn write_access(&self, viewer: &Viewer) -> Result<Option<WriteSight>, Error> {
        let Some(hook) = self.writes.as_ref().and_then(|it| it.allow.as_ref()) else {
            return Ok(None);
        };
        let access = hook.access(viewer).ok_or_else(|| {
            let sentence = format!("What may be written of table `{}` panics", self.table);
            let hint = "let what `.writes::<..>(..)` calls answer for every viewer";
            setup(Code::SchemaDefinition, sentence, hint)
        })?;
        WriteSight::bind(&access, self).map(Some)
    }

    /// Asks the app what nobody in particular may write, so that a rule that cannot be is found at
    /// start-up. To be called once the columns are known.
    ///
    /// # Errors
    ///
    /// As [`TableDef::write_access`].
    pub(crate) fn check_writes(&self) -> Result<(), Error> {
        let ruled = self.write_access(&Viewer::anonymous())?.is_some();
        if self.writes.is_some() && !ruled {
            tracing::warn!(
                table = %self.table,
                "the table has mutations, and nobody may use them: no `.writes::<..>(..)` allows it"
            );
        }
        Ok(())
    }

    /// The columns that the input of a create has, with their positions.
    pub(crate) fn creatable(&self) -> impl Iterator<Item = (usize, &Column)> {
        let filled = self.writes.as_ref().map_or(&[][..], |it| &it.filled);
        self.exposed()
            .filter(|(_, column)| column.is_assignable() && !filled.contains(&column.name))
    }

    /// The columns that the input of an update has: all but the key, by which the row is known.
    pub(crate) fn updatable(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.creatable().filter(|(at, _)| !self.key.contains(at))
    }

    /// Name of the mutation.
    pub(crate) fn mutation(&self, operation: Operation) -> String {
        let verb = match operation {
            Operation::Create => "create",
            Operation::Update => "update",
            Operation::Delete => "delete",
        };
        format!("{verb}{}", self.entity)
    }

    /// Name of the type of a mutation's input. A delete has none.
    pub(crate) fn input_type(&self, operation: Operation) -> String {
        let verb = match operation {
            Operation::Create => "Create",
            Operation::Update => "Update",
            Operation::Delete => "Delete",
        };
        format!("{verb}{}Input", self.entity)
    }

    /// Name of the type of a mutation's answer.
    pub(crate) fn answer_type(&self, operation: Operation) -> String {
        match operation {
            Operation::Create | Operation::Update => format!("{}Written", self.entity),
            Operation::Delete => format!("{}Deleted", self.entity),
        }
    }

    /// Names of the types that its mutations need, each once.
    pub(crate) fn write_types(&self) -> Vec<String> {
        let mut names = Vec::new();
        for operation in [Operation::Create, Operation::Update, Operation::Delete] {
            if !self.writes(operation) {
                continue;
            }
            if operation != Operation::Delete {
                names.push(self.input_type(operation));
            }
            let answer = self.answer_type(operation);
            if !names.contains(&answer) {
                names.push(answer);
            }
        }
        names
    }
}

impl Column {
    /// Whether a statement may give it a value.
    pub(crate) fn is_assignable(&self) -> bool {
        !self.generated && !self.always
    }

    /// Whether a new row needs a value for it.
    pub(crate) fn is_required(&self) -> bool {
        !self.nullable && !self.default && self.is_assignable()
    }
}
