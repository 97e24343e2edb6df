//! Calls computed fields, and reads the rows that their values refer to.
//!
//! What is watched: what the field itself says, and each row that is read for a reference. The
//! field's own row is watched by whoever read it (see `load`). A field that fails with a message
//! of its own stays watched; one whose reads failed does not, like any failed statement.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql_value::ConstValue;
use blazelink_codes::limits;
use futures_util::{StreamExt, stream};

use super::computed_values::{cut, drop_names, drop_unseen, gather, gather_names, row_values};
use super::identifier;
use super::load::{Loader, Read, tell};
use super::loaded::{Loaded, LoadedComputed, LoadedRoot, LoadedRows, LoadedTargets};
use super::parents::position;
use super::plan::{ComputedField, RowField, RowValue, VirtualRoot};
use super::window;
use crate::data::{Batch, Keys, Lookup, RowStatement, Select};
use crate::error::Result;
use crate::object_id::{Key, ObjectId};
use crate::subscription::{Dependency, Role, Unwatched};
use crate::table::{
    Call, FieldError, Identified, Output, Subject, Surroundings, TableDef, Window, row_dependency,
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
        let reading = watch.begin(ObjectId::table(table.id), selection);
        let mut read = Read {
            loader: self,
            reading: &*reading,
            failed: false,
        };
        let fields = read.virtual_fields(table, root, &identified).await;
        let failed = read.failed;
        match fields {
            Err(error) => LoadedRoot::Failed(tell(&error)),
            Ok(fields) => {
                if !failed {
                    reading.finish();
                }
                LoadedRoot::Virtual(fields)
            }
        }
    }
}

/// What a computed field is called for.
#[derive(Clone, Copy)]
pub(super) enum Subjects<'a> {
    /// Every row of a batch.
    Rows(&'a Batch, &'a RowStatement),
    /// A virtual table.
    Virtual(&'a Identified),
}

impl<'a> Subjects<'a> {
    fn len(self) -> usize {
        match self {
            Subjects::Rows(batch, _) => batch.len(),
            Subjects::Virtual(_) => 1,
        }
    }

    fn each(self, table: &'a TableDef, field: &ComputedField) -> Vec<Subject<'a>> {
        match self {
            Subjects::Virtual(identified) => vec![Subject::Virtual(identified)],
            Subjects::Rows(batch, statement) => (0..batch.len())
                .map(|row| {
                    let text = |column| batch.text(row, statement.slot(column)?);
                    let cells = field.reads.iter().map(|&column| (column, text(column)));
                    Subject::Row {
                        table,
                        cells: cells.collect(),
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
        for field in &root.selection.fields {
            loaded.push(match &field.what {
                RowField::Computed(field) => {
                    let subjects = Subjects::Virtual(identified);
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
        let mut values = self.call(table, subjects, field, window).await;
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

    async fn call(
        &mut self,
        table: &TableDef,
        subjects: Subjects<'_>,
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
        let refused = AtomicBool::new(false);
        let surroundings = Surroundings {
            manager: self.loader.manager,
            database: self.loader.data.database(),
            context: self.loader.context,
            reading: self.reading,
            refused: &refused,
        };
        let calls: Vec<_> = subjects
            .each(table, field)
            .into_iter()
            .map(|subject| {
                definition.resolve(Call {
                    surroundings,
                    subject,
                    arguments: &arguments,
                    window,
                })
            })
            .collect();
        let results: Vec<_> = stream::iter(calls)
            .buffered(limits::COMPUTED_AT_ONCE)
            .collect()
            .await;
        self.failed |= refused.load(Ordering::Relaxed);
        let told = results.into_iter();
        told.map(|result| result.map_err(|error| self.tell_field(table, definition.name, &error)))
            .collect()
    }

    /// The message for the client; the cause goes to the log.
    fn tell_field(&mut self, table: &TableDef, field: &str, error: &FieldError) -> String {
        if let Some(source) = error.source() {
            self.failed = true;
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
            let by_key = Lookup {
                columns: &target.key,
                source: target,
                from: &target.key,
            };
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
