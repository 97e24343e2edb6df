//! Calls computed fields, and reads the rows that their values refer to.
//!
//! What is watched: what the field itself says, and each row that is read for a reference. The
//! field's own row is watched by whoever read it (see `load`). A field that fails with a message
//! of its own stays watched; one whose reads failed does not, like any failed statement.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_graphql_value::ConstValue;
use blazelink_codes::limits;
use futures_util::{StreamExt, stream};

use super::computed_call::{self, Called};
use super::computed_values::{cut, drop_names, drop_unseen, gather, gather_names, row_values};
use super::identifier;
use super::load::{Loader, Read, tell};
use super::loaded::{Loaded, LoadedComputed, LoadedRoot, LoadedRows, LoadedTargets};
use super::parents::{Parents, position};
use super::plan::{ComputedField, RowField, RowSelection, RowValue, VirtualRoot};
use super::window;
use crate::capture::{FieldName, InCall};
use crate::data::{Batch, Keys, Lookup, RowStatement, Select};
use crate::error::Result;
use crate::object_id::{Key, ObjectId};
use crate::subscription::{Dependency, Role, Unwatched};
use crate::table::{
    Call, FieldError, Identified, Instance, Output, Subject, Surroundings, TableDef, TypedRows,
    Window, row_dependency,
};

impl Loader<'_> {
    pub(super) async fn virtual_table(&mut self, root: &VirtualRoot) -> LoadedRoot {
        let table = self.manager.table(root.table);
        let value = self.variables.resolve(root.identifier.as_ref());
        let identified = match identifier::read_virtual(self.manager, table, value.as_ref()) {
            Ok(identified) => identified,
            Err(message) => return LoadedRoot::Failed(message),
        };
        // Nobody is told of what has no identifier.
        let watch = match value {
            None | Some(ConstValue::Null) => &Unwatched,
            Some(_) => self.watch,
        };
        let selection = self.fingerprint(&root.fingerprint);
        let object = ObjectId::table(table.id);
        if value.is_some_and(|value| value != ConstValue::Null)
            && let Err(message) = self.ask(table, &object, selection).await
        {
            return LoadedRoot::Failed(message);
        }
        let named = identified.named().into_iter();
        let named = named.map(|named| (named.table, named.key.as_ref()));
        if let Err(message) = self.ask_named(named, selection).await {
            return LoadedRoot::Failed(message);
        }
        let mut read = Read::begin(self, watch, object, selection);
        let fields = read.virtual_fields(table, root, &identified).await;
        match read.end(fields) {
            Err(message) => LoadedRoot::Failed(message),
            Ok(fields) => LoadedRoot::Virtual(fields),
        }
    }
}

/// What a computed field is called for.
#[derive(Clone, Copy)]
pub(super) enum Subjects<'a> {
    /// Every row of a batch; and as values of the entity's `Model`, if a field needs them so.
    Rows(&'a Batch, &'a RowStatement, &'a Typed),
    /// A virtual table.
    Virtual(&'a Identified, &'a Instance),
}

/// The rows of a batch as values of the entity's `Model`; the inner error is what a field that
/// needs them is.
pub(super) type Typed = Option<std::result::Result<TypedRows, String>>;

impl<'a> Subjects<'a> {
    fn len(self) -> usize {
        match self {
            Subjects::Rows(batch, ..) => batch.len(),
            Subjects::Virtual(..) => 1,
        }
    }

    /// The rows as the field needs them, or why there are none.
    fn typed(self, field: &ComputedField) -> std::result::Result<Option<&'a TypedRows>, String> {
        match (self, &field.typed) {
            (Subjects::Rows(_, _, Some(typed)), Some(_)) => match typed {
                Ok(typed) => Ok(Some(typed)),
                Err(message) => Err(message.clone()),
            },
            _ => Ok(None),
        }
    }

    fn each(
        self,
        table: &'a TableDef,
        field: &ComputedField,
        typed: Option<&'a TypedRows>,
    ) -> Vec<Subject<'a>> {
        match self {
            Subjects::Virtual(identified, kept) => vec![Subject::Virtual(identified, kept)],
            Subjects::Rows(batch, statement, _) => (0..batch.len())
                .map(|row| {
                    let text = |column| batch.text(row, statement.slot(column)?);
                    let cells = field.reads.iter().map(|&column| (column, text(column)));
                    Subject::Row {
                        table,
                        cells: cells.collect(),
                        typed: typed.map(|typed| (typed, row)),
                    }
                })
                .collect(),
        }
    }
}

