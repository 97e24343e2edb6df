//! `TableManager`, the registry: which tables are exposed, under which names. Built once at
//! start-up by the application, then shared and never changed.
//!
//! Names are checked here and nowhere else: what is built makes a valid GraphQL schema. Tables are
//! sorted by name, so the order of registration never shows.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use blazelink_codes::Code;
use sea_orm::{Linked, RelationDef};

use super::computed::{self, Exposed, ValueTypes};
use super::data_accessor::{self, DataAccessor, Store};
use super::definition::{Column, DeclaredRelation, Shape, TableDef};
use super::entity::{Path, Registration, Table};
use super::extension::{Extension, ExtensionRegistration};
use super::names::check_names;
use super::policies::{self, JudgedBy};
use super::virtual_table::{VirtualRegistration, VirtualTable};
use super::writes::{self, Writes};
use super::{naming, relations};
use crate::capture::Catalog;
use crate::error::{Error, ErrorKind, Result};
use crate::exposure::{ExposedColumn, ExposedTable, Exposure};
use crate::object_id::TableId;
use crate::value::Kind;
use crate::viewer::Viewer;
use crate::visibility::{Access, Hook, ReadPolicy, Sight};

/// All exposed tables. The table with [`TableId`] n stands at position n; virtual tables have the
/// numbers after them.
#[derive(Clone, Debug)]
pub struct TableManager {
    tables: Vec<TableDef>,
    virtual_tables: Vec<TableDef>,
    value_types: Arc<ValueTypes>,
    exposure: Arc<Exposure>,
    judged_by: Arc<JudgedBy>,
    catalog: Arc<Catalog>,
}

/// Collects tables for a [`TableManager`].
#[derive(Default)]
pub struct TableManagerBuilder {
    define: Vec<fn() -> Result<TableDef>>,
    define_virtual: Vec<fn() -> TableDef>,
    extensions: Vec<Extension>,
    said: Vec<(TypeId, ReadPolicy)>,
    /// Whether everybody may read all of a table of which nothing is said.
    lends: bool,
    writes: Vec<(TypeId, Writes)>,
    stores: Vec<(TypeId, Store)>,
    chains: Vec<(TypeId, &'static str, Vec<RelationDef>)>,
    lists: Vec<(TypeId, &'static str)>,
    /// The first prefix that found nothing.
    empty_prefix: Option<String>,
}

impl fmt::Debug for TableManagerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TableManagerBuilder({} tables)", self.define.len())
    }
}

impl TableManagerBuilder {
    /// Exposes one entity.
    #[must_use]
    pub fn table<E: Table>(mut self) -> Self {
        self.define.push(TableDef::of::<E>);
        self
    }

