//! Copies of the project's database: snapshots, which are kept, and branches, which are worked on.
//! Both are databases of the private cluster, named after the database that they were made of.

use std::fmt;
use std::str::FromStr;
use std::time::Instant;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use blazelink_postgres::Cluster;
use serde_json::json;

use super::branch::{self, MAIN};
use crate::project::Project;
use crate::terminal::Terminal;

/// Longest name of a copy.
const NAME: usize = 24;

/// Bytes of a database's name. Postgres cuts off what is longer, and two would be one.
const DATABASE_NAME: usize = 63;

/// The name that somebody gives to a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CopyName(String);

impl FromStr for CopyName {
    type Err = String;

    fn from_str(text: &str) -> Result<CopyName, String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if begins && text.len() <= NAME && text.chars().all(plain) {
            return Ok(CopyName(text.to_owned()));
        }
        Err(format!(
            "names are made of at most {NAME} small letters, digits, `-` and `_`"
        ))
    }
}

impl fmt::Display for CopyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The copies of a project's database, and the cluster that they are in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Copies<'a> {
    pub(super) project: &'a Project,
    pub(super) cluster: &'a Cluster,
    pub(super) terminal: Terminal,
}

impl Copies<'_> {
    /// Keeps a copy of the database under this name.
    pub(super) async fn snapshot(&self, name: &CopyName) -> Result<()> {
        let begun = Instant::now();
        let from = branch::database(self.project)?;
        let copy = self.named(of_snapshot(self.project, &name.0))?;
        if self.cluster.databases().await?.contains(&copy) {
            let question = format!("Replace the snapshot `{name}`?");
            if !self
                .terminal
                .confirm(&question, &format!("blazelink db snapshot {name} --yes"))?
            {
                return Ok(());
            }
            // The old one goes when the new one is there.
            let fresh = of_snapshot(self.project, "");
            self.cluster.drop_database(&fresh).await?;
            self.cluster.copy_database(&from, &fresh).await?;
            self.cluster.drop_database(&copy).await?;
            self.cluster.rename_database(&fresh, &copy).await?;
        } else {
            self.cluster.copy_database(&from, &copy).await?;
        }
        self.terminal.step(
            "snapshot",
            &format!("`{name}` of `{from}`"),
            begun.elapsed(),
        );
        self.terminal
            .note(format!("`blazelink db restore {name}` brings it back"));
        Ok(())
    }

    /// Replaces the database by a copy.
    pub(super) async fn restore(&self, name: &CopyName) -> Result<()> {
        let database = branch::database(self.project)?;
        let copy = self.named(of_snapshot(self.project, &name.0))?;
        if !self.cluster.databases().await?.contains(&copy) {
            let sentence = format!("There is no snapshot `{name}`");
            return Err(Error::new(ErrorKind::Setup, Code::NoSuchCopy, sentence)
                .with_hint("`blazelink db snapshot` lists them"));
        }
        let question = format!("Replace everything in `{database}` by the snapshot `{name}`?");
        if !self
            .terminal
            .confirm(&question, &format!("blazelink db restore {name} --yes"))?
        {
            return Ok(());
        }
        let begun = Instant::now();
        self.cluster.drop_database(&database).await?;
        self.cluster.copy_database(&copy, &database).await?;
        self.terminal.step(
            "restore",
            &format!("`{database}` is as in `{name}`"),
            begun.elapsed(),
        );
        Ok(())
    }

    /// Lists the snapshots.
    pub(super) async fn list_snapshots(&self) -> Result<()> {
        let prefix = of_snapshot(self.project, "");
        let mut none = true;
        for database in self.cluster.databases().await? {
            if let Some(name) = database
                .strip_prefix(&prefix)
                .filter(|name| !name.is_empty())
            {
                self.terminal
                    .outcome("snapshot", json!({"name": name}), format!("  {name}"));
                none = false;
            }
        }
        if none {
            self.terminal
                .note("There are no snapshots; `blazelink db snapshot NAME` makes one");
        }
        Ok(())
    }

    /// Makes the branch unless it is there, and has it worked on.
    pub(super) async fn branch(&self, name: &CopyName) -> Result<()> {
        let begun = Instant::now();
        let from = branch::database(self.project)?;
        if name.0 == MAIN {
            branch::switch(self.project, None)?;
        } else {
            let to = self.named(branch::of_branch(self.project, &name.0))?;
            let is_new = !self.cluster.databases().await?.contains(&to);
            if is_new {
                self.cluster.copy_database(&from, &to).await?;
            }
            branch::switch(self.project, Some(&name.0))?;
            if is_new {
                let what = format!("`{name}`, a copy of `{from}`");
                self.terminal.step("branch", &what, begun.elapsed());
            }
        }
        self.terminal.note(format!(
            "`blazelink dev` works on `{name}` from its next start on"
        ));
        Ok(())
    }

    /// Drops a branch that is not worked on.
    pub(super) async fn delete_branch(&self, name: &CopyName) -> Result<()> {
        let usage = |sentence: String, hint: &'static str| {
            Err(Error::new(ErrorKind::Setup, Code::Usage, sentence).with_hint(hint))
        };
        if name.0 == MAIN {
            return usage("`main` is the database itself".into(), "blazelink db reset");
        }
        if branch::current(self.project)?.as_ref() == Some(&name.0) {
            let sentence = format!("`{name}` is the branch that is worked on");
            return usage(sentence, "blazelink db branch main");
        }
        let database = self.named(branch::of_branch(self.project, &name.0))?;
        if !self.cluster.databases().await?.contains(&database) {
            let sentence = format!("There is no branch `{name}`");
            return Err(Error::new(ErrorKind::Setup, Code::NoSuchCopy, sentence)
                .with_hint("`blazelink db branch` lists them"));
        }
        let question = format!("Drop the branch `{name}` and everything in it?");
        if !self.terminal.confirm(
            &question,
            &format!("blazelink db branch --delete {name} --yes"),
        )? {
            return Ok(());
        }
        let begun = Instant::now();
        self.cluster.drop_database(&database).await?;
        self.terminal
            .step("branch", &format!("`{name}` is dropped"), begun.elapsed());
        Ok(())
    }

    /// Lists the branches and marks the one that is worked on.
    pub(super) async fn list_branches(&self) -> Result<()> {
        let current = branch::current(self.project)?;
        let current = current.as_deref().unwrap_or(MAIN);
        let prefix = branch::of_branch(self.project, "");
        let databases = self.cluster.databases().await?;
        let branches = databases
            .iter()
            .filter_map(|name| name.strip_prefix(&prefix));
        for name in std::iter::once(MAIN).chain(branches) {
            let mark = if name == current { '*' } else { ' ' };
            let fields = json!({"name": name, "current": name == current});
            self.terminal
                .outcome("branch", fields, format!("{mark} {name}"));
        }
        Ok(())
    }

    /// A name that Postgres would not cut off.
    fn named(&self, database: String) -> Result<String> {
        if database.len() <= DATABASE_NAME {
            return Ok(database);
        }
        let sentence = format!("`{database}` is too long for the name of a database");
        Err(
            Error::new(ErrorKind::Setup, Code::Usage, sentence).with_hint(format!(
                "give the copy a name of {} letters less",
                database.len() - DATABASE_NAME
            )),
        )
    }
}

/// Keeps a snapshot of this name of a database on which the app is at work.
///
/// # Errors
/// If Postgres refuses it.
pub(crate) async fn keep_copy(
    project: &Project,
    cluster: &Cluster,
    database: &str,
    name: &str,
) -> Result<()> {
    cluster
        .copy_database_in_use(database, &of_snapshot(project, name))
        .await
}

fn of_snapshot(project: &Project, name: &str) -> String {
    format!("{}-snapshot-{name}", project.database())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_fits_into_a_databases_name() {
        for (text, good) in [
            ("before-2", true),
            ("a_b", true),
            ("", false),
            ("-a", false),
            ("A", false),
            ("a/b", false),
            ("a\"b", false),
            (&*"x".repeat(NAME), true),
            (&*"x".repeat(NAME + 1), false),
        ] {
            assert_eq!(text.parse::<CopyName>().is_ok(), good, "{text}");
        }
    }
}
