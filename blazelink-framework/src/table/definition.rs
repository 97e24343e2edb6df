//! `TableDef`: one exposed entity as plain data. Made from the entity, completed by the registry,
//! corrected by the catalog check; read by everything that plans, loads or writes.

use std::any::TypeId;

use blazelink_codes::Code;

use super::data_accessor::Store;
use super::ddl::Ddl;
use super::entity::Path;
use super::extension::OnSubscribe;
use super::field::Field;
use super::identified::Identified;
use super::setup_error::setup;
use super::virtual_table::Parameter;
use super::writes::Writes;
use crate::error::Result;
use crate::object_id::TableId;
use crate::value::Kind;
use crate::viewer::Viewer;
use crate::visibility::{ReadPolicy, Sight};

/// One exposed entity. Not generic: strings, positions and kinds.
#[derive(Clone, Debug)]
pub struct TableDef {
    /// Its number in the `TableManager`: its position among the tables.
    pub id: TableId,
    /// The entity's type, or the virtual table's.
    pub(crate) rust_type: TypeId,
    /// The schema that the entity names, if it names one.
    pub declared_schema: Option<String>,
    /// The schema it lies in. `public` until the catalog was asked, where the entity names none.
    pub schema: String,
    /// Its name in Postgres.
    pub table: String,
    /// Its name in GraphQL and on the wire, such as `GameEvent`.
    pub entity: String,
    /// All columns, hidden ones too, in the entity's order.
    pub columns: Vec<Column>,
    /// Positions of the primary key's columns in [`TableDef::columns`], in key order.
    pub key: Vec<usize>,
    /// Name of the root that reads one row.
    pub(crate) row_root: String,
    /// Name of the root that reads many.
    pub(crate) page_root: String,
    /// Whether that root is a list rather than a page.
    pub(crate) list: bool,
    /// The relations, in the order of their declaration, completed ones last.
    pub relations: Vec<Relation>,
    /// What the entity says of its relations, before the registry has completed them.
    pub(crate) declared: Vec<DeclaredRelation>,
    /// The computed fields, by name.
    pub computed: Vec<Field>,
    /// The `dependencies` of the `ObjectId`s that lead to its rows.
    pub(crate) carried: Vec<Identified>,
    /// The rows that a virtual table needs.
    pub(crate) parameters: Vec<Parameter>,
    /// Who may read it.
    pub(crate) read: ReadPolicy,
    /// Asked before a session begins to watch an object of it.
    pub(crate) on_subscribe: Vec<OnSubscribe>,
    /// Its mutations, if it has any.
    pub(crate) writes: Option<Writes>,
    /// Whether its rows lie in partitions. False until the catalog was asked.
    pub(crate) partitioned: bool,
    /// Where its rows come from, if not from Postgres.
    pub(crate) store: Option<Store>,
    /// What would make it in Postgres; a virtual table is nothing there.
    pub(crate) ddl: Option<fn() -> Ddl>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in Postgres, and in GraphQL if it has no other there.
    pub name: String,
    /// Its name in GraphQL and on the wire, if an app has given it another.
    pub renamed: Option<&'static str>,
    /// How its text becomes JSON.
    pub kind: Kind,
    /// Its type as SQL writes it, such as `int4`; what a bound text is cast to.
    pub sql_type: String,
    /// Whether it may be NULL. No GraphQL field is non-null because of it.
    pub nullable: bool,
    /// Whether Postgres computes it from other columns of the row. Then the log may not tell it, so
    /// no rule may compare it. False until the catalog was asked.
    pub generated: bool,
    /// Whether Postgres gives every row a value of its own making, so that no statement may. False
    /// until the catalog was asked.
    pub always: bool,
    /// Whether a new row gets a value where none is given: as far as the entity says, and as far as
    /// the catalog says once it was asked.
    pub default: bool,
    /// Whether the entity says that no two rows have the same value.
    pub unique: bool,
    /// Whether it is left out of the schema and of every answer and push.
    pub hidden: bool,
    /// How a statement asks for its text.
    pub read: Read,
    /// Whether two values are equal in SQL exactly if Postgres prints the same text. Only then may
    /// a dependency look for the text.
    pub exact: bool,
    /// Whether Postgres puts its values in an order, so that pages may compare and sort by it. Only
    /// the catalog knows of types that the entity names itself; until it was asked they are taken
    /// to be ordered.
    pub ordered: bool,
    /// Its position among the exposed columns; nothing if it is hidden.
    pub exposed: Option<u32>,
}

