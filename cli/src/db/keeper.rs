//! `blazelink db start` and `stop`: a process of our own that holds the private Postgres while
//! nobody else does.
//!
//! It locks `.blazelink/keeper` for as long as it lives, and writes its number into it: whoever
//! finds the file locked knows that the number is the keeper's. It leaves the terminal's session,
//! so that it outlives the terminal.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use blazelink_codes::{Code, Error, ErrorKind, Result};
use blazelink_postgres::{Cluster, Setup};
use rustix::process::{Pid, Signal, kill_process, setsid};

use super::branch;
use crate::process;
use crate::project::Project;
use crate::stop::Stop;
use crate::terminal::Terminal;

/// How long a keeper may take to stop its server in order.
const STOPPING: Duration = Duration::from_secs(40);

/// How often to look whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What the keeper says when its server answers.
const READY: &str = "ready";

/// Starts a keeper, unless the server runs already, and waits until its server answers.
pub(super) async fn start(project: &Project, terminal: Terminal) -> Result<()> {
    let name = branch::database(project)?;
    if let Some(cluster) = Cluster::running(Setup::new(&project.folder)).await? {
        cluster.ensure_database(&name).await?;
        match keeper(project)? {
            Keeper::Runs(_) => terminal.note("It runs already"),
            Keeper::None(_) => {
                terminal.note("It runs already, by `blazelink dev`, and ends with that");
            }
        }
        describe(&cluster, &name, terminal);
        return Ok(());
    }
    let begun = Instant::now();
    // Here, where somebody can be asked, whatever is missing is made or installed.
    let made = Cluster::start(Setup::new(&project.folder).dialogue(terminal)).await?;
    made.ensure_database(&name).await?;
    made.stop().await;
    // Before the keeper starts its own: the lock of the cluster must be free.
    drop(made);
    let (folder, log) = (project.folder.clone(), project.state()?.join("keeper.log"));
    let spawned = tokio::task::spawn_blocking(move || spawn(&folder, &log)).await;
    spawned.map_err(|error| not_started().with_source(error))??;
    let setup = Setup::new(&project.folder);
    let cluster = Cluster::running(setup).await?.ok_or_else(|| {
        let sentence = "The private Postgres has ended as soon as it was started";
        Error::new(ErrorKind::Setup, Code::PostgresStart, sentence)
    })?;
    let version = format!("{}, left running", cluster.version());
    terminal.step("postgres", &version, begun.elapsed());
    describe(&cluster, &name, terminal);
    terminal.note("`blazelink db stop` stops it");
    Ok(())
}

fn describe(cluster: &Cluster, name: &str, terminal: Terminal) {
    terminal.fact("database", cluster.url(name));
    match cluster.psql(name) {
        Some(line) => terminal.fact("psql", line),
        None => terminal.note(format!("psql is not here: {}", Cluster::psql_install())),
    }
}

/// Runs the keeper, and returns when its server answers.
fn spawn(folder: &Path, log_file: &Path) -> Result<()> {
    let failed = |error: std::io::Error| not_started().with_source(error);
    let tool = std::env::current_exe().map_err(failed)?;
    let log = File::create(log_file).map_err(failed)?;
    let mut keeper = process::command(tool)
        .args(["db", "keep"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .map_err(failed)?;
    let mut said = String::new();
    if let Some(output) = keeper.stdout.take() {
        // The end of its output comes with its own end.
        let _ = BufReader::new(output).read_line(&mut said);
    }
    if said.trim() == READY {
        return Ok(());
    }
    let why = std::fs::read_to_string(log_file).unwrap_or_default();
    Err(not_started().with_source(why.trim().to_owned()))
}

fn not_started() -> Error {
    let sentence = "The process that holds the private Postgres did not start";
    Error::new(ErrorKind::Setup, Code::PostgresStart, sentence)
}

/// The keeper's own life.
pub(super) async fn keep(project: &Project) -> Result<()> {
    // Fails only for the first process of a session, which has left its terminal already.
    let _ = setsid();
    let mut stop = Stop::listen()?;
    let file = match keeper(project)? {
        Keeper::None(file) => file,
        Keeper::Runs(_) => {
            let sentence = "The private Postgres is held by another process";
            return Err(Error::new(ErrorKind::Setup, Code::PostgresStart, sentence));
        }
    };
    write_number(&file).map_err(|error| unusable(project, error))?;
    let cluster = Cluster::start(Setup::new(&project.folder)).await?;
    // Whoever started it may be gone; it stays until it is told to stop.
    let _ = writeln!(std::io::stdout(), "{READY}");
    tokio::select! {
        () = stop.asked() => {}
        () = cluster.ended() => {}
    }
    cluster.stop().await;
    Ok(())
}

fn write_number(mut file: &File) -> std::io::Result<()> {
    file.set_len(0)?;
    write!(file, "{}", std::process::id())
}

/// Stops the keeper, and with it its server; returns when both are gone.
pub(super) async fn stop(project: &Project, terminal: Terminal) -> Result<()> {
    let begun = Instant::now();
    let Keeper::Runs(number) = keeper(project)? else {
        let running = Cluster::running(Setup::new(&project.folder)).await?;
        if running.is_none() {
            terminal.note("It does not run");
            return Ok(());
        }
        let sentence = "The private Postgres is not one that `blazelink db start` left running";
        return Err(Error::new(ErrorKind::Setup, Code::DatabaseInUse, sentence)
            .with_hint("it ends with the `blazelink dev` of this project: stop that"));
    };
    if let Some(number) = number {
        let _ = kill_process(number, Signal::TERM);
    }
    while matches!(keeper(project)?, Keeper::Runs(_)) {
        if begun.elapsed() > STOPPING {
            let sentence = "The private Postgres does not stop";
            let hint = format!(
                "look into {}",
                project.state()?.join("postgres.log").display()
            );
            return Err(Error::new(ErrorKind::Setup, Code::PostgresStart, sentence).with_hint(hint));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    terminal.step("postgres", "stopped", begun.elapsed());
    Ok(())
}

/// Whether a keeper lives.
enum Keeper {
    /// None does: the file is locked for whoever asked.
    None(File),
    /// One does, and this is its number, if it has come so far as to write it.
    Runs(Option<Pid>),
}

fn keeper(project: &Project) -> Result<Keeper> {
    let file: PathBuf = project.state()?.join("keeper");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(file)
        .map_err(|error| unusable(project, error))?;
    match file.try_lock() {
        Ok(()) => Ok(Keeper::None(file)),
        Err(TryLockError::WouldBlock) => {
            let mut number = String::new();
            let _ = file.read_to_string(&mut number);
            let number = number.trim().parse().ok().and_then(Pid::from_raw);
            Ok(Keeper::Runs(number))
        }
        Err(TryLockError::Error(error)) => Err(unusable(project, error)),
    }
}

fn unusable(project: &Project, error: std::io::Error) -> Error {
    let file = project.folder.join(".blazelink/keeper");
    let sentence = format!("`{}` cannot be used", file.display());
    Error::new(ErrorKind::Setup, Code::ProjectFile, sentence).with_source(error)
}
