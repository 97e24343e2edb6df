//! `blazelink migrate new`: a file for a migration, and its place in the list of migrations.
//! Both are decided before either is written.

use blazelink_codes::{Code, Error, ErrorKind, Result};
use chrono::Utc;
use serde_json::json;

use super::inject::inject;
use crate::project::Project;
use crate::terminal::Terminal;

/// Longest name: with its time before it, it is the name of a file and a row in the database.
const NAME: usize = 60;

/// A migration that was written.
#[derive(Debug)]
pub(crate) struct Added {
    /// Its module, and its name in the database.
    pub(crate) module: String,
    /// What was created and what was changed, by paths from the project's folder.
    created: String,
    changed: String,
}

impl Added {
    /// Writes a migration and names it in `migration/src/lib.rs`. `text` makes it of its module and its
    /// path.
    ///
    /// # Errors
    /// [`Code::Usage`] if it cannot be named so; [`Code::ProjectFile`] if a file cannot be written, or
    /// the list is not as a list of migrations is. Nothing is written then.
    pub(crate) fn write(
        project: &Project,
        name: &str,
        text: impl FnOnce(&str, &str) -> Result<String>,
    ) -> Result<Added> {
        let source = project.migration()?.manifest.with_file_name("src");
        let name = checked(name)?;
        let module = format!("m{}_{name}", Utc::now().format("%Y%m%d_%H%M%S"));
        let list = source.join("lib.rs");
        let file = source.join(format!("{module}.rs"));
        let shown = |path: &std::path::Path| {
            let shown = path.strip_prefix(&project.folder).unwrap_or(path);
            shown.display().to_string()
        };
        let before = std::fs::read_to_string(&list)
            .map_err(|error| of_file(&shown(&list), "read").with_source(error))?;
        let listed = inject(&before, &module).map_err(|why| {
            let sentence = format!("`{}` is not as a list of migrations is", shown(&list));
            Error::new(ErrorKind::Setup, Code::ProjectFile, sentence)
                .with_source(why)
                .with_hint(format!(
                    "write the migration by hand: `mod {module};` and, in `migrations()`, \
                     `Box::new({module}::Migration)`"
                ))
        })?;
        if file.exists() {
            return Err(of_file(&shown(&file), "made, since it is there"));
        }
        let text = text(&module, &shown(&file))?;
        if let Err(error) = std::fs::write(&file, text) {
            let _ = std::fs::remove_file(&file);
            return Err(of_file(&shown(&file), "written").with_source(error));
        }
        if let Err(error) = std::fs::write(&list, listed) {
            let _ = std::fs::remove_file(&file);
            let _ = std::fs::write(&list, before);
            return Err(of_file(&shown(&list), "written").with_source(error));
        }
        Ok(Added {
            module,
            created: shown(&file),
            changed: shown(&list),
        })
    }

    /// The path of the migration.
    pub(crate) fn path(&self) -> &str {
        &self.created
    }

    /// Tells what was written.
    pub(crate) fn tell(&self, terminal: Terminal) {
        for (what, path) in [("created", &self.created), ("changed", &self.changed)] {
            let fields = json!({"change": what, "path": path});
            terminal.outcome("file", fields, format!("  {what}  {path}"));
        }
    }
}

/// Writes a migration that is still to be filled.
pub(super) fn run(project: &Project, name: &str, terminal: Terminal) -> Result<()> {
    let added = Added::write(project, name, |module, path| Ok(migration(module, path)))?;
    added.tell(terminal);
    terminal.note("Write what it changes, then: blazelink migrate up");
    Ok(())
}

/// The name as part of a module's.
fn checked(name: &str) -> Result<String> {
    let wanted = name.replace(['-', ' '], "_").to_lowercase();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !wanted.is_empty() && wanted.len() <= NAME && wanted.chars().all(plain) {
        return Ok(wanted);
    }
    let sentence = format!("`{name}` cannot be the name of a migration");
    let mut kept: String = wanted.chars().filter(|c| plain(*c)).take(NAME).collect();
    if kept.is_empty() {
        kept.push_str("add_rank");
    }
    Err(Error::new(ErrorKind::Setup, Code::Usage, sentence)
        .with_source(format!(
            "it is made of at most {NAME} letters, digits and `_`"
        ))
        .with_hint(format!("blazelink migrate new {kept}")))
}

fn of_file(path: &str, what: &str) -> Error {
    let sentence = format!("`{path}` cannot be {what}");
    Error::new(ErrorKind::Setup, Code::ProjectFile, sentence)
}

/// A migration that compiles, and refuses to run until somebody has written what it does: an empty
/// one would be applied by the next `blazelink dev` and never again.
fn migration(module: &str, path: &str) -> String {
    format!(
        r#"//! Say here what this migration changes, and why.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {{
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {{
        // A new column, for example:
        //
        //     let rank = ColumnDef::new("rank").integer().to_owned();
        //     let change = Table::alter().table("user").add_column(rank).to_owned();
        //     manager.alter_table(change).await
        //
        // After `create_table` of a table that the app exposes:
        //
        //     blazelink_migrations::publish(manager, "team").await
        unwritten(manager, "up")
    }}

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {{
        // What takes `up` back:
        //
        //     let change = Table::alter().table("user").drop_column("rank").to_owned();
        //     manager.alter_table(change).await
        //
        // Before `drop_table` of a published table:
        //
        //     blazelink_migrations::unpublish(manager, "team").await?;
        unwritten(manager, "down")
    }}
}}

/// Goes when both are written.
fn unwritten(_: &SchemaManager, what: &str) -> Result<(), DbErr> {{
    Err(DbErr::Migration(format!(
        "`{{what}}` of {module} is not written yet: write it in {path}"
    )))
}}
"#
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_a_modules_or_refused_with_one_that_would_do() {
        assert_eq!(checked("Add-Rank to").unwrap(), "add_rank_to");
        for (wrong, hint) in [
            ("a/b", "new ab"),
            ("", "new add_rank"),
            ("é", "new add_rank"),
        ] {
            let told = format!("{:#}", checked(wrong).unwrap_err());
            assert!(told.contains(hint), "{told}");
        }
        assert!(checked(&"x".repeat(61)).is_err());
    }

    #[test]
    fn the_migration_is_rust() {
        let text = migration("m1_a", "migration/src/m1_a.rs");
        assert!(syn::parse_file(&text).is_ok());
    }
}
