//! What the app's program says that its entities' tables are made with: `<app> ddl`, a JSON object a
//! line (`blazelink-framework/src/table/ddl.rs`).

use std::collections::BTreeSet;
use std::path::Path;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use serde::Deserialize;

use crate::process;
use crate::project::Project;

/// The tables of all entities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ddl {
    pub(super) tables: Vec<Table>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Table {
    pub(super) schema: Option<String>,
    pub(super) table: String,
    /// The schema in which the statements make it.
    pub(super) scratch: String,
    types: Vec<String>,
    create: String,
    indexes: Vec<String>,
    references: Vec<Reference>,
    /// A column's name before and now.
    pub(super) renamed: Vec<[String; 2]>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Reference {
    schema: Option<String>,
    table: String,
    create: String,
}

impl Ddl {
    /// Asks the app's program, which needs no database for it.
    ///
    /// # Errors
    /// [`Code::CommandFailed`] with what the program says of its entities.
    pub(crate) async fn of(project: &Project, app: &Path) -> Result<Ddl> {
        let failed = |sentence: String| Error::new(ErrorKind::Setup, Code::CommandFailed, sentence);
        let mut command = process::command(app);
        command.arg("ddl").current_dir(&project.folder);
        let said = process::said(command).await.map_err(|error| {
            failed(format!("`{}` cannot be run", app.display())).with_source(error)
        })?;
        if !said.status.success() {
            return Err(failed("The app's `ddl` failed".to_owned())
                .with_source(said.errors.trim().to_owned())
                .with_hint("mend what it says of the entities"));
        }
        Ddl::parse(&said.output).map_err(|error| {
            failed("The app does not say what its tables are made with".to_owned())
                .with_source(error)
                .with_hint("have the app and this tool be of the same version of Blazelink")
        })
    }

    fn parse(text: &str) -> serde_json::Result<Ddl> {
        let tables = text.lines().map(serde_json::from_str);
        Ok(Ddl {
            tables: tables.collect::<serde_json::Result<_>>()?,
        })
    }

    /// The statements that make everything, in order.
    pub(super) fn statements(&self) -> Vec<String> {
        let schemas: BTreeSet<&str> = self.tables.iter().map(|it| it.scratch.as_str()).collect();
        let mut statements: Vec<String> = schemas
            .iter()
            .map(|schema| format!("CREATE SCHEMA \"{}\"", schema.replace('"', "\"\"")))
            .collect();
        let types: BTreeSet<&String> = self.tables.iter().flat_map(|it| &it.types).collect();
        statements.extend(types.into_iter().cloned());
        for table in &self.tables {
            statements.push(table.create.clone());
            statements.extend(table.indexes.iter().cloned());
        }
        let references = self.tables.iter().flat_map(|table| &table.references);
        // What no entity describes is not there to be referred to.
        let known = references.filter(|reference| {
            self.tables
                .iter()
                .any(|table| table.schema == reference.schema && table.table == reference.table)
        });
        statements.extend(known.map(|reference| reference.create.clone()));
        statements
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn line(table: &str, to: &str) -> String {
        format!(
            r#"{{"schema":null,"table":"{table}","scratch":"s","types":["TYPE"],"create":"CREATE {table}","indexes":["INDEX {table}"],"references":[{{"schema":null,"table":"{to}","create":"REFER {table}"}}],"renamed":[]}}"#
        )
    }

    #[test]
    fn types_come_first_and_references_last_and_only_to_what_is_there() {
        let text = format!("{}\n{}\n", line("a", "b"), line("b", "elsewhere"));
        assert_eq!(
            Ddl::parse(&text).unwrap().statements(),
            [
                "CREATE SCHEMA \"s\"",
                "TYPE",
                "CREATE a",
                "INDEX a",
                "CREATE b",
                "INDEX b",
                "REFER a"
            ]
        );
        assert!(Ddl::parse("no JSON").is_err());
    }
}
