//! The tables that the app exposes, as whoever looks is told of them. Pure: from the registry.

use super::report::{ColumnReport, ComputedReport, RelationReport, SchemaReport, TableSchema};
use crate::table::{TableDef, TableManager};
use crate::visibility::summary;

/// All tables, then all virtual tables.
pub(crate) fn schema(tables: &TableManager) -> SchemaReport {
    let all = tables.tables().iter().chain(tables.virtual_tables());
    let policies = summary(tables);
    let tables = all.zip(policies).map(|(table, policy)| TableSchema {
        name: table.entity.clone(),
        table: (!table.is_virtual()).then(|| format!("{}.{}", table.schema, table.table)),
        root: table.page_root().to_owned(),
        policy: policy.what().to_owned(),
        columns: table
            .columns
            .iter()
            .enumerate()
            .map(|it| column(table, it))
            .collect(),
        relations: table
            .relations
            .iter()
            .map(|relation| RelationReport {
                name: relation.name.clone(),
                target: tables.table(relation.target).entity.clone(),
                many: !relation.shape.is_single(),
            })
            .collect(),
        computed: table
            .computed
            .iter()
            .map(|field| ComputedReport {
                name: field.name.to_owned(),
                reads: field.reads.clone(),
            })
            .collect(),
    });
    SchemaReport {
        tables: tables.collect(),
    }
}

fn column(table: &TableDef, (at, column): (usize, &crate::table::Column)) -> ColumnReport {
    ColumnReport {
        name: column.field().to_owned(),
        sql_type: column.sql_type.clone(),
        key: table.key.contains(&at),
        nullable: column.nullable,
        hidden: column.hidden,
    }
}
