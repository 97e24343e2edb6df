//! What the database is made of, as far as a statement's text must be understood: relations and
//! what they read in the end, functions and operators that somebody has defined. Pure; `facts`
//! reads it at start-up, `analyse` asks it.
//!
//! What must stay true: whoever reads a relation depends on all that it reads. A view is opened
//! up to its tables, a table to its children; what no log tells is lost, and said.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::analyse;
use super::names::{self, Function};
use crate::object_id::TableId;
use crate::table::TableDef;

/// Names of the database, resolved once for the pool that computed fields read through.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    relations: HashMap<(String, String), Relation>,
    /// The schemas in which a name without one is looked for.
    path: Vec<String>,
    /// Functions that read no table, whoever calls them.
    pure: HashSet<String>,
    /// Functions that somebody has defined, and that may read anything.
    defined: HashSet<String>,
    /// Of those, what may be written like a column of a row.
    attributes: HashSet<String>,
    operators: HashSet<String>,
    /// Types whose checks may read anything.
    checked_types: HashSet<String>,
    /// Enums: what the catalog calls the type, and its name without a schema.
    enums: HashMap<String, String>,
    /// Why nothing can be said of any statement.
    opaque: Option<&'static str>,
}

/// What reading a relation means.
#[derive(Clone, Debug, Default)]
pub(crate) struct Relation {
    /// The exposed table that it is, or is a part of: then equalities on its columns narrow.
    pub(super) own: Option<TableId>,
    /// The exposed tables that are read besides, as a whole.
    pub(super) others: Vec<TableId>,
    /// What is read and changes without anybody being told.
    pub(super) lost: Vec<Lost>,
    /// Why it cannot be said what is read.
    pub(super) opaque: Option<String>,
}

/// Something that is read, and whose changes no log tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Lost {
    NotExposed(String),
    Materialised(String),
    Foreign(String),
    Sequence(String),
    System(String),
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lost::NotExposed(name) => write!(f, "table `{name}`, which is not exposed"),
            Lost::Materialised(name) => {
                write!(
                    f,
                    "materialised view `{name}`, which changes by REFRESH only"
                )
            }
            Lost::Foreign(name) => write!(f, "foreign table `{name}`, which is in no log"),
            Lost::Sequence(name) => write!(f, "sequence `{name}`, which is in no log"),
            Lost::System(name) => write!(f, "`{name}` of the system, which is in no log"),
        }
    }
}

/// What was read of the database. Relations are named by their oids.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) relations: Vec<RelationFact>,
    /// (child, parent), of partitions and of inheritance.
    pub(super) inherits: Vec<(i64, i64)>,
    /// (view or guarded table, relation that its definition or its policies name).
    pub(super) refers: Vec<(i64, i64)>,
    /// Definitions of views, and conditions of policies as statements.
    pub(super) texts: Vec<(i64, String)>,
    pub(super) path: Vec<String>,
    pub(super) pure: HashSet<String>,
    pub(super) defined: HashSet<String>,
    pub(super) attributes: HashSet<String>,
    pub(super) operators: HashSet<String>,
    pub(super) checked_types: HashSet<String>,
    pub(super) enums: HashMap<String, String>,
    /// Whether somebody has defined a cast.
    pub(super) casts: bool,
}

#[derive(Debug)]
pub(super) struct RelationFact {
    pub(super) oid: i64,
    pub(super) schema: String,
    pub(super) name: String,
    /// `pg_class.relkind`.
    pub(super) kind: char,
    pub(super) system: bool,
}

/// Operators that Postgres looks up for what is written without them, such as `IN` and `USING`.
const IMPLIED: &[&str] = &["=", "<>", "<", ">", "<=", ">=", "~~", "~~*", "!~~", "!~~*"];

impl Catalog {
    /// For when the database was not asked: nothing can be said of any statement.
    pub(crate) fn unknown() -> Catalog {
        Catalog {
            opaque: Some("the database was not asked for its tables"),
            ..Catalog::default()
        }
    }