impl Column {
    /// Its name in GraphQL and on the wire.
    pub fn field(&self) -> &str {
        self.renamed.unwrap_or(&self.name)
    }
}

/// How a statement asks for a column's text, so that it equals what the type's output function
/// prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// As it is: an integer of two, four or eight bytes, printed by us.
    Integer,
    /// As it is: one byte, printed by us as `t` or `f`.
    Bool,
    /// As it is: its bytes are its text.
    Plain,
    /// As it is, printed by us: `float4`.
    Float4,
    /// As it is, printed by us: `float8`.
    Float8,
    /// As it is, printed by us: `numeric`.
    Numeric,
    /// As it is, printed by us: `date`.
    Date,
    /// As it is, printed by us: `time`.
    Time,
    /// As it is, printed by us: `timestamp`.
    Timestamp,
    /// As it is, printed by us in UTC: `timestamptz`.
    TimestampTz,
    /// As it is, printed by us: `uuid`.
    Uuid,
    /// As it is, printed by us: `bytea`.
    Bytea,
    /// As it is: `jsonb`, whose text follows a version.
    Jsonb,
    /// Cast to text, for types whose cast is their output function.
    Cast,
    /// By `format`, which calls the output function of any type.
    Format,
}

/// A way from a row of one table to rows of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// The field's name in GraphQL.
    pub name: String,
    /// The table that it leads to.
    pub target: TableId,
    /// How it leads there.
    pub shape: Shape,
    /// Whether many rows are a list rather than a page.
    pub list: bool,
}

/// How a relation finds its rows. Positions are in [`TableDef::columns`] of the table named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// This table's columns `from` hold the target's columns `to`: at most one row.
    BelongsTo {
        /// Columns of this table.
        from: Vec<usize>,
        /// Columns of the target, pair by pair.
        to: Vec<usize>,
    },
    /// The target's columns `to` hold this table's `from`, in at most one row.
    HasOne {
        /// Columns of this table.
        from: Vec<usize>,
        /// Columns of the target, pair by pair.
        to: Vec<usize>,
    },
    /// The target's columns `to` hold this table's `from`.
    HasMany {
        /// Columns of this table.
        from: Vec<usize>,
        /// Columns of the target, pair by pair.
        to: Vec<usize>,
    },
    /// A row of `junction` joins a row of this table and one of the target.
    Through {
        /// The table between.
        junction: TableId,
        /// Columns of this table.
        from: Vec<usize>,
        /// Columns of the junction that hold `from`, pair by pair.
        near: Vec<usize>,
        /// Columns of the junction that hold the target's key, in key order.
        far: Vec<usize>,
    },
    /// A chain of tables between, as SeaORM's `Linked` has it. A row to which several ways lead is
    /// there once.
    Linked {
        /// Columns of this table.
        from: Vec<usize>,
        /// Columns of the first table between that hold `from`, pair by pair.
        near: Vec<usize>,
        /// The tables between; at least one.
        hops: Vec<Hop>,
        /// Whether no step leads to more than one row.
        single: bool,
    },
}

impl Shape {
    /// Whether it leads to at most one row.
    pub fn is_single(&self) -> bool {
        match self {
            Shape::BelongsTo { .. } | Shape::HasOne { .. } => true,
            Shape::HasMany { .. } | Shape::Through { .. } => false,
            Shape::Linked { single, .. } => *single,
        }
    }
}

/// A table between, and how it leads on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The table.
    pub table: TableId,
    /// Columns of this table.
    pub from: Vec<usize>,
    /// Columns of the next table, or of the target, pair by pair.
    pub to: Vec<usize>,
}