    /// Exposes every entity with `#[derive(blazelink::Table)]` in this module and the modules in
    /// it, such as `"myapp::entities"`, and every `#[derive(blazelink::VirtualTable)]`; adds every
    /// `#[blazelink::fields]` there. A crate that no code names is not linked, and what is in it is
    /// not found.
    #[must_use]
    pub fn discover(mut self, module: &str) -> Self {
        let is_in = |place: &str| {
            let rest = place.strip_prefix(module);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        let found = self.define.len() + self.define_virtual.len() + self.extensions.len();
        let entities = inventory::iter::<Registration>().filter(|found| is_in(found.module));
        self.define.extend(entities.map(|found| found.define));
        let virtual_tables = inventory::iter::<VirtualRegistration>();
        let virtual_tables = virtual_tables.filter(|found| is_in(found.module));
        self.define_virtual
            .extend(virtual_tables.map(|found| found.define));
        let extensions = inventory::iter::<ExtensionRegistration>();
        let extensions = extensions.filter(|found| is_in(found.module));
        self.extensions
            .extend(extensions.map(|found| found.extension));
        if self.define.len() + self.define_virtual.len() + self.extensions.len() == found {
            self.empty_prefix.get_or_insert_with(|| module.to_owned());
        }
        self
    }

    /// Adds computed fields to an entity that is exposed.
    #[must_use]
    pub fn extend(mut self, extension: Extension) -> Self {
        self.extensions.push(extension);
        self
    }

    /// Says what each viewer may see of an entity that is exposed; see [`Builder::visible`].
    ///
    /// [`Builder::visible`]: crate::Builder::visible
    #[must_use]
    pub fn visible<E: Table>(
        mut self,
        access: impl Fn(&Viewer) -> Access + Send + Sync + 'static,
    ) -> Self {
        let policy = ReadPolicy::Asked(Hook::new(access));
        self.said.push((TypeId::of::<E>(), policy));
        self
    }

    /// Says that everybody may see everything of an entity that is exposed; see
    /// [`Builder::public`](crate::Builder::public).
    #[must_use]
    pub fn public<E: Table>(mut self) -> Self {
        self.said.push((TypeId::of::<E>(), ReadPolicy::Public));
        self
    }

    /// Lets everybody read tables of which nothing is said, as in development. Without this nobody
    /// sees anything of them.
    #[must_use]
    pub fn open_unless_said(mut self) -> Self {
        self.lends = true;
        self
    }

    /// Gives mutations to an entity that is exposed; see [`Builder::writes`].
    ///
    /// [`Builder::writes`]: crate::Builder::writes
    #[must_use]
    pub fn writes<E: Table>(mut self, writes: Writes) -> Self {
        self.writes.push((TypeId::of::<E>(), writes));
        self
    }

    /// Has the rows of an entity that is exposed read from a store of the app's own; see
    /// [`Builder::accessor`].
    ///
    /// [`Builder::accessor`]: crate::Builder::accessor
    #[must_use]
    pub fn accessor<E: Table>(mut self, accessor: impl DataAccessor) -> Self {
        self.stores.push(data_accessor::said::<E>(accessor));
        self
    }

    /// Exposes a chain of relations as a field of the entity where it begins; see
    /// [`Builder::linked`].
    ///
    /// [`Builder::linked`]: crate::Builder::linked
    #[must_use]
    pub fn linked<L: Linked>(mut self, field: &'static str, chain: L) -> Self
    where
        L::FromEntity: Table,
        L::ToEntity: Table,
    {
        let entity = TypeId::of::<L::FromEntity>();
        self.chains.push((entity, field, chain.link()));
        self
    }

    /// Makes a to-many relation of an entity a list; see [`Builder::list`].
    ///
    /// [`Builder::list`]: crate::Builder::list
    #[must_use]
    pub fn list<E: Table>(mut self, relation: &'static str) -> Self {
        self.lists.push((TypeId::of::<E>(), relation));
        self
    }

    /// Exposes a virtual table.
    #[must_use]
    pub fn virtual_table<V: VirtualTable>(mut self) -> Self {
        self.define_virtual.push(TableDef::of_virtual::<V>);
        self
    }

    /// Makes the registry: completes relations, gives names and checks them.
    ///
    /// # Errors
    ///
    /// If no table is exposed, two things have one name, a name cannot be used, or a table has no
    /// usable key.
    pub fn build(self) -> Result<TableManager> {
        if let Some(module) = self.empty_prefix {
            return Err(nothing_found(&module));
        }
        let mut tables = self
            .define
            .into_iter()
            .map(|define| define())
            .collect::<Result<Vec<_>>>()?;
        tables.sort_by(|one, other| {
            (&one.entity, &one.schema, &one.table).cmp(&(
                &other.entity,
                &other.schema,
                &other.table,
            ))
        });
        tables.dedup_by(|one, other| one.entity == other.entity && same_table(one, other));
        check_distinct(&tables)?;
        let extensions = computed::distinct(self.extensions);
        computed::shape(&mut tables, &extensions)?;
        if tables.is_empty() {
            return Err(Error::new(
                ErrorKind::Setup,
                Code::SchemaEmpty,
                "No table is exposed",
            )
            .with_hint(
                "Add #[derive(blazelink::Table)] to an entity's Model, and .discover(\"..\") or \
                 .table::<..>() to the builder",
            ));
        }
        for (at, table) in tables.iter_mut().enumerate() {
            table.id = TableId(u32::try_from(at).unwrap_or(u32::MAX));
            let mut exposed = 0..;
            for column in table.columns.iter_mut().filter(|column| !column.hidden) {
                column.exposed = exposed.next();
            }
            check_table(table)?;
        }
        let said = extensions.iter().filter_map(|extension| {
            let access = extension.visible?;
            Some(((extension.entity)(), ReadPolicy::Asked(Hook::new(access))))
        });
        policies::set(&mut tables, self.said.into_iter().chain(said), self.lends)?;
        writes::give(&mut tables, self.writes)?;
        data_accessor::put(&mut tables, self.stores)?;
        add_chains(&mut tables, self.chains)?;
        relations::complete(&mut tables)?;
        make_lists(&mut tables, &self.lists)?;
        computed::extend(&mut tables, &extensions)?;
        let mut virtual_tables = virtual_tables(&self.define_virtual);
        computed::bind_declared(&mut tables, &mut virtual_tables)?;
        let exposed = Exposed {
            tables: &tables,
            virtual_tables: &virtual_tables,
        };
        for table in tables.iter().chain(&virtual_tables) {
            check_relations(table)?;
            computed::check(table, exposed)?;
        }
        let value_types = computed::types(tables.iter().chain(&virtual_tables))?;
        check_names(&tables, &virtual_tables, &value_types)?;
        Ok(TableManager::new(
            tables,
            virtual_tables,
            value_types.into(),
        ))
    }
}

impl TableManager {
    /// Begins a registry.
    pub fn builder() -> TableManagerBuilder {
        TableManagerBuilder::default()
    }

    /// The registry of these tables, whose ids are their positions. Virtual tables are numbered
    /// after them.
    fn new(
        tables: Vec<TableDef>,
        mut virtual_tables: Vec<TableDef>,
        value_types: Arc<ValueTypes>,
    ) -> TableManager {
        for (table, at) in virtual_tables.iter_mut().zip(tables.len()..) {
            table.id = TableId(u32::try_from(at).unwrap_or(u32::MAX));
        }
        let exposed = tables.iter().map(exposed_table).collect();
        let virtual_exposed = virtual_tables.iter().map(exposed_table).collect();
        let mut exposure = Exposure::new(exposed).with_virtual_tables(virtual_exposed);
        for table in tables.iter().filter(|table| table.is_guarded()) {
            if table.is_closed() {
                exposure = exposure.with_closed(table.id);
                continue;
            }
            let hidden = table.columns.iter().filter(|column| column.hidden);
            exposure = exposure.with_guarded(table.id, hidden.map(exposed_column).collect());
        }
        for table in tables.iter().filter(|table| table.partitioned) {
            exposure = exposure.with_partitioned(table.id);
        }
        TableManager {
            tables,
            virtual_tables,
            value_types,
            exposure: Arc::new(exposure),
            judged_by: Arc::default(),
            catalog: Arc::new(Catalog::unknown()),
        }
    }

    /// What a viewer sees of a table; nothing stands for everything. Asks the app each time.
    ///
    /// Where [`TableDef::ask`] fails the viewer sees nothing, and the log says why.
    pub(crate) fn sight(&self, table: &TableDef, viewer: &Viewer) -> Option<Sight> {
        let sight = match table.ask(viewer) {
            Ok(sight) => sight?,
            Err(error) => {
                tracing::error!(%error, "a viewer is shown nothing of a table until this is corrected");
                return Some(Sight::nothing(table));
            }
        };
        if sight.needs_postgres() {
            self.judged_by.learn(table.id, &sight, &self.tables);
        }
        Some(sight)
    }

    /// The guarded tables of which somebody may see other rows after a change of one of these.
    pub(crate) fn judged_by(&self, changed: &BTreeSet<TableId>) -> BTreeSet<TableId> {
        self.judged_by.after(changed)
    }

    /// The table or virtual table with this number.
    ///
    /// # Panics
    ///
    /// If the number is not one of this registry's. Numbers never come from outside.
    pub fn table(&self, id: TableId) -> &TableDef {
        let at = id.0 as usize;
        match at.checked_sub(self.tables.len()) {
            None => &self.tables[at],
            Some(at) => &self.virtual_tables[at],
        }
    }

    /// The virtual tables, by name.
    pub fn virtual_tables(&self) -> &[TableDef] {
        &self.virtual_tables
    }

    /// The same with what else the database is made of.
    pub(crate) fn with_catalog(mut self, catalog: Catalog) -> TableManager {
        self.catalog = Arc::new(catalog);
        self
    }

    /// Whether there are computed fields.
    pub(crate) fn computes(&self) -> bool {
        let mut tables = self.tables.iter().chain(&self.virtual_tables);
        tables.any(|table| !table.computed.is_empty())
    }

    /// What the database is made of, for statements of computed fields.
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The types of the computed fields.
    pub(crate) fn value_types(&self) -> &ValueTypes {
        &self.value_types
    }

    /// The table of an entity.
    pub(crate) fn by_type(&self, entity: TypeId) -> Option<&TableDef> {
        self.tables.iter().find(|table| table.rust_type == entity)
    }

    /// A virtual table by its type.
    pub(crate) fn virtual_by_type(&self, rust_type: TypeId) -> Option<&TableDef> {
        let mut tables = self.virtual_tables.iter();
        tables.find(|table| table.rust_type == rust_type)
    }

    /// All tables of Postgres, by ascending number, which is by name.
    pub fn tables(&self) -> &[TableDef] {
        &self.tables
    }

    /// What replication, matching and pushes need to know of the tables.
    pub fn exposure(&self) -> Arc<Exposure> {
        Arc::clone(&self.exposure)
    }

    /// As `check_visibility`, of what may be written.
    ///
    /// # Errors
    ///
    /// If the app's code panics, or a rule cannot be bound to its table.
    pub(crate) fn check_writes(&self) -> Result<()> {
        self.tables.iter().try_for_each(TableDef::check_writes)
    }

    /// Whether any table has a mutation.
    pub(crate) fn has_writes(&self) -> bool {
        self.tables
            .iter()
            .any(|table| !table.write_types().is_empty())
    }

    /// Whether the app says of any table who sees what of it.
    pub fn is_guarded(&self) -> bool {
        self.tables.iter().any(TableDef::is_guarded)
    }

    /// Asks the app what nobody in particular sees, so that an access that cannot be is found at
    /// start-up. To be called once the tables' columns are known.
    ///
    /// # Errors
    ///
    /// If the app's code panics, or an access cannot be bound to its table.
    pub(crate) fn check_visibility(&self) -> Result<()> {
        let anonymous = Viewer::anonymous();
        let mut tables = self.tables.iter();
        tables.try_for_each(|table| table.ask(&anonymous).map(|_| ()))
    }

    /// The table or virtual table that a client means by this name: spelled exactly, else without
    /// regard to case and underscores.
    pub fn named(&self, entity: &str) -> Option<&TableDef> {
        let mut all = self.tables.iter().chain(&self.virtual_tables);
        let exact = all.clone().find(|table| table.entity == entity);
        exact.or_else(|| all.find(|table| naming::names_entity(entity, &table.entity)))
    }

    /// Name of the root that reads one row of a table.
    pub fn row_root(table: &TableDef) -> &str {
        &table.row_root
    }

    /// Name of the root that reads a page of a table, or the list of its rows.
    pub fn page_root(table: &TableDef) -> &str {
        &table.page_root
    }

    /// The same registry with other definitions of its tables, in the same order.
    pub(crate) fn with_tables(self, tables: Vec<TableDef>) -> TableManager {
        TableManager::new(tables, self.virtual_tables, self.value_types)
    }
}

/// By name, each once. Their numbers are given when the tables' are known.
fn virtual_tables(define: &[fn() -> TableDef]) -> Vec<TableDef> {
    let mut tables: Vec<TableDef> = define.iter().map(|define| define()).collect();
    tables.sort_by(|one, other| one.entity.cmp(&other.entity));
    tables.dedup_by_key(|table| table.rust_type);
    for table in &mut tables {
        table.computed.sort_by_key(|field| field.name);
    }
    tables
}

fn exposed_column(column: &Column) -> ExposedColumn {
    ExposedColumn {
        name: column.name.clone(),
        renamed: column.renamed,
        kind: column.kind.clone(),
    }
}

/// Gives the tables the chains that begin at them.
fn add_chains(
    tables: &mut [TableDef],
    chains: Vec<(TypeId, &'static str, Vec<RelationDef>)>,
) -> Result<()> {
    for (entity, field, chain) in chains {
        let mut known = tables.iter_mut();
        let Some(table) = known.find(|table| table.rust_type == entity) else {
            return Err(setup(
                Code::SchemaDefinition,
                format!("The chain `{field}` begins at an entity that is not exposed"),
                "Give the entity to .discover(\"..\") or .table::<..>(), or remove .linked(\"..\", ..)",
            ));
        };
        table.declared.push(DeclaredRelation {
            name: field.to_owned(),
            hidden: false,
            list: false,
            path: Path::Linked(chain),
        });
    }
    Ok(())
}

/// Makes lists of relations; those that a field asked for are lists already.
fn make_lists(tables: &mut [TableDef], lists: &[(TypeId, &'static str)]) -> Result<()> {
    for &(entity, name) in lists {
        let mut known = tables.iter_mut();
        let table = known.find(|table| table.rust_type == entity);
        let relation = table.and_then(|table| {
            let mut relations = table.relations.iter_mut();
            relations.find(|relation| relation.name == name)
        });
        let Some(relation) = relation else {
            return Err(setup(
                Code::SchemaDefinition,
                format!("`.list::<..>(\"{name}\")` names no relation of an exposed entity"),
                "Name a to-many relation as the schema calls it",
            ));
        };
        relation.list = true;
    }
    Ok(())
}

fn exposed_table(table: &TableDef) -> ExposedTable {
    ExposedTable {
        id: table.id,
        schema: table.schema.clone(),
        table: table.table.clone(),
        entity: table.entity.clone(),
        columns: table
            .exposed()
            .map(|(_, column)| exposed_column(column))
            .collect(),
        key: table
            .key
            .iter()
            .filter_map(|&column| table.columns[column].exposed)
            .map(|position| position as usize)
            .collect(),
    }
}

pub(super) fn setup(code: Code, sentence: String, hint: impl Into<String>) -> Error {
    Error::new(ErrorKind::Setup, code, sentence).with_hint(hint.into())
}

fn nothing_found(module: &str) -> Error {
    let package = module.split("::").next().unwrap_or(module);
    setup(
        Code::SchemaEmpty,
        format!("No table was discovered in `{module}`"),
        format!(
            "Add #[derive(blazelink::Table)] to the entities there; if they are in a crate of their \
             own, name it once so that it is linked: use {package} as _;"
        ),
    )
}

fn same_table(one: &TableDef, other: &TableDef) -> bool {
    one.schema == other.schema && one.table == other.table
}

/// A change of a table belongs to one entity.
fn check_distinct(tables: &[TableDef]) -> Result<()> {
    for (at, table) in tables.iter().enumerate() {
        if let Some(other) = tables[..at].iter().find(|other| same_table(other, table)) {
            return Err(setup(
                Code::SchemaDefinition,
                format!(
                    "Table `{}` is exposed by two entities, as `{}` and as `{}`",
                    table.table, other.entity, table.entity
                ),
                "Remove #[derive(blazelink::Table)] from one of them",
            ));
        }
    }
    Ok(())
}

pub(super) const RENAME: &str =
    "Name the type with #[blazelink(name = \"..\")] on the entity's Model";

fn check_table(table: &TableDef) -> Result<()> {
    let name = &table.table;
    if table.key.is_empty() {
        return Err(setup(
            Code::TableWithoutKey,
            format!("Table `{name}` has no primary key"),
            "Give the table a primary key, or remove #[derive(blazelink::Table)] from its entity",
        ));
    }
    if let Some(&hidden) = table.key.iter().find(|&&key| table.columns[key].hidden) {
        let column = &table.columns[hidden].name;
        return Err(setup(
            Code::SchemaDefinition,
            format!("Table `{name}` hides `{column}`, a column of its primary key"),
            "Remove #[blazelink(hide)] from the column: rows are known by their key",
        ));
    }
    let mut key = table.key.iter().map(|&at| &table.columns[at]);
    if let Some(column) = key.find(|it| matches!(it.kind, Kind::Array(_) | Kind::Json)) {
        return Err(setup(
            Code::SchemaDefinition,
            format!(
                "Table `{name}` has `{}` of type `{}` in its primary key, which no client can name",
                column.name, column.sql_type
            ),
            "Give the table a primary key of numbers and texts, or remove #[derive(blazelink::Table)] \
             from its entity",
        ));
    }
    if !naming::is_graphql_name(&table.entity) {
        return Err(setup(
            Code::SchemaName,
            format!(
                "Table `{name}` would have the type `{}`, which is no GraphQL name",
                table.entity
            ),
            RENAME,
        ));
    }
    for (at, column) in table.exposed() {
        let mut earlier = table.exposed().take_while(|(other, _)| *other < at);
        if earlier.any(|(_, other)| other.field() == column.field()) {
            return Err(setup(
                Code::SchemaCollision,
                format!("Table `{name}` has two columns called `{}`", column.field()),
                "Give one of them another name with #[blazelink::fields(rename(..))]",
            ));
        }
        if !naming::is_graphql_name(column.field()) {
            return Err(setup(
                Code::SchemaName,
                format!(
                    "Column `{}` of table `{name}` is no GraphQL name",
                    column.field()
                ),
                "Give it another with #[blazelink::fields(rename(..))], or leave it out with \
                 #[blazelink(hide)]",
            ));
        }
    }
    Ok(())
}

fn check_relations(table: &TableDef) -> Result<()> {
    for (at, relation) in table.relations.iter().enumerate() {
        let name = &relation.name;
        if !naming::is_graphql_name(name) {
            return Err(setup(
                Code::SchemaName,
                format!(
                    "Relation `{name}` of table `{}` is no GraphQL name",
                    table.table
                ),
                "Rename the relation's field, or leave it out with #[blazelink(hide)]",
            ));
        }
        let taken = table.exposed().any(|(_, column)| column.field() == name)
            || table.relations[..at]
                .iter()
                .any(|other| &other.name == name);
        if taken {
            return Err(setup(
                Code::SchemaCollision,
                format!("Table `{}` has two fields called `{name}`", table.table),
                "Rename the relation's field in the entity, or leave one out with \
                 #[blazelink(hide)]",
            ));
        }
        debug_assert!(match &relation.shape {
            Shape::BelongsTo { from, to }
            | Shape::HasOne { from, to }
            | Shape::HasMany { from, to } => from.len() == to.len(),
            Shape::Through { from, near, .. } | Shape::Linked { from, near, .. } =>
                from.len() == near.len(),
        });
        if relation.list && relation.shape.is_single() {
            return Err(setup(
                Code::SchemaDefinition,
                format!(
                    "Relation `{name}` of table `{}` leads to one row, and cannot be a list",
                    table.table
                ),
                "Remove #[blazelink(list)] from the field",
            ));
        }
    }
    Ok(())
}
