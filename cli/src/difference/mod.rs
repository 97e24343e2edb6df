//! How the database differs from what the entities say, and from what the migrations make: told by
//! `migrate diff`, asked about by `dev`.
//!
//! Postgres does the comparing of types and defaults: the entities' tables are made beside those that
//! are there, in schemas of their own and in a transaction that is rolled back, and both are read from
//! the catalog. `compare` decides what differs, `change` knows the SQL. Nothing here changes a
//! database but [`execute`] and [`adopted`].

mod catalog;
mod change;
mod compare;
mod ddl;
mod drift;
mod known;
mod migration;
mod reading;

use blazelink_codes::Result;

use self::change::{Change, Danger};
pub(crate) use self::compare::Known;
pub(crate) use self::ddl::Ddl;
pub(crate) use self::drift::Drift;
pub(crate) use self::known::Memory;
pub(crate) use self::migration::Purpose;
use self::reading::Reading;
use crate::migrate::Added;
use crate::project::Project;

/// One difference, and what ending it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    change: Change,
    danger: Danger,
}

/// How a database differs from what entities say.
#[derive(Clone, Debug)]
pub(crate) struct Differences {
    /// What makes the database as they say, in order.
    pub(crate) list: Vec<Difference>,
    /// What the database has besides, which nobody has taken out of an entity.
    pub(crate) undescribed: Vec<Difference>,
    /// What the entities describe, to be remembered once database and entities agree.
    pub(crate) known: Known,
}

impl Difference {
    /// The SQL that ends it; none where that is not known.
    pub(crate) fn sql(&self) -> Vec<String> {
        match self.danger {
            Danger::ByHand(_) => Vec::new(),
            _ => self.change.sql(),
        }
    }

    /// Whether rows are there that would lose something.
    pub(crate) fn loses(&self) -> bool {
        matches!(self.danger, Danger::Loses { nothing: false, .. })
    }

    /// What has to be written by hand, in words.
    pub(crate) fn by_hand(&self) -> Option<&str> {
        match &self.danger {
            Danger::ByHand(what) => Some(what),
            _ => None,
        }
    }

    /// What it does, as a migration would be called.
    pub(crate) fn title(&self) -> Option<String> {
        self.change.title()
    }

    /// Whether nobody needs to be asked: nothing is lost, nobody waits, the SQL is known.
    pub(crate) fn is_harmless(&self) -> bool {
        self.danger == Danger::None
    }

    /// As SQL with what there is to know as comments.
    pub(crate) fn text(&self) -> String {
        let (word, why) = match &self.danger {
            Danger::None => return statements(&self.change.sql()),
            Danger::Blocks(why) => ("blocks", why),
            Danger::Loses { what, .. } => ("loses", what),
            Danger::ByHand(why) => ("by hand", why),
        };
        format!("-- {word}: {why}\n{}", statements(&self.sql()))
    }

    /// One word for scripts.
    pub(crate) fn word(&self) -> &'static str {
        match self.danger {
            Danger::None => "none",
            Danger::Blocks(_) => "blocks",
            Danger::Loses { .. } => "loses",
            Danger::ByHand(_) => "by-hand",
        }
    }

    /// What there is to know.
    pub(crate) fn why(&self) -> Option<&str> {
        match &self.danger {
            Danger::None => None,
            Danger::Blocks(why) | Danger::ByHand(why) => Some(why),
            Danger::Loses { what, .. } => Some(what),
        }
    }
}

/// Every statement on lines of its own.
fn statements(sql: &[String]) -> String {
    sql.iter().map(|sql| format!("{sql};\n")).collect()
}

/// The SQL of all of them, in order.
pub(crate) fn sql_of(differences: &[Difference]) -> Vec<String> {
    differences.iter().flat_map(Difference::sql).collect()
}

/// All of them as SQL with comments.
pub(crate) fn text_of(differences: &[Difference]) -> String {
    differences.iter().map(Difference::text).collect()
}

/// How the database at `url` differs from what the entities say.
///
/// # Errors
/// If the database does not answer, or cannot make what the entities describe.
pub(crate) async fn of_entities(url: &str, ddl: &Ddl, memory: &Memory) -> Result<Differences> {
    Reading::connect(url)
        .await?
        .entities(ddl, &memory.known)
        .await
}

/// Makes the changes, all or none. What is to be written by hand is left out.
///
/// # Errors
/// If the database does not answer, or refuses one.
pub(crate) async fn execute(url: &str, differences: &[Difference]) -> Result<()> {
    Reading::connect(url)
        .await?
        .execute(&sql_of(differences))
        .await
}

/// Writes a migration that makes the changes into the project.
///
/// # Errors
/// If a file cannot be written, or the list of migrations is none.
pub(crate) fn write(
    project: &Project,
    name: &str,
    purpose: Purpose,
    differences: &[Difference],
) -> Result<Added> {
    Added::write(project, name, |module, _| {
        migration::text(module, purpose, differences)
    })
}

/// Says that the database has this migration already.
///
/// # Errors
/// If the database does not answer, or has no list of migrations.
pub(crate) async fn adopted(url: &str, module: &str) -> Result<()> {
    Reading::connect(url).await?.has_migration(module).await
}
