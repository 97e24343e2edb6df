//! What the loop finds when it compares entities, migrations and database, and what it does about it
//! once that is decided.

use std::time::Instant;

use blazelink_codes::Result;
use blazelink_postgres::{Cluster, Setup};
use chrono::Utc;

use super::programs::Programs;
use super::question::{Answer, Question, Subject};
use super::screen::Screen;
use crate::database::Database;
use crate::db;
use crate::difference::{self, Ddl, Difference, Drift, Known, Memory, Purpose};
use crate::project::Project;

/// Characters of the name of a migration that are about its first change.
const LONGEST: usize = 50;

/// What a comparison came to, and the entities that were compared.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) ddl: Ddl,
    pub(crate) found: Found,
}

#[derive(Debug)]
pub(crate) enum Found {
    /// Nothing has changed since they were last compared.
    Nothing,
    /// What somebody has said to leave as it is.
    Ignored,
    /// They agree on this.
    Agreement(Known),
    Difference(Subject),
}

/// Between which a comparison is.
#[derive(Debug)]
pub(crate) struct Comparison<'a> {
    pub(crate) project: &'a Project,
    pub(crate) database: &'a Database<'a>,
    pub(crate) programs: Programs,
    /// The entities as they were last compared, if the database is as it was then.
    pub(crate) before: Option<Ddl>,
    pub(crate) memory: Memory,
    /// Whether to look at what was to be ignored, too.
    pub(crate) all: bool,
    pub(crate) screen: Screen,
}

impl Comparison<'_> {
    /// Compares entities with the database and, where they differ, the database with its migrations:
    /// what was done to it by hand is not for a migration of the entities' to repeat.
    ///
    /// # Errors
    /// If a program fails, or a database does not answer.
    pub(crate) async fn run(self) -> Result<Compared> {
        let ddl = Ddl::of(self.project, &self.programs.app).await?;
        if self.before.as_ref() == Some(&ddl) {
            let found = Found::Nothing;
            return Ok(Compared { ddl, found });
        }
        let url = self.database.url();
        let differences = difference::of_entities(&url, &ddl, &self.memory).await?;
        let found = if differences.list.is_empty() {
            Found::Agreement(differences.known)
        } else if self.is_ignored(&differences.list) {
            Found::Ignored
        } else {
            match self.drift(&url).await? {
                Some(drift) => Found::Difference(Subject::Drift(drift)),
                None => Found::Difference(Subject::Entities {
                    list: differences.list,
                    known: differences.known,
                    migrations: self.programs.migration.is_some(),
                }),
            }
        };
        Ok(Compared { ddl, found })
    }

    fn is_ignored(&self, list: &[Difference]) -> bool {
        !self.all && self.memory.ignores(list)
    }

    async fn drift(&self, url: &str) -> Result<Option<Drift>> {
        let Some(program) = &self.programs.migration else {
            return Ok(None);
        };
        let terminal = self.screen.terminal();
        let (project, of) = (self.project, |cluster| async move {
            Drift::of(self.project, program, cluster, url, terminal).await
        });
        let drift = match self.database {
            Database::Private { cluster, .. } => of(cluster).await?,
            Database::Supplied(_) => {
                let cluster = Cluster::start(Setup::new(&project.folder)).await?;
                let drift = of(&cluster).await;
                cluster.stop().await;
                drift?
            }
        };
        let none = drift.is_none() || self.is_ignored(&drift.repair);
        Ok((!none).then_some(drift))
    }
}

/// What was done about differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// A migration was written.
    Written,
    /// The database was changed.
    Changed,
}

/// Does what was answered to the question. What may lose rows is done to a database of ours only
/// after a copy of it was kept.
///
/// # Errors
/// If a file cannot be written, or the database refuses.
pub(crate) async fn settle(
    project: &Project,
    database: &Database<'_>,
    question: &Question,
    answer: Answer,
    screen: &Screen,
) -> Result<Settled> {
    let url = database.url();
    let changes_rows = matches!(answer, Answer::Apply | Answer::Sync | Answer::Repair);
    if changes_rows && question.list().iter().any(Difference::loses) {
        keep_copy(project, database, screen).await?;
    }
    match (&question.subject, answer) {
        (Subject::Entities { list, .. }, Answer::Apply) => {
            let added = difference::write(project, &name_for(list), Purpose::Entities, list)?;
            screen.said("wrote", added.path());
            Ok(Settled::Written)
        }
        (Subject::Drift(drift), Answer::Adopt) => {
            let added = difference::write(project, "by_hand", Purpose::Adoption, &drift.adopt)?;
            difference::adopted(&url, &added.module).await?;
            screen.said("wrote", added.path());
            Ok(Settled::Written)
        }
        _ => {
            difference::execute(&url, question.list()).await?;
            let left = question.list().iter().filter_map(Difference::by_hand);
            for what in left {
                screen.said("by hand", what);
            }
            Ok(Settled::Changed)
        }
    }
}

/// The name of a migration that makes these.
fn name_for(list: &[Difference]) -> String {
    let title = list.first().and_then(Difference::title).unwrap_or_default();
    let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let title: String = title.chars().filter(plain).take(LONGEST).collect();
    match (title.as_str(), list.len()) {
        ("", _) => "entities".to_owned(),
        (title, 1) => title.to_owned(),
        (title, _) => format!("{title}_and_more"),
    }
}

async fn keep_copy(project: &Project, database: &Database<'_>, screen: &Screen) -> Result<()> {
    let Database::Private { cluster, name } = database else {
        screen.said("snapshot", "none of a database of your own");
        return Ok(());
    };
    let begun = Instant::now();
    let copy = Utc::now().format("before-%m%d-%H%M%S").to_string();
    db::keep_copy(project, cluster, name, &copy).await?;
    let what = format!("`blazelink db restore {copy}` brings back what is there now");
    screen.step("snapshot", &what, begun.elapsed());
    Ok(())
}
