//! Reads what a plan needs, level by level: one statement per relation for all rows of a batch, and
//! before each statement the dependencies of what it reads.
//!
//! What is watched, and why it is enough:
//! - a row by its key: that row;
//! - a page of a table: the table, which covers the items' columns;
//! - a to-one relation: the row that it leads to, or the rows whose column holds the key, present
//!   or not;
//! - a to-many relation: the rows whose foreign key is the parent's, before or after a change. A
//!   child that changes, appears, leaves or moves is such a row, so its columns are covered too;
//! - a to-many relation over a junction: the junction's rows in the same way, and the target's rows
//!   by their keys, which the junction has told before they are read.
//!
//! Rows that the viewer does not see are watched like missing ones, and read as such: `data` gives
//! none of them.
//!
//! A dependency looks for text. Where equal values may print differently, it is widened to the
//! table.

use std::sync::Arc;
use std::time::Duration;

use blazelink_codes::Code;
use futures_util::future::BoxFuture;
use sea_orm::DatabaseConnection;

use super::computed_load::Subjects;
use super::identifier::{self, Identifier};
use super::loaded::{Loaded, LoadedOne, LoadedRoot, LoadedRows};
use super::parents::{Parents, position};
use super::plan::{Fingerprint, OneField, RowField, RowRoot, RowSelection};
use super::query_limits::{QueryLimits, beyond};
use super::variables::Variables;
use crate::capture::Captures;
use crate::context::BlazeContext;
use crate::data::{Batch, RowStatement, SeaOrmAccessor};
use crate::error::{Error, ErrorKind, Result};
use crate::object_id::{Key, ObjectId, TableId};
use crate::subscription::{Dependency, Reading, Role, Watch};
use crate::table::{Identified, NO_ROW, Shape, TableDef, TableManager, narrowed_to};
use crate::visibility::Sight;

/// The error of a column that the viewer does not see, whatever its value is.
const HIDDEN: &str = "The field is hidden from whoever asks";

/// Reads for one request.
pub(super) struct Loader<'a> {
    pub(super) manager: &'a TableManager,
    pub(super) data: &'a SeaOrmAccessor<'a>,
    pub(super) variables: &'a Variables,
    pub(super) context: &'a BlazeContext,
    pub(super) watch: &'a dyn Watch,
    /// What computed fields read through.
    pub(super) reads: &'a DatabaseConnection,
    pub(super) captures: &'a Arc<dyn Captures>,
    pub(super) limits: &'a QueryLimits,
    /// Rows that the request may still ask for.
    pub(super) allowance: usize,
    /// The time that one call of a computed field may take.
    pub(super) field_timeout: Duration,
}

/// One root while it is read.
pub(super) struct Read<'l, 'a> {
    pub(super) loader: &'l mut Loader<'a>,
    pub(super) reading: Arc<dyn Reading>,
    /// Whether a statement has failed, so that the answer must not stay watched.
    pub(super) failed: bool,
}

impl<'a> Loader<'a> {
    pub(super) async fn row(&mut self, root: &RowRoot) -> LoadedRoot {
        let table = self.manager.table(root.table);
        let value = self.variables.resolve(root.identifier.as_ref());
        let identifier = match Identifier::read(self.manager, table, value.as_ref()) {
            Ok(identifier) => identifier,
            Err(message) => return LoadedRoot::Failed(message),
        };
        let object = ObjectId::row(table.id, identifier.key.clone());
        let selection = self.fingerprint(&root.fingerprint);
        if let Err(message) = self.ask(table, &object, selection).await {
            return LoadedRoot::Failed(message);
        }
        let named = Identified::all(&identifier.dependencies).into_iter();
        let named = named.map(|named| (named.table, named.key.as_ref()));
        if let Err(message) = self.ask_named(named, selection).await {
            return LoadedRoot::Failed(message);
        }
        let mut read = Read::begin(self, self.watch, object, selection);
        let rows = read.row(table, root, &identifier).await;
        match read.end(rows) {
            Err(message) => LoadedRoot::Failed(message),
            Ok(rows) if rows.batch.is_empty() => LoadedRoot::Failed(NO_ROW.to_owned()),
            Ok(rows) => LoadedRoot::Row(rows),
        }
    }

    /// The fingerprint of a selection together with the values of its variables.
    pub(super) fn fingerprint(&self, of: &Fingerprint) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        of.document.hash(&mut hasher);
        for name in &of.variables {
            let value = self.variables.get(name);
            value.map(ToString::to_string).hash(&mut hasher);
        }
        hasher.finish()
    }
}

impl<'l, 'a> Read<'l, 'a> {
    /// Begins to read a root; what is said to be read from here on is watched by `watch`.
    pub(super) fn begin(
        loader: &'l mut Loader<'a>,
        watch: &dyn Watch,
        object: ObjectId,
        selection: u64,
    ) -> Read<'l, 'a> {
        Read {
            reading: watch.begin(object, selection),
            loader,
            failed: false,
        }
    }