    /// The catalog of these facts, for these exposed tables.
    pub(super) fn new(facts: Facts, tables: &[TableDef]) -> Catalog {
        let implied = IMPLIED.iter().any(|name| facts.operators.contains(*name));
        let mut catalog = Catalog {
            path: facts.path,
            pure: facts.pure,
            defined: facts.defined,
            attributes: facts.attributes,
            operators: facts.operators,
            checked_types: facts.checked_types,
            enums: facts.enums,
            opaque: match (facts.casts, implied) {
                (true, _) => Some("the database has casts of its own, which may read anything"),
                (_, true) => Some("the database has operators of its own for comparing"),
                _ => None,
            },
            relations: HashMap::new(),
        };
        let all: HashMap<i64, &RelationFact> = facts
            .relations
            .iter()
            .map(|fact| (fact.oid, fact))
            .collect();
        // Names only, so that the views' texts can be looked through.
        for fact in &facts.relations {
            catalog.relations.insert(fact.full(), Relation::default());
        }
        let mut opaque: HashMap<i64, String> = HashMap::new();
        for (oid, text) in &facts.texts {
            if let Some(reason) = analyse::opaque(text, &catalog) {
                opaque.entry(*oid).or_insert(reason);
            }
        }
        let opening = Opening {
            exposed: exposed(&all, tables),
            parents: edges(facts.inherits.iter().copied()),
            children: edges(
                facts
                    .inherits
                    .iter()
                    .map(|&(child, parent)| (parent, child)),
            ),
            refers: edges(facts.refers.iter().copied()),
            opaque,
            all,
        };
        for fact in &facts.relations {
            catalog.relations.insert(fact.full(), opening.open(fact));
        }
        catalog
    }

    /// Why nothing can be said of any statement.
    pub(super) fn opaque(&self) -> Option<&'static str> {
        self.opaque
    }

    /// The relation that a statement means by this name, if it was there when names were read.
    pub(super) fn find(&self, name: &[String]) -> Option<&Relation> {
        match name {
            [name] => self.path.iter().find_map(|schema| {
                let qualified = (schema.clone(), name.clone());
                self.relations.get(&qualified)
            }),
            [schema, name] => self.relations.get(&(schema.clone(), name.clone())),
            _ => None,
        }
    }

    /// What a call of this function means.
    pub(super) fn function(&self, name: &[String], quoted: bool) -> Function {
        let (schema, name) = match name {
            [name] => (None, name),
            [schema, name] => (Some(schema.as_str()), name),
            _ => return Function::Unknown,
        };
        let known = match names::builtin(name) {
            Function::Unknown if self.pure.contains(name) => Function::Pure,
            known => known,
        };
        let syntax = schema.is_none() && !quoted && names::is_syntax(name);
        let builtin = schema == Some("pg_catalog") || syntax;
        if known == Function::Setting || builtin || !self.defined.contains(name) {
            return known;
        }
        Function::Unknown
    }

    /// Whether an operator of this name may read anything.
    pub(super) fn is_defined_operator(&self, name: &str) -> bool {
        self.operators.contains(name)
    }

    /// Whether a column that is named so may be a call in truth.
    pub(super) fn is_attribute(&self, name: &str) -> bool {
        self.attributes.contains(name)
    }

    /// Whether a cast to this type may read anything.
    pub(super) fn is_checked_type(&self, name: &str) -> bool {
        self.checked_types.contains(name)
    }

    /// Whether `cast` names the enum that the catalog calls `column`.
    pub(super) fn is_enum(&self, column: &str, cast: &str) -> bool {
        self.enums.get(column).is_some_and(|name| name == cast)
    }
}

impl RelationFact {
    fn full(&self) -> (String, String) {
        (self.schema.clone(), self.name.clone())
    }