impl Read<'_, '_> {
    async fn virtual_fields(
        &mut self,
        table: &TableDef,
        root: &VirtualRoot,
        identified: &Identified,
    ) -> Result<Vec<Loaded>> {
        let own = Dependency::Table(table.id);
        self.reading.depend(Role::Declared, own)?;
        for named in identified.named() {
            self.declare(named.table, named.key.as_ref())?;
        }
        let mut loaded = Vec::with_capacity(root.selection.fields.len());
        let instance = Instance::new();
        for field in &root.selection.fields {
            loaded.push(match &field.what {
                RowField::Computed(field) => {
                    let subjects = Subjects::Virtual(identified, &instance);
                    self.computed(table, subjects, field).await?
                }
                _ => Loaded::Plain,
            });
        }
        Ok(loaded)
    }

    /// A computed field of all subjects.
    pub(super) async fn computed(
        &mut self,
        table: &TableDef,
        subjects: Subjects<'_>,
        field: &ComputedField,
    ) -> Result<Loaded> {
        let window = match window::window(
            &field.page,
            self.loader.variables,
            self.loader.limits.page_size,
        ) {
            Ok(window) => window.map_or(NOTHING, |window| Window {
                limit: window.limit.unsigned_abs(),
                offset: window.offset.unsigned_abs(),
            }),
            Err(message) => return Ok(Loaded::Failed(message)),
        };
        if let Err(error) = self.allow(subjects.len(), 1) {
            return Ok(Loaded::Failed(error.sentence().to_owned()));
        }
        let typed = match subjects.typed(field) {
            Ok(typed) => typed,
            Err(message) => return Ok(Loaded::Failed(message)),
        };
        let mut values = self.call(table, subjects, typed, field, window).await;
        if let Err(failed) = self.drop_unseen_names(&mut values).await? {
            return Ok(failed);
        }
        let mut places = Vec::new();
        row_values(&field.value, &mut places);
        // A page counts what the viewer sees, so all its rows are looked at before it is cut.
        let guarded = places.iter().any(|place| place.guarded);
        if !guarded {
            values.iter_mut().flatten().for_each(|it| cut(it, window));
        }
        let mut keys = vec![Vec::new(); field.references];
        for value in values.iter().flatten() {
            gather(&field.value, value, &mut keys);
        }
        let mut targets = Vec::with_capacity(places.len());
        for (place, keys) in places.into_iter().zip(keys) {
            targets.push(match self.targets(place, keys).await? {
                Ok(targets) => targets,
                Err(failed) => return Ok(failed),
            });
        }
        if guarded {
            for value in values.iter_mut().flatten() {
                drop_unseen(&field.value, value, &targets);
                cut(value, window);
            }
        }
        Ok(Loaded::Computed(LoadedComputed { values, targets }))
    }

    /// Reads the rows of a batch as values of the entity's `Model`, if a selected field needs it.
    pub(super) async fn typed(
        &mut self,
        table: &TableDef,
        batch: &Batch,
        read: &RowStatement,
        selection: &RowSelection,
    ) -> Typed {
        let mut fields = selection.fields.iter();
        let statement = fields.find_map(|field| match &field.what {
            RowField::Computed(field) => field.typed.as_ref(),
            _ => None,
        })?;
        let rows = Parents::distinct(batch, read, &table.key);
        let data = self.loader.data;
        let typed = data.typed(statement, rows.keys, &rows.numbers).await;
        Some(typed.map_err(|error| {
            self.failed = true;
            tell(&error)
        }))
    }

