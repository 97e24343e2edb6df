//! What a database is made of, as its catalog says (Postgres 14 to 18, "System Catalogs"): tables with
//! their columns, keys, indexes and references, and enums. Plain data for `compare`.
//!
//! Names of types and defaults are printed as `search_path` lets them be, so that what is made in
//! different schemas compares by its plain names.

use serde::Deserialize;

/// A name within its schema, which is empty where it is the first of the path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct Name {
    pub(super) schema: String,
    pub(super) name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Catalog {
    /// The schemas in which a name without one is looked for, in order.
    pub(super) path: Vec<String>,
    pub(super) schemas: Vec<String>,
    pub(super) tables: Vec<Table>,
    pub(super) enums: Vec<Enum>,
    /// The schema of names that have none.
    #[serde(skip)]
    home: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Enum {
    #[serde(flatten)]
    pub(super) name: Name,
    pub(super) labels: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Table {
    #[serde(flatten)]
    pub(super) name: Name,
    pub(super) columns: Vec<Column>,
    /// The primary key's columns.
    pub(super) key: Vec<String>,
    /// The columns of each index over columns alone and all rows.
    pub(super) indexes: Vec<Index>,
    pub(super) references: Vec<Reference>,
    /// Indexes and constraints as Postgres would have them written, but for the primary key.
    pub(super) objects: Vec<Object>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Column {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) ty: Type,
    pub(super) not_null: bool,
    pub(super) default: Option<String>,
    /// Whether Postgres counts it up.
    pub(super) identity: bool,
    pub(super) generated: bool,
}

/// A type, as far as whether one can stand for another.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Type {
    /// As a column has it: `character varying(40)`.
    pub(super) name: String,
    /// Without what is in parentheses.
    pub(super) plain: String,
    /// What a domain is made of, without what is in parentheses.
    pub(super) base: String,
    /// `pg_type.typcategory`: `S` for strings.
    pub(super) category: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Index {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) unique: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Reference {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) to: Name,
    pub(super) to_columns: Vec<String>,
    /// `pg_constraint.confdeltype`: `a` for no action.
    pub(super) on_delete: String,
    pub(super) on_update: String,
}

/// An index or a constraint.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Object {
    pub(super) is_index: bool,
    pub(super) name: String,
    pub(super) definition: String,
}

impl Catalog {
    /// Reads what the query gives.
    pub(super) fn parse(text: &str) -> serde_json::Result<Catalog> {
        serde_json::from_str(text)
    }

    /// The same with names that need no schema where they are at home.
    pub(super) fn at_home(mut self) -> Catalog {
        self.home = self.path.first().cloned().unwrap_or_default();
        let home = self.home.clone();
        self.rename(|name| {
            if name.schema == home {
                name.schema.clear();
            }
        });
        self
    }

    /// Gives tables and enums other names, wherever they are named.
    pub(super) fn rename(&mut self, to: impl Fn(&mut Name)) {
        for it in &mut self.enums {
            to(&mut it.name);
        }
        for table in &mut self.tables {
            to(&mut table.name);
            for reference in &mut table.references {
                to(&mut reference.to);
            }
        }
    }

    pub(super) fn table(&self, name: &Name) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == *name)
    }

    /// The name of something in a schema, or where it would be made without one.
    pub(super) fn name(&self, schema: Option<&str>, name: &str) -> Name {
        let schema = schema.filter(|schema| *schema != self.home);
        Name {
            schema: schema.unwrap_or_default().to_owned(),
            name: name.to_owned(),
        }
    }

    /// The table that is meant by a name which may have no schema.
    pub(super) fn find(&self, schema: Option<&str>, name: &str) -> Option<&Table> {
        let within = |schema: &str| self.table(&self.name(Some(schema), name));
        match schema {
            Some(schema) => within(schema),
            None => self.path.iter().find_map(|schema| within(schema)),
        }
    }

    /// The enum that is meant by a name without a schema.
    pub(super) fn find_enum(&self, name: &str) -> Option<&Enum> {
        self.path.iter().find_map(|schema| {
            let name = self.name(Some(schema), name);
            self.enums.iter().find(|it| it.name == name)
        })
    }
}

impl Table {
    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether no two rows have the same values in these columns, in whichever order.
    pub(super) fn is_unique(&self, columns: &[String]) -> bool {
        let same = |these: &[String]| {
            these.len() == columns.len() && these.iter().all(|it| columns.contains(it))
        };
        same(&self.key)
            || self
                .indexes
                .iter()
                .any(|index| index.unique && same(&index.columns))
    }

    /// Whether an index begins with these columns.
    pub(super) fn is_indexed(&self, columns: &[String]) -> bool {
        let mut lists = self.indexes.iter().map(|index| &index.columns);
        self.key.starts_with(columns) || lists.any(|list| list.starts_with(columns))
    }
}

impl Object {
    /// Whether it is a foreign key.
    pub(super) fn is_reference(&self) -> bool {
        !self.is_index && self.definition.starts_with("FOREIGN KEY")
    }
}

