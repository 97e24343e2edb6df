//! Whether a row might be written at all that the database refused because of another one: only
//! then its writer is told so, who else could find out what rows out of sight hold.
//!
//! Asked after the transaction has ended. Part of `write`.

use std::fmt::Write as _;

use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};

use super::statement::name;
use super::write::Writer;
use super::write_sql::Sql;
use crate::table::Operation;

impl Writer<'_> {
    /// Whether the row, as it would have been stored, is one that its writer may write. What
    /// cannot be asked is no.
    pub(super) async fn might_be_written(&self) -> bool {
        let database = self.data.database();
        let defaults = match self.operation {
            Operation::Create => self.defaults().await,
            Operation::Update | Operation::Delete => Vec::new(),
        };
        let mut sql = Sql::new("SELECT ");
        sql.writable(match self.operation {
            Operation::Create => self.rows,
            Operation::Update | Operation::Delete => &self.access.becomes,
        });
        sql.text.push_str(" FROM (SELECT ");
        for (at, column) in self.table.columns.iter().enumerate() {
            sql.text.push_str(if at > 0 { ", " } else { "" });
            let bound = self.bound.iter().find(|(bound, _)| *bound == at);
            let default = defaults.iter().find(|(name, _)| *name == column.name);
            match (bound, default, self.operation) {
                (Some((_, text)), ..) => sql.value(text.clone(), &column.sql_type),
                (None, Some((_, default)), Operation::Create) => {
                    let _ = write!(sql.text, "({default})::{}", column.sql_type);
                }
                (None, None, Operation::Create) => sql.value(None, &column.sql_type),
                (None, _, Operation::Update | Operation::Delete) => {
                    let _ = write!(sql.text, "t.{}", self.column(at));
                }
            }
            let _ = write!(sql.text, " AS {}", self.column(at));
        }
        if self.operation != Operation::Create {
            let _ = write!(sql.text, " FROM {} AS t WHERE ", name(self.table));
            self.key_condition(&mut sql);
        }
        sql.text.push_str(") AS t");
        match sql.one(database).await {
            Ok(Some(row)) => row.try_get_by_index(0).unwrap_or(false),
            Ok(None) | Err(_) => false,
        }
    }

    /// The defaults of columns, as the catalog writes them. Those that count are left out: a rule
    /// does not know the next number either.
    async fn defaults(&self) -> Vec<(String, String)> {
        const SQL: &str = "\
            SELECT a.attname::text, pg_get_expr(d.adbin, d.adrelid) \
            FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_attribute a \
                ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated = '' \
            WHERE d.adrelid = to_regclass(format('%I.%I', $1, $2)) \
                AND pg_get_expr(d.adbin, d.adrelid) NOT LIKE '%nextval%'";
        let names = [&self.table.schema, &self.table.table];
        let names = names.map(|name| Value::String(Some(name.clone())));
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, SQL, names);
        let rows = self.data.database().query_all_raw(statement).await;
        let rows = rows.unwrap_or_default();
        let pairs = rows.iter().filter_map(|row| {
            let (name, default) = (row.try_get_by_index(0), row.try_get_by_index(1));
            name.ok().zip(default.ok())
        });
        pairs.collect()
    }
}
