//! `blazelink migrate verify`: all migrations up, down and up again, on a database that is empty at
//! first and dropped at last. What stays behind after `down`, or differs after the second `up`, is
//! told.

use std::path::Path;
use std::time::Instant;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use blazelink_postgres::{Cluster, Setup};
use serde_json::json;

use super::program::{Direction, Migrations};
use super::schema::{LINES, differences};
use crate::project::Project;
use crate::terminal::{Terminal, several};

pub(super) async fn run(project: &Project, program: &Path, terminal: Terminal) -> Result<()> {
    let setup = Setup::new(&project.folder).dialogue(terminal);
    let cluster = Cluster::start(setup).await?;
    // The process' own, so that two at once are not in each other's way.
    let scratch = format!("verify-{}", std::process::id());
    let done = on(&cluster, &scratch, project, program, terminal).await;
    let dropped = cluster.drop_database(&scratch).await;
    cluster.stop().await;
    done.and(dropped)
}

async fn on(
    cluster: &Cluster,
    scratch: &str,
    project: &Project,
    program: &Path,
    terminal: Terminal,
) -> Result<()> {
    cluster.drop_database(scratch).await?;
    cluster.ensure_database(scratch).await?;
    let migrations = Migrations::on_scratch(project, program, cluster.url(scratch), terminal);
    let schema = async || -> Result<Vec<String>> {
        let rows = cluster.rows(scratch, LINES).await?;
        Ok(rows.into_iter().flatten().flatten().collect())
    };
    let empty = schema().await?;
    let go = async |direction: Direction, name: &str| {
        let begun = Instant::now();
        let done = migrations.go(direction, None).await;
        let done =
            done.map_err(|error| error.with_hint("mend it, then: blazelink migrate verify"))?;
        terminal.step(name, &several(done.len(), "migration"), begun.elapsed());
        Ok::<_, Error>(())
    };
    let mut found = 0;
    let mut tell = |what: &str, lines: &[&str]| {
        found += lines.len();
        for line in lines {
            let fields = json!({"what": what, "object": line});
            terminal.outcome("difference", fields, format!("  {what}: {line}"));
        }
    };
    go(Direction::Up, "up").await?;
    let first = schema().await?;
    go(Direction::Down, "down").await?;
    let taken_back = schema().await?;
    // Told before the way up, which may fail over what is in its way.
    let [lost, left] = differences(&empty, &taken_back);
    tell("stays behind after down", &left);
    tell("is gone after down", &lost);
    go(Direction::Up, "up again").await?;
    let second = schema().await?;
    let [lost, new] = differences(&first, &second);
    tell("is not made the second time", &lost);
    tell("is made the second time only", &new);
    if found == 0 {
        terminal.result("  The migrations go up, down, and up to the same schema");
        return Ok(());
    }
    let sentence = format!(
        "The migrations do not take back what they make: {}",
        several(found, "difference")
    );
    Err(Error::new(ErrorKind::Setup, Code::Differs, sentence)
        .with_hint("let each `down` drop what its `up` makes"))
}
