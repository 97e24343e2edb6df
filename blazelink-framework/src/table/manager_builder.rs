//! `TableManagerBuilder`: what an app says of its tables, and the making of the registry out of it.
//! Filled by the app's [`Builder`](crate::Builder), and by tests.
//!
//! What is built makes a valid GraphQL schema: everything is checked here. Tables are sorted by
//! name, so the order of registration never shows.

use std::any::TypeId;
use std::fmt;

use blazelink_codes::Code;
use sea_orm::{Linked, RelationDef};

use super::check::{check_distinct, check_relations, check_table, same_table};
use super::computed::{self, Exposed};
use super::data_accessor::{self, DataAccessor, Store};
use super::definition::{DeclaredRelation, TableDef};
use super::entity::{Path, Registration, Table};
use super::extension::{Extension, ExtensionRegistration};
use super::manager::TableManager;
use super::names::check_names;
use super::setup_error::setup;
use super::virtual_table::{VirtualRegistration, VirtualTable};
use super::writes::{self, Writes};
use super::{policies, relations};
use crate::error::{Error, Result};
use crate::object_id::TableId;
use crate::viewer::Viewer;
use crate::visibility::{Access, Hook, ReadPolicy};

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
            return Err(setup(
                Code::SchemaEmpty,
                "No table is exposed",
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