/// A relation as the entity declares it.
#[derive(Clone, Debug)]
pub(crate) struct DeclaredRelation {
    pub(crate) name: String,
    pub(crate) hidden: bool,
    pub(crate) list: bool,
    pub(crate) path: Path,
}

impl TableDef {
    /// Whether it is a virtual table, which has computed fields only.
    pub fn is_virtual(&self) -> bool {
        self.columns.is_empty()
    }

    /// Position of the column with this name in Postgres.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The exposed columns with their positions in [`TableDef::columns`].
    pub fn exposed(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.columns
            .iter()
            .enumerate()
            .filter(|(_, column)| !column.hidden)
    }

    /// Name of the root that reads one row of it, or the virtual table.
    pub fn row_root(&self) -> &str {
        &self.row_root
    }

    /// Name of the root that reads a page of it, or the list of its rows.
    pub fn page_root(&self) -> &str {
        &self.page_root
    }

    /// Whether not everybody may see everything of it.
    pub fn is_guarded(&self) -> bool {
        self.read.guards()
    }

    /// Whether the app's own code says who sees what of it.
    pub(crate) fn asks_app(&self) -> bool {
        matches!(self.read, ReadPolicy::Asked(_))
    }

    /// Whether nobody sees anything of it, because nobody has said who may.
    pub fn is_closed(&self) -> bool {
        matches!(self.read, ReadPolicy::Closed | ReadPolicy::Unsaid)
    }

    /// What the viewer sees of it; nothing stands for everything. Asks the app each time.
    ///
    /// # Errors
    ///
    /// If the app's code panics, or says what cannot be bound to the table.
    pub(crate) fn ask(&self, viewer: &Viewer) -> Result<Option<Sight>> {
        let hook = match &self.read {
            ReadPolicy::Public | ReadPolicy::Lent => return Ok(None),
            ReadPolicy::Closed | ReadPolicy::Unsaid => return Ok(Some(Sight::nothing(self))),
            ReadPolicy::Asked(hook) => hook,
        };
        let access = hook.access(viewer).ok_or_else(|| {
            let sentence = format!("The access to table `{}` panics", self.table);
            let hint = "let what `.visible::<..>(..)` calls answer for every viewer";
            setup(Code::SchemaDefinition, sentence, hint)
        })?;
        let sight = Sight::bind(&access, self)?;
        Ok((!sight.is_everything()).then_some(sight))
    }

    /// Where a column's cell is in a row's image. Those of a guarded table hold the exposed
    /// columns and after them the hidden ones, for its rules.
    pub(crate) fn cell(&self, column: usize) -> usize {
        let hidden = self.columns[..column].iter().filter(|c| c.hidden).count();
        match self.columns[column].exposed {
            Some(cell) => cell as usize,
            None => self.exposed().count() + hidden,
        }
    }

    /// Name of the type of references to it.
    pub fn ref_type(&self) -> String {
        format!("{}Ref", self.entity)
    }

    /// Name of the type of conditions on its rows.
    pub fn where_type(&self) -> String {
        format!("{}Where", self.entity)
    }

    /// Name of the type of orders of its rows.
    pub fn order_type(&self) -> String {
        format!("{}OrderBy", self.entity)
    }

    /// Name of the type of pages of it.
    pub fn page_type(&self) -> String {
        format!("GenericHelper__Page__{}Table", self.entity)
    }

    /// Whether the column at this position refers to rows of a table, alone or with others.
    pub(crate) fn refers(&self, column: usize) -> bool {
        let refers = |relation: &Relation| match &relation.shape {
            Shape::BelongsTo { from, .. } => from.contains(&column),
            _ => false,
        };
        self.relations.iter().any(refers)
    }

    /// Whether these are the key's columns, in any order.
    pub(crate) fn is_key(&self, columns: &[usize]) -> bool {
        columns.len() == self.key.len() && self.key.iter().all(|column| columns.contains(column))
    }
}
