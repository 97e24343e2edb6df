//! What an entity says of itself, and how it becomes a [`TableDef`]. The derive implements
//! [`Table`]; nothing after [`TableDef::of`] is generic.

use std::any::TypeId;
use std::str::FromStr;

use blazelink_codes::Code;
use blazelink_migrations::identifier;
use sea_orm::sea_query::{ColumnType, Iden, TableName, TableRef};
use sea_orm::{
    ColumnTrait, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn, PrimaryKeyTrait,
    RelationDef, RelationTrait,
};

use super::ddl::Ddl;
use super::definition::{Column, DeclaredRelation, Read, TableDef};
use super::naming;
use super::setup_error::setup;
use super::writes::{Operation, Writes};
use crate::error::Result;
use crate::object_id::TableId;
use crate::value::Kind;
use crate::visibility::ReadPolicy;

/// An entity that is exposed as a table. Implemented by `#[derive(blazelink::Table)]`.
pub trait Table: EntityTrait {
    /// What the derive found on the entity.
    fn declaration() -> Declaration;
}

/// What the derive finds on an entity.
#[derive(Debug)]
pub struct Declaration {
    /// `#[blazelink(name = "..")]`.
    pub name: Option<&'static str>,
    /// `#[blazelink(root = "..")]`.
    pub root: Option<&'static str>,
    /// `#[blazelink(page_root = "..")]`.
    pub page_root: Option<&'static str>,
    /// `#[blazelink(list)]`: the page root is a list.
    pub list: bool,
    /// Whether everybody may read all of it: `#[blazelink(public)]`.
    pub public: bool,
    /// Fields of columns with `#[blazelink(hide)]`.
    pub hidden: &'static [&'static str],
    /// `#[blazelink(writes)]`: the mutations that it has.
    pub writes: Option<&'static [Operation]>,
    /// The relation fields of a dense entity; a classic one has none.
    pub links: Vec<Link>,
}

/// A relation field.
#[derive(Debug)]
pub struct Link {
    /// The field's name.
    pub field: &'static str,
    /// Whether it has `#[blazelink(hide)]`.
    pub hidden: bool,
    /// Whether it has `#[blazelink(list)]`.
    pub list: bool,
    /// Where it leads.
    pub path: Path,
}

/// Where a relation field leads.
#[derive(Clone, Debug)]
pub enum Path {
    /// From table to table.
    Direct(Box<RelationDef>),
    /// Over a junction.
    Through(Box<Through>),
    /// Over the tables of a chain: SeaORM's `Linked`.
    Linked(Vec<RelationDef>),
}

/// A way over a junction.
#[derive(Clone, Debug)]
pub struct Through {
    /// From this table to the junction.
    pub via: RelationDef,
    /// From the junction to the target.
    pub to: RelationDef,
}

impl Path {
    /// From table to table.
    pub fn direct(to: RelationDef) -> Path {
        Path::Direct(Box::new(to))
    }

    /// Over the junction that `via` leads to.
    pub fn through(via: RelationDef, to: RelationDef) -> Path {
        Path::Through(Box::new(Through { via, to }))
    }

    /// The path that SeaORM's `Related` describes.
    pub fn related(to: RelationDef, via: Option<RelationDef>) -> Path {
        match via {
            Some(via) => Path::through(via, to),
            None => Path::direct(to),
        }
    }
}

/// An entry of the list that [`discover`](super::TableManagerBuilder::discover) reads; the derive
/// submits one for each entity.
#[derive(Debug)]
pub struct Registration {
    /// The entity's module.
    pub module: &'static str,
    /// Makes its definition.
    pub define: fn() -> Result<TableDef>,
}

inventory::collect!(Registration);

impl TableDef {
    /// The definition of an entity, with its relations as it declares them.
    ///
    /// # Errors
    ///
    /// If `#[blazelink(hide)]` stands on a field that is no column.
    pub fn of<E: Table>() -> Result<TableDef> {
        let declaration = E::declaration();
        let entity = E::default();
        let table = entity.table_name().to_owned();
        let mut columns: Vec<Column> = E::Column::iter().map(column).collect();
        let position =
            |column: E::Column| E::Column::iter().position(|c| c.as_str() == column.as_str());
        for &field in declaration.hidden {
            let column = E::Column::from_str(field).ok().and_then(position);
            let column = column.and_then(|at| columns.get_mut(at)).ok_or_else(|| {
                setup(
                    Code::SchemaDefinition,
                    format!("Table `{table}` hides `{field}`, which is no column of it"),
                    "Remove #[blazelink(hide)] from the field, or #[sea_orm(ignore)] beside it",
                )
            })?;
            column.hidden = true;
        }
        let key: Vec<usize> = E::PrimaryKey::iter()
            .filter_map(|key| position(key.into_column()))
            .collect();
        if <E::PrimaryKey as PrimaryKeyTrait>::auto_increment()
            && let [counted] = key[..]
        {
            columns[counted].default = true;
        }
        let declared_schema = entity.schema_name().map(str::to_owned);
        let name = declaration
            .name
            .map_or_else(|| naming::entity_name(&table), str::to_owned);
        let root = |given: Option<&str>, made: fn(&str) -> String| {
            given.map_or_else(|| made(&name), str::to_owned)
        };
        Ok(TableDef {
            row_root: root(declaration.root, naming::row_root),
            page_root: root(declaration.page_root, naming::page_root),
            list: declaration.list,
            id: TableId(0),
            rust_type: TypeId::of::<E>(),
            schema: declared_schema
                .clone()
                .unwrap_or_else(|| "public".to_owned()),
            declared_schema,
            entity: name,
            table,
            columns,
            key,
            relations: Vec::new(),
            declared: declared_relations::<E>(declaration.links),
            carried: Vec::new(),
            computed: Vec::new(),
            parameters: Vec::new(),
            read: match declaration.public {
                true => ReadPolicy::Public,
                false => ReadPolicy::Unsaid,
            },
            on_subscribe: Vec::new(),
            partitioned: false,
            store: None,
            ddl: Some(Ddl::of::<E>),
            writes: declaration
                .writes
                .map(|operations| Writes::of(operations.iter().copied())),
        })
    }
}