/// The query for it: one cell of JSON. The list of migrations and what extensions bring are left out.
pub(super) const QUERY: &str = r"
WITH rel AS (
    SELECT c.oid, n.nspname, c.relname
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND c.relname <> 'seaql_migrations'
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
), col AS (
    SELECT a.attrelid, a.attnum, json_build_object(
        'name', a.attname,
        'type', json_build_object(
            'name', format_type(a.atttypid, a.atttypmod),
            'plain', format_type(a.atttypid, -1),
            'base', CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, -1)
                                   ELSE format_type(a.atttypid, -1) END,
            'category', t.typcategory),
        'not_null', a.attnotnull,
        'default', CASE a.attgenerated WHEN '' THEN pg_get_expr(d.adbin, d.adrelid) END,
        'identity', a.attidentity <> '',
        'generated', a.attgenerated <> '') AS said
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped
), ind AS (
    SELECT i.indrelid, i.indisprimary, i.indisunique, c.relname, (
        SELECT json_agg(a.attname ORDER BY k.n)
        FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(num, n)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num
        WHERE k.n <= i.indnkeyatts) AS columns
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    WHERE i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid
), ref AS (
    SELECT o.conrelid, o.conname, json_build_object(
        'name', o.conname,
        'columns', (SELECT json_agg(a.attname ORDER BY k.n)
                    FROM unnest(o.conkey) WITH ORDINALITY k(num, n)
                    JOIN pg_catalog.pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.num),
        'to', json_build_object('schema', n.nspname, 'name', c.relname),
        'to_columns', (SELECT json_agg(a.attname ORDER BY k.n)
                       FROM unnest(o.confkey) WITH ORDINALITY k(num, n)
                       JOIN pg_catalog.pg_attribute a
                           ON a.attrelid = o.confrelid AND a.attnum = k.num),
        'on_delete', o.confdeltype, 'on_update', o.confupdtype) AS said
    FROM pg_catalog.pg_constraint o
    JOIN pg_catalog.pg_class c ON c.oid = o.confrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE o.contype = 'f' AND o.conparentid = 0
), obj AS (
    SELECT o.conrelid AS relid, o.conname AS name, false AS is_index,
           pg_get_constraintdef(o.oid) AS definition
    FROM pg_catalog.pg_constraint o
    WHERE o.contype IN ('c', 'f', 'u', 'x') AND o.conparentid = 0
    UNION ALL
    SELECT i.indrelid, c.relname, true, pg_get_indexdef(i.indexrelid)
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint o WHERE o.conindid = i.indexrelid
                      AND o.contype IN ('p', 'u', 'x'))
)
SELECT json_build_object(
    'path', to_json(current_schemas(false)),
    'schemas', (SELECT json_agg(nspname ORDER BY nspname) FROM pg_catalog.pg_namespace),
    'tables', (SELECT coalesce(json_agg(json_build_object(
        'schema', r.nspname, 'name', r.relname,
        'columns', (SELECT coalesce(json_agg(said ORDER BY attnum), '[]')
                    FROM col WHERE attrelid = r.oid),
        'key', coalesce((SELECT columns FROM ind WHERE indrelid = r.oid AND indisprimary), '[]'),
        'indexes', (SELECT coalesce(json_agg(json_build_object(
                        'name', relname, 'columns', columns, 'unique', indisunique)
                        ORDER BY relname), '[]')
                    FROM ind WHERE indrelid = r.oid AND NOT indisprimary AND columns IS NOT NULL),
        'references', (SELECT coalesce(json_agg(said ORDER BY conname), '[]')
                       FROM ref WHERE conrelid = r.oid),
        'objects', (SELECT coalesce(json_agg(json_build_object(
                        'name', name, 'is_index', is_index, 'definition', definition)
                        ORDER BY is_index, name), '[]')
                    FROM obj WHERE relid = r.oid)
    ) ORDER BY r.nspname, r.relname), '[]') FROM rel r),
    'enums', (SELECT coalesce(json_agg(json_build_object(
        'schema', n.nspname, 'name', t.typname,
        'labels', (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder)
                   FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid)
    ) ORDER BY n.nspname, t.typname), '[]')
        FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        WHERE t.typtype = 'e' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                          WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid
                            AND d.deptype = 'e'))
)::text";

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_schema_is_looked_for_along_the_path() {
        let table = |schema: &str| {
            serde_json::json!({"schema": schema, "name": "t", "columns": [], "key": ["a"],
                "indexes": [{"name": "i", "columns": ["b", "c"], "unique": true}],
                "references": [], "objects": []})
        };
        let text = serde_json::json!({
            "path": ["mine", "public"], "schemas": [], "enums": [],
            "tables": [table("public"), table("auth")],
        });
        let catalog = Catalog::parse(&text.to_string()).unwrap().at_home();
        assert_eq!(catalog.find(None, "t").unwrap().name.schema, "public");
        assert_eq!(catalog.find(Some("auth"), "t").unwrap().name.schema, "auth");
        assert_eq!(catalog.find(Some("mine"), "t"), None);
        let table = catalog.find(None, "t").unwrap();
        let names = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        assert!(table.is_unique(&names(&["c", "b"])) && table.is_unique(&names(&["a"])));
        assert!(!table.is_unique(&names(&["b"])));
        assert!(table.is_indexed(&names(&["b"])) && !table.is_indexed(&names(&["c"])));
    }
}