    /// As a message names it.
    fn shown(&self) -> String {
        match self.schema.as_str() {
            "public" => self.name.clone(),
            schema => format!("{schema}.{}", self.name),
        }
    }
}

/// The exposed tables by oid.
fn exposed(all: &HashMap<i64, &RelationFact>, tables: &[TableDef]) -> HashMap<i64, TableId> {
    let by_name: HashMap<(&str, &str), TableId> = tables
        .iter()
        .map(|table| ((table.schema.as_str(), table.table.as_str()), table.id))
        .collect();
    let named = all.values().filter_map(|fact| {
        let id = by_name.get(&(fact.schema.as_str(), fact.name.as_str()))?;
        Some((fact.oid, *id))
    });
    named.collect()
}

fn edges(pairs: impl Iterator<Item = (i64, i64)>) -> HashMap<i64, Vec<i64>> {
    let mut edges: HashMap<i64, Vec<i64>> = HashMap::new();
    for (from, to) in pairs {
        edges.entry(from).or_default().push(to);
    }
    edges
}

/// What relations lead to, while they are opened up.
struct Opening<'a> {
    all: HashMap<i64, &'a RelationFact>,
    exposed: HashMap<i64, TableId>,
    parents: HashMap<i64, Vec<i64>>,
    children: HashMap<i64, Vec<i64>>,
    refers: HashMap<i64, Vec<i64>>,
    opaque: HashMap<i64, String>,
}

impl Opening<'_> {
    fn open(&self, fact: &RelationFact) -> Relation {
        let mut relation = Relation {
            own: self.published(fact.oid),
            ..Relation::default()
        };
        let mut seen = HashSet::from([fact.oid]);
        let mut waiting = vec![fact.oid];
        while let Some(oid) = waiting.pop() {
            let Some(fact) = self.all.get(&oid) else {
                continue;
            };
            self.add(fact, &mut relation);
            let next = [&self.refers, &self.children];
            let next = next.into_iter().filter_map(|edges| edges.get(&oid));
            waiting.extend(next.flatten().copied().filter(|oid| seen.insert(*oid)));
        }
        relation.others.sort_unstable();
        relation.others.dedup();
        let own = relation.own;
        relation.others.retain(|table| Some(*table) != own);
        relation.lost.sort();
        relation.lost.dedup();
        relation
    }

    fn add(&self, fact: &RelationFact, relation: &mut Relation) {
        if let Some(reason) = self.opaque.get(&fact.oid) {
            relation.opaque.get_or_insert_with(|| reason.clone());
        }
        let name = fact.shown();
        if fact.system {
            relation.lost.push(Lost::System(name));
            return;
        }
        match fact.kind {
            'm' => relation.lost.push(Lost::Materialised(name)),
            'f' => relation.lost.push(Lost::Foreign(name)),
            'S' => relation.lost.push(Lost::Sequence(name)),
            // A partitioned table has no rows of its own; those without partitions are told of
            // once they have some, if they are exposed.
            'r' | 'p' => match self.published(fact.oid) {
                Some(table) => relation.others.push(table),
                None if fact.kind == 'r' || !self.children.contains_key(&fact.oid) => {
                    relation.lost.push(Lost::NotExposed(name));
                }
                None => {}
            },
            _ => {}
        }
    }

    /// Under which exposed table the log tells of a table's rows: a partition's of the root that
    /// is exposed, or its own.
    fn published(&self, oid: i64) -> Option<TableId> {
        let mut found = self.exposed.get(&oid).copied();
        let mut at = oid;
        let mut depth = 0;
        // Only partitioned tables publish for their children; they have one parent each.
        while let Some([parent]) = self.parents.get(&at).map(Vec::as_slice) {
            let partitioned = self.all.get(parent).is_some_and(|fact| fact.kind == 'p');
            depth += 1;
            if !partitioned || depth > self.all.len() {
                break;
            }
            found = self.exposed.get(parent).copied().or(found);
            at = *parent;
        }
        found
    }
}
