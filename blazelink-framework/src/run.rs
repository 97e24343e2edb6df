//! What the app's `main` calls: its subcommands, its log, and how it ends.
//!
//! `blazelink dev` drives an app through this file alone: the subcommands `serve`, `seed` and
//! `schema`, the environment that [`Config::load`] reads, one JSON line per event in the file
//! that `BLAZELINK_EVENTS` names, and, with `BLAZELINK_PARENT_PIPE=1`, a standard input whose end
//! means that the parent is gone.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;

use blazelink_codes::Code;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tracing_subscriber::EnvFilter;

use crate::app::{Blazelink, Builder};
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};

const USAGE: &str = "\
usage: <app> [serve | seed | schema]

  serve   answer requests (the default)
  seed    fill an empty database with the app's first rows
  schema  print the GraphQL schema
";

/// Runs the app that `declare` describes, as its first argument says, and gives the exit code of
/// its process: 0 after a stop that was asked for, 1 after an error, 2 for a wrong argument.
pub fn run(declare: impl FnOnce(Builder) -> Builder) -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next();
    if arguments.next().is_some() {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    }
    let app = declare(Blazelink::builder());
    let done = match command.as_deref() {
        None | Some("serve") => with_config(|config| block_on(serve(app, config))),
        Some("seed") => with_config(|config| block_on(async move { app.run_seed(&config).await })),
        Some("schema") => app.sdl().map(|sdl| print!("{sdl}")),
        Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            Ok(())
        }
        Some(_) => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn with_config(work: impl FnOnce(Config) -> Result<()>) -> Result<()> {
    log();
    let folder = std::env::current_dir().map_err(|error| {
        Error::new(
            ErrorKind::Setup,
            Code::ConfigInvalid,
            "The current folder is gone",
        )
        .with_source(error)
    })?;
    work(Config::load(&folder, &program_name())?)
}

fn block_on(work: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime
        .map_err(|error| {
            Error::new(
                ErrorKind::Setup,
                Code::CommandFailed,
                "No threads can be started",
            )
            .with_source(error)
        })?
        .block_on(work)
}

async fn serve(app: Builder, config: Config) -> Result<()> {
    let events = config.events.clone();
    let mut stop = pin!(stop_asked()?);
    let app = tokio::select! {
        app = app.start(config) => app?,
        () = &mut stop => return Ok(()),
    };
    let url = format!("http://{}", app.address());
    tracing::info!(%url, "serving");
    if let Some(file) = events {
        announce(&file, &serde_json::json!({"event": "ready", "url": url}))?;
    }
    let ended = tokio::select! {
        () = stop => Ok(()),
        error = app.failed() => Err(error),
    };
    tracing::info!("stopping");
    app.stop().await;
    ended
}

/// Completes when the process is asked to end: SIGINT, SIGTERM, or the parent's end.
fn stop_asked() -> Result<impl Future<Output = ()>> {
    let failed = |error: std::io::Error| {
        Error::new(
            ErrorKind::Setup,
            Code::CommandFailed,
            "Signals cannot be listened to",
        )
        .with_source(error)
    };
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let orphaned = parent_gone();
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = orphaned => {}
        }
    })
}

/// Completes when the parent that holds our standard input ends; never without such a parent.
async fn parent_gone() {
    if std::env::var_os("BLAZELINK_PARENT_PIPE").is_none() {
        return std::future::pending().await;
    }
    let (gone, wait) = oneshot::channel();
    // A thread, and not tokio's stdin: its blocking read would keep the runtime from ending.
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        while !matches!(input.read(&mut [0; 64]), Ok(0) | Err(_)) {}
        let _ = gone.send(());
    });
    // An error means that the thread has ended, which it does only with the parent.
    let _ = wait.await;
}

fn announce(file: &Path, event: &serde_json::Value) -> Result<()> {
    let written = OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)
        .and_then(|mut file| writeln!(file, "{event}"));
    written.map_err(|error| {
        let sentence = "The file named by BLAZELINK_EVENTS cannot be written";
        Error::new(ErrorKind::Setup, Code::ConfigInvalid, sentence).with_source(error)
    })
}

/// The log on standard error: `RUST_LOG`, else everything from `info` up. A subscriber that the
/// app has installed itself stays.
fn log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let _ = subscriber.try_init();
}

/// The name under which the app was built, for the slot's name where `[app] name` is missing.
fn program_name() -> String {
    let program = std::env::current_exe().ok();
    let stem = program
        .as_deref()
        .and_then(Path::file_stem)
        .and_then(|stem| stem.to_str());
    stem.unwrap_or("app").to_owned()
}