    /// What was read of the root, or its error's message. It stays watched, unless a statement has
    /// failed.
    pub(super) fn end<T>(self, read: Result<T>) -> Result<T, String> {
        let read = read.map_err(|error| tell(&error))?;
        if !self.failed {
            self.reading.finish();
        }
        Ok(read)
    }
}

impl<'a> Read<'_, 'a> {
    /// Fails if the root as a whole must fail.
    async fn row(
        &mut self,
        table: &TableDef,
        root: &RowRoot,
        identifier: &Identifier,
    ) -> Result<LoadedRows> {
        let key = &identifier.key;
        let own = Dependency::Row(table.id, key.clone());
        self.reading.depend(Role::Declared, own)?;
        for named in Identified::all(&identifier.dependencies) {
            self.declare(named.table, named.key.as_ref())?;
        }
        let data = self.loader.data;
        let mut batch = data.by_key(&root.statement, key).await?;
        if !identifier::is_canonical(table) && self.watch_as_printed(table, root, key, &batch)? {
            batch = data.by_key(&root.statement, key).await?;
        }
        let selections = self
            .selections(&batch, &root.statement, [&root.selection].into_iter())
            .await?;
        Ok(LoadedRows { batch, selections })
    }

    /// Watches what a client declares beside the root.
    pub(super) fn declare(&self, table: TableId, key: Option<&Key>) -> Result<()> {
        let Some(key) = key else {
            let whole = Dependency::Table(table);
            return self.reading.depend(Role::Declared, whole);
        };
        let row = Dependency::Row(table, key.clone());
        self.reading.depend(Role::Declared, row)?;
        if !identifier::is_canonical(self.loader.manager.table(table)) {
            let whole = Dependency::Table(table);
            self.reading.depend(Role::Derived, whole)?;
        }
        Ok(())
    }

    /// A key whose printed form only Postgres knows: watches the row under the key as printed, or
    /// the table if there is no row to tell it. Says whether the row must be read again, because
    /// it was not watched when it was read.
    fn watch_as_printed(
        &self,
        table: &TableDef,
        root: &RowRoot,
        asked: &Key,
        batch: &Batch,
    ) -> Result<bool> {
        let atoms = table.key.iter().map(|&column| {
            let text = batch.text(0, root.statement.slot(column)?)?;
            Some(table.columns[column].kind.atom(text))
        });
        let printed = atoms.collect::<Option<Vec<_>>>().and_then(Key::from_atoms);
        let dependency = match printed {
            Some(printed) if printed == *asked => return Ok(false),
            Some(printed) => Dependency::Row(table.id, printed),
            None => Dependency::Table(table.id),
        };
        self.reading.depend(Role::Derived, dependency)?;
        Ok(true)
    }

    /// Loads what the selections of a batch need further. Boxed, since relations lead to
    /// relations; no future exists per row.
    pub(super) fn selections<'s, 'p: 's>(
        &'s mut self,
        batch: &'s Batch,
        statement: &'s RowStatement,
        selections: impl Iterator<Item = &'p RowSelection> + Send + 's,
    ) -> BoxFuture<'s, Result<Vec<Vec<Loaded>>>> {
        Box::pin(async move {
            let mut loaded = Vec::new();
            for selection in selections {
                let table = self.loader.manager.table(selection.table);
                let sight = self.loader.data.sight(table);
                let typed = self.typed(table, batch, statement, selection).await;
                let mut fields = Vec::with_capacity(selection.fields.len());
                for field in &selection.fields {
                    if self.hides(table, sight.as_deref(), &field.what) {
                        fields.push(Loaded::Failed(HIDDEN.to_owned()));
                        continue;
                    }
                    fields.push(match &field.what {
                        RowField::One(one) => self.one(table, batch, statement, one).await?,
                        RowField::Many(many) => self.many(table, batch, statement, many).await?,
                        RowField::Computed(computed) => {
                            let rows = Subjects::Rows(batch, statement, &typed);
                            self.computed(table, rows, computed).await?
                        }
                        RowField::Typename | RowField::Column(_) => Loaded::Plain,
                    });
                }
                loaded.push(fields);
            }
            Ok(loaded)
        })
    }

    /// Whether a field is a column that the viewer does not see, or a relation that would tell
    /// the value of one.
    fn hides(&self, table: &TableDef, sight: Option<&Sight>, field: &RowField) -> bool {
        let hides = |sight: Option<&Sight>, columns: &[usize]| {
            let mut columns = columns.iter();
            sight.is_some_and(|sight| columns.any(|&column| sight.hides(column)))
        };
        let hidden_in = |table: TableId, columns: &[usize]| {
            let sight = self.loader.data.sight(self.loader.manager.table(table));
            hides(sight.as_deref(), columns)
        };
        let hidden_between = |relation: usize| {
            let relation = &table.relations[relation];
            let Shape::Linked { hops, .. } = &relation.shape else {
                return false;
            };
            let next = hops.iter().skip(1).map(|hop| hop.table);
            let next = next.chain([relation.target]);
            hops.iter()
                .zip(next)
                .any(|(hop, next)| hidden_in(hop.table, &hop.from) || hidden_in(next, &hop.to))
        };
        match field {
            RowField::Typename | RowField::Computed(_) => false,
            RowField::Column(column) => hides(sight, &[*column]),
            RowField::One(one) => {
                hides(sight, &one.from)
                    || hidden_in(one.holder, &one.to)
                    || hidden_between(one.relation)
            }
            RowField::Many(many) => {
                let far = many.junction.as_ref().map(|junction| &*junction.far);
                hides(sight, &many.from)
                    || hidden_in(many.holder, &many.to)
                    || hidden_in(many.holder, far.unwrap_or_default())
                    || hidden_between(many.relation)
            }
        }
    }

    async fn one(
        &mut self,
        table: &TableDef,
        parents: &Batch,
        read: &RowStatement,
        field: &OneField,
    ) -> Result<Loaded> {
        let Some(statement) = &field.statement else {
            return Ok(Loaded::One(LoadedOne::default()));
        };
        let parents = Parents::distinct(parents, read, &field.from);
        if parents.keys.is_empty() {
            return Ok(Loaded::One(LoadedOne {
                of: vec![None; parents.numbers.len()],
                rows: LoadedRows::default(),
            }));
        }
        self.watch_keys(table, &parents, (&field.from, field.holder, &field.to))?;
        let relation = &table.relations[field.relation];
        let children = match &relation.shape {
            Shape::Linked { .. } => self.chained(table, relation, statement, parents.keys).await,
            _ => self.loader.data.lookup(statement, parents.keys).await,
        };
        let children = match children {
            Ok(children) => children,
            Err(error) => return Ok(self.fail(&error)),
        };
        let selections = self
            .selections(&children.batch, statement, field.selection.rows())
            .await?;
        let first = |number: u32| children.rows(number).next().map(position);
        Ok(Loaded::One(LoadedOne {
            of: parents
                .numbers
                .iter()
                .map(|number| first((*number)?))
                .collect(),
            rows: LoadedRows {
                batch: children.batch,
                selections,
            },
        }))
    }

    /// Watches, for each key, the rows of `target` whose columns `to` hold what this table's
    /// `from` held.
    pub(super) fn watch_keys(
        &self,
        source: &TableDef,
        parents: &Parents<'_>,
        (from, target, to): (&[usize], TableId, &[usize]),
    ) -> Result<()> {
        let target = self.loader.manager.table(target);
        // Some columns of several are a wider set of rows, and enough.
        let exact = |&at: &usize| source.columns[from[at]].exact && target.columns[to[at]].exact;
        let exact: Vec<usize> = (0..to.len()).filter(exact).collect();
        let is_row = target.is_key(to) && exact.len() == to.len();
        for texts in &parents.texts {
            let atom = |at: usize| target.columns[to[at]].kind.atom(texts[at]);
            let row = || {
                let atoms = target.key.iter().map(|key| {
                    let at = to.iter().position(|column| column == key)?;
                    Some(atom(at))
                });
                atoms.collect::<Option<Vec<_>>>().and_then(Key::from_atoms)
            };
            if let Some(key) = is_row.then(row).flatten() {
                let row = Dependency::Row(target.id, key);
                self.reading.depend(Role::Derived, row)?;
                continue;
            }
            let equalities = exact.iter().map(|&at| (to[at], vec![atom(at)]));
            narrowed_to(target, equalities, 1)
                .into_iter()
                .try_for_each(|rows| self.reading.depend(Role::Derived, rows))?;
        }
        Ok(())
    }

    /// The field's error, if its statement failed.
    pub(super) fn fail(&mut self, error: &Error) -> Loaded {
        self.failed = true;
        Loaded::Failed(tell(error))
    }

    /// Takes rows from what the request may ask for.
    pub(super) fn allow(&mut self, parents: usize, limit: i64) -> Result<()> {
        let wanted = parents.saturating_mul(usize::try_from(limit).unwrap_or(usize::MAX));
        match self.loader.allowance.checked_sub(wanted) {
            Some(rest) => {
                self.loader.allowance = rest;
                Ok(())
            }
            None => Err(Error::new(
                ErrorKind::Request,
                Code::TooManyRows,
                beyond(
                    Code::TooManyRows,
                    format_args!(
                        "The request asks for more than {} rows; ask for smaller pages",
                        self.loader.limits.answer_rows
                    ),
                ),
            )),
        }
    }
}

/// The sentence for the client; the cause goes to the log.
pub(super) fn tell(error: &Error) -> String {
    if error.kind() != ErrorKind::Request {
        tracing::error!(error = %format_args!("{error:#}"), "a read failed");
    }
    error.sentence().to_owned()
}