    async fn call(
        &mut self,
        table: &TableDef,
        subjects: Subjects<'_>,
        typed: Option<&TypedRows>,
        field: &ComputedField,
        window: Window,
    ) -> Vec<std::result::Result<Output, String>> {
        let Some(definition) = table.computed.get(field.index) else {
            return Vec::new();
        };
        let variables = self.loader.variables;
        let given = field.arguments.iter();
        let arguments: Vec<(&'static str, ConstValue)> = given
            .map(|(name, value)| (*name, variables.resolve(value.as_ref()).unwrap_or_default()))
            .collect();
        let within = Arc::new(InCall::new(
            self.loader.reads.clone(),
            Arc::clone(self.loader.captures),
            FieldName {
                table: table.id,
                field: definition.name,
                declared: definition.declared.is_some(),
            },
            &self.reading,
        ));
        let context = self.loader.context.in_call(Arc::clone(&within));
        let surroundings = Surroundings {
            manager: self.loader.manager,
            database: self.loader.reads,
            context: &context,
            within: &within,
        };
        let called = Called {
            definition,
            data: self.loader.data,
            limit: self.loader.field_timeout,
            counted: field.value.is_counted(),
            items: field.value.has_items(),
        };
        let call = |subject| Call {
            surroundings,
            subject,
            arguments: &arguments,
            window,
        };
        let results = match typed.filter(|_| definition.batched) {
            Some(rows) if subjects.len() > 0 => {
                let values = called.rows(call(Subject::Rows(table, rows))).await;
                computed_call::by_row(rows, subjects.len(), values)
            }
            Some(_) => Vec::new(),
            None => {
                let calls = subjects.each(table, field, typed).into_iter();
                let calls: Vec<_> = calls.map(|subject| called.one(call(subject))).collect();
                let results = stream::iter(calls).buffered(limits::COMPUTED_AT_ONCE);
                results.collect().await
            }
        };
        self.failed |= within.was_refused();
        let told = results.into_iter();
        told.map(|result| result.map_err(|error| self.tell_field(table, definition.name, &error)))
            .collect()
    }

    /// The message for the client; the cause goes to the log.
    fn tell_field(&mut self, table: &TableDef, field: &str, error: &FieldError) -> String {
        self.failed |= error.is_failed_read();
        if let Some(source) = error.source() {
            let entity = &table.entity;
            tracing::error!(%entity, field, error = %format_args!("{source:#}"), "a field failed");
        }
        error.message().to_owned()
    }

    /// Reads the rows with these keys, if more than the keys is asked for. The inner error is what
    /// the field is if that fails.
    async fn targets(
        &mut self,
        place: &RowValue,
        wanted: Vec<Key>,
    ) -> Result<std::result::Result<LoadedTargets, Loaded>> {
        let Some(statement) = &place.statement else {
            return Ok(Ok(LoadedTargets::default()));
        };
        let target = self.loader.manager.table(place.selection.entity);
        let (of, batch) = match self.look_up(target, statement, wanted).await? {
            Ok(found) => found,
            Err(failed) => return Ok(Err(failed)),
        };
        let rows = place.selection.rows();
        let selections = self.selections(&batch, statement, rows).await?;
        let rows = LoadedRows { batch, selections };
        Ok(Ok(LoadedTargets { of, rows }))
    }

    /// Watches the rows with these keys and reads those that the viewer sees, with the position of
    /// each in the batch. The inner error is what the field is if that fails.
    async fn look_up(
        &mut self,
        target: &TableDef,
        statement: &RowStatement,
        mut wanted: Vec<Key>,
    ) -> Result<std::result::Result<(HashMap<Key, u32>, Batch), Loaded>> {
        wanted.retain(|key| key.atoms().len() == target.key.len());
        if let Err(error) = self.allow(wanted.len(), 1) {
            return Ok(Err(Loaded::Failed(error.sentence().to_owned())));
        }
        let mut numbers: HashMap<Key, u32> = HashMap::new();
        let mut keys = Keys::new(target.key.len());
        for key in wanted {
            if numbers.contains_key(&key) {
                continue;
            }
            let texts: Vec<String> = key.atoms().iter().map(ToString::to_string).collect();
            keys.push(texts.iter().map(String::as_str));
            let dependency = row_dependency(target, &key);
            self.reading.depend(Role::Derived, dependency)?;
            let number = position(numbers.len());
            numbers.insert(key, number);
        }
        if keys.is_empty() {
            return Ok(Ok((HashMap::new(), Batch::default())));
        }
        let children = match self.loader.data.lookup(statement, keys).await {
            Ok(children) => children,
            Err(error) => return Ok(Err(self.fail(&error))),
        };
        let of = numbers.into_iter().filter_map(|(key, number)| {
            let row = children.rows(number).next()?;
            Some((key, position(row)))
        });
        Ok(Ok((of.collect(), children.batch)))
    }

    /// Takes out the virtual tables that are named with rows which the viewer does not see: to
    /// name a row is to say that it is there. The inner error is what the field is if that fails.
    async fn drop_unseen_names(
        &mut self,
        values: &mut [std::result::Result<Output, String>],
    ) -> Result<std::result::Result<(), Loaded>> {
        let manager = self.loader.manager;
        if !manager.is_guarded() {
            return Ok(Ok(()));
        }
        let mut named = BTreeMap::new();
        for value in values.iter().flatten() {
            gather_names(manager, value, &mut named);
        }
        let mut seen = HashMap::new();
        for (table, keys) in named {
            let target = manager.table(table);
            let by_key = Lookup::by_key(target);
            let statement = RowStatement::lookup(target, Select::new(target, []), by_key);
            match self.look_up(target, &statement, keys).await? {
                Ok((rows, _)) => seen.insert(table, rows),
                Err(failed) => return Ok(Err(failed)),
            };
        }
        if !seen.is_empty() {
            let values = values.iter_mut().flatten();
            values.for_each(|value| drop_names(value, &seen));
        }
        Ok(Ok(()))
    }
}

const NOTHING: Window = Window {
    limit: 0,
    offset: 0,
};
