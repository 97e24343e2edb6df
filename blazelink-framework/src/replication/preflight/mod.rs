//! Before the first byte is read: whether server, role, publication and tables are as replication
//! needs them, and for each thing that is not, what is wrong and the SQL that mends it.
//!
//! [`Facts::gather`] asks, [`judge`] decides; `run` is what the signaler calls at start-up.
//! Nothing is changed here but the publication, and that only by [`apply`] in development.

mod facts;
mod judge;

use std::fmt;

use blazelink_codes::Code;
use blazelink_migrations::{Execute, PublishedTable, SeaOrm, publish_table, unpublish_table};
use sea_orm::DatabaseConnection;

use super::ordinary::OrdinaryConnection;
use super::slot::SlotPlan;
use super::url::DatabaseUrl;
use crate::config::{Config, Environment};
use crate::error::{Error, ErrorKind, Result};
use crate::exposure::Exposure;

pub use facts::{Facts, Host, Publication, TableFacts};
pub use judge::judge;

/// Checks everything before the log is followed, on an ordinary connection with the role that
/// replicates and on the pool that answers reads. In development the publication is first brought
/// in step with the exposed tables; warnings are logged.
///
/// # Errors
///
/// If one of the two does not answer, or anything is wrong that keeps live updates from working:
/// all of it in one error.
pub(super) async fn run(
    server: &mut OrdinaryConnection,
    pool: &DatabaseConnection,
    exposure: &Exposure,
    plan: &SlotPlan,
    environment: Environment,
) -> Result<()> {
    let mut facts = Facts::gather(server, exposure, plan).await?;
    if environment == Environment::Development {
        apply(server, &facts).await?;
        facts = Facts::gather(server, exposure, plan).await?;
    }
    facts.compare_settings(&mut SeaOrm(pool), server).await?;
    let findings = judge(&facts, plan);
    if let Some(refusal) = refusal(&findings) {
        return Err(refusal);
    }
    for finding in &findings {
        tracing::warn!("{finding}");
    }
    Ok(())
}

/// What a start would find.
#[derive(Debug)]
pub(crate) struct Examined {
    pub(crate) facts: Facts,
    pub(crate) findings: Vec<Finding>,
    /// The slot that the app would read.
    pub(crate) plan: SlotPlan,
    /// As the role that replicates.
    pub(crate) server: OrdinaryConnection,
}

/// Looks at everything that a start checks, and changes nothing.
///
/// # Errors
///
/// If the server cannot be reached.
pub(crate) async fn examine(
    config: &Config,
    pool: &DatabaseConnection,
    exposure: &Exposure,
) -> Result<Examined> {
    let url = DatabaseUrl::of_replication(config)?;
    let application = format!("blazelink doctor {}", config.app);
    let mut server = OrdinaryConnection::connect(&url, &application).await?;
    let plan = SlotPlan::of(config, &mut server).await?;
    let mut facts = Facts::gather(&mut server, exposure, &plan).await?;
    facts
        .compare_settings(&mut SeaOrm(pool), &mut server)
        .await?;
    let findings = judge(&facts, &plan);
    Ok(Examined {
        facts,
        findings,
        plan,
        server,
    })
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether the app can run all the same.
    pub severity: Severity,
    /// The stable code.
    pub code: Code,
    /// What is wrong, naming tables and settings.
    pub sentence: String,
    /// What mends it: SQL, and comments where SQL is not enough.
    pub remedy: Vec<String>,
}

/// How bad a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Correct, but dearer or laxer than it has to be.
    Warning,
    /// Live updates cannot work.
    Error,
}

impl fmt::Display for Finding {
    /// The sentence and the code, and a line for each step of the remedy.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.sentence, self.code)?;
        self.remedy
            .iter()
            .try_for_each(|step| write!(f, "\n  {step}"))
    }
}

/// All findings as one error, or nothing if none is worse than a warning.
fn refusal(findings: &[Finding]) -> Option<Error> {
    let mut errors = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error);
    let first = errors.next()?;
    let mut hint = first.remedy.join("\n");
    for finding in errors {
        hint.push_str(&format!("\n\nand: {finding}"));
    }
    Some(Error::new(ErrorKind::Setup, first.code, first.sentence.clone()).with_hint(hint))
}

/// Makes the publication list exactly the exposed tables that exist. For development only.
///
/// # Errors
///
/// If a table has no key, or the database refuses.
pub async fn apply(db: &mut impl Execute, facts: &Facts) -> Result<()> {
    for table in facts.tables.iter().filter(|table| table.exists) {
        let name = full_name(&table.name);
        publish_table(db, &name).await?;
    }
    let publication = facts.publication.iter().filter(|it| !it.all_tables);
    for member in publication.flat_map(|publication| &publication.members) {
        if !facts.tables.iter().any(|table| table.name == *member) {
            let name = full_name(member);
            unpublish_table(db, &name).await?;
        }
    }
    Ok(())
}

fn full_name(table: &PublishedTable) -> String {
    format!("{}.{}", table.schema, table.table)
}