/// The fields' relations, then those variants of `Relation` that no field stands for.
fn declared_relations<E: Table>(links: Vec<Link>) -> Vec<DeclaredRelation> {
    let mut declared: Vec<DeclaredRelation> = links
        .into_iter()
        .map(|link| DeclaredRelation {
            name: link.field.to_owned(),
            hidden: link.hidden,
            list: link.list,
            path: link.path,
        })
        .collect();
    for variant in E::Relation::iter() {
        let def = variant.def();
        let known = declared
            .iter()
            .any(|known| matches!(&known.path, Path::Direct(known) if same_path(known, &def)));
        if !known {
            declared.push(DeclaredRelation {
                name: naming::variant_field(&variant.name()),
                hidden: false,
                list: false,
                path: Path::direct(def),
            });
        }
    }
    declared
}

fn same_path(one: &RelationDef, other: &RelationDef) -> bool {
    one.to_tbl == other.to_tbl && one.from_col == other.from_col && one.to_col == other.to_col
}

/// Schema and name of the table that a relation leads to.
pub(super) fn table_name(table: &TableRef) -> (Option<String>, String) {
    let schema = match table {
        TableRef::Table(TableName(schema, _), _) => {
            schema.as_ref().map(|schema| schema.1.inner().into_owned())
        }
        _ => None,
    };
    (schema, table.sea_orm_table().inner().into_owned())
}

fn column<C: ColumnTrait>(column: C) -> Column {
    let def = column.def();
    let (kind, sql_type) = column_type(def.get_column_type());
    let read = match (&kind, sql_type.as_str()) {
        (Kind::Int | Kind::BigInt, _) => Read::Integer,
        (Kind::Bool, _) => Read::Bool,
        (Kind::Text, "text" | "varchar") => Read::Plain,
        (Kind::Text, "uuid") => Read::Cast,
        _ => Read::Format,
    };
    Column {
        name: Iden::unquoted(&column).to_owned(),
        renamed: None,
        exact: matches!(kind, Kind::Int | Kind::BigInt | Kind::Bool)
            || matches!(sql_type.as_str(), "text" | "varchar" | "uuid" | "date"),
        ordered: !matches!(kind, Kind::Json | Kind::Array(_)),
        kind,
        sql_type,
        nullable: def.is_null(),
        generated: false,
        always: false,
        default: def.get_column_default().is_some(),
        unique: def.is_unique(),
        hidden: false,
        read,
        exposed: None,
    }
}

/// The kind and the SQL name of an entity's column type, as SeaORM makes tables of it in Postgres.
fn column_type(ty: &ColumnType) -> (Kind, String) {
    let (kind, name) = match ty {
        ColumnType::TinyInteger | ColumnType::SmallInteger | ColumnType::TinyUnsigned => {
            (Kind::Int, "int2")
        }
        ColumnType::Integer | ColumnType::SmallUnsigned => (Kind::Int, "int4"),
        ColumnType::BigInteger | ColumnType::Unsigned | ColumnType::BigUnsigned => {
            (Kind::BigInt, "int8")
        }
        ColumnType::Float => (Kind::Float, "float4"),
        ColumnType::Double => (Kind::Float, "float8"),
        ColumnType::Boolean => (Kind::Bool, "bool"),
        ColumnType::Char(_) => (Kind::Char, "bpchar"),
        ColumnType::Json => (Kind::Json, "json"),
        ColumnType::JsonBinary => (Kind::Json, "jsonb"),
        ColumnType::String(_) => (Kind::Text, "varchar"),
        ColumnType::Text => (Kind::Text, "text"),
        ColumnType::Uuid => (Kind::Text, "uuid"),
        ColumnType::Date => (Kind::Text, "date"),
        ColumnType::Time => (Kind::Text, "time"),
        ColumnType::DateTime | ColumnType::Timestamp => (Kind::Text, "timestamp"),
        ColumnType::TimestampWithTimeZone => (Kind::Text, "timestamptz"),
        ColumnType::Decimal(_) => (Kind::Text, "numeric"),
        ColumnType::Money(_) => (Kind::Text, "money"),
        ColumnType::Binary(_) | ColumnType::VarBinary(_) | ColumnType::Blob => {
            (Kind::Text, "bytea")
        }
        ColumnType::Interval(..) => (Kind::Text, "interval"),
        ColumnType::Inet => (Kind::Text, "inet"),
        ColumnType::Cidr => (Kind::Text, "cidr"),
        ColumnType::MacAddr => (Kind::Text, "macaddr"),
        ColumnType::Bit(_) => (Kind::Text, "bit"),
        ColumnType::VarBit(_) => (Kind::Text, "varbit"),
        ColumnType::LTree => (Kind::Text, "ltree"),
        ColumnType::Enum { name, .. } => return (Kind::Text, identifier(&name.inner())),
        ColumnType::Custom(name) => return (Kind::Text, name.inner().into_owned()),
        ColumnType::Array(element) => {
            let (kind, name) = column_type(element);
            return (Kind::Array(Box::new(kind)), format!("{name}[]"));
        }
        _ => (Kind::Text, "text"),
    };
    (kind, name.to_owned())
}
