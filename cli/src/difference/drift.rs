//! What somebody has done to a database by hand: how it differs from what the migrations make, which
//! are run on an empty scratch database of the private Postgres for this.

use std::path::Path;

use blazelink_codes::Result;
use blazelink_postgres::Cluster;

use super::change::{Change, Danger};
use super::reading::Reading;
use super::{Difference, compare};
use crate::migrate::schema::{LINES, differences};
use crate::migrate::{Direction, Migrations};
use crate::project::Project;
use crate::terminal::Terminal;

/// How database and migrations differ, from both sides.
#[derive(Debug)]
pub(crate) struct Drift {
    /// What makes the database as the migrations make it.
    pub(crate) repair: Vec<Difference>,
    /// What makes of that what the database is: what a migration has to do.
    pub(crate) adopt: Vec<Difference>,
}

impl Drift {
    /// Compares the database at `url` with what the migrations make of an empty one.
    ///
    /// # Errors
    /// If a database does not answer, or the migrations fail.
    pub(crate) async fn of(
        project: &Project,
        program: &Path,
        cluster: &Cluster,
        url: &str,
        terminal: Terminal,
    ) -> Result<Drift> {
        // The process' own, so that two at once are not in each other's way.
        let scratch = format!("drift-{}", std::process::id());
        cluster.drop_database(&scratch).await?;
        cluster.ensure_database(&scratch).await?;
        let made = cluster.url(&scratch);
        let done = async {
            let migrations = Migrations::on_scratch(project, program, made.clone(), terminal);
            migrations.go(Direction::Up, None).await?;
            between(url, &made).await
        };
        let done = done.await;
        let dropped = cluster.drop_database(&scratch).await;
        let drift = done?;
        dropped?;
        Ok(drift)
    }

    /// Whether nobody has done anything by hand.
    pub(crate) fn is_none(&self) -> bool {
        self.repair.is_empty() && self.adopt.is_empty()
    }
}

async fn between(url: &str, made: &str) -> Result<Drift> {
    let (mut ours, mut theirs) = (Reading::connect(url).await?, Reading::connect(made).await?);
    let (have, wanted) = (ours.catalog().await?, theirs.catalog().await?);
    let mut repair = ours.judge(compare::whole(&have, &wanted)).await?;
    let mut adopt = theirs.judge(compare::whole(&wanted, &have)).await?;
    let (have, wanted) = (ours.lines(LINES).await?, theirs.lines(LINES).await?);
    let [more, less] = differences(&have, &wanted);
    let by_hand = |line: &str, whose: &str| {
        let what = line.lines().next().unwrap_or_default();
        let kinds = ["view ", "function ", "trigger ", "extension "];
        let what = kinds
            .iter()
            .any(|kind| what.starts_with(kind))
            .then_some(what)?;
        let what = format!("In {whose} only: {what}");
        Some(Difference {
            change: Change::ByHand(what.clone()),
            danger: Danger::ByHand(what),
        })
    };
    let more = more
        .into_iter()
        .filter_map(|line| by_hand(line, "the database"));
    let less = less
        .into_iter()
        .filter_map(|line| by_hand(line, "the migrations"));
    let others: Vec<Difference> = more.chain(less).collect();
    repair.extend(others.iter().cloned());
    adopt.extend(others);
    Ok(Drift { repair, adopt })
}
