//! What the app's `main` calls: its subcommands, its log, and how it ends.
//!
//! `blazelink dev` drives an app through this file alone: the subcommands `serve`, `seed`,
//! `schema`, `ddl` and `doctor`, the environment that [`Config::load`] reads, one JSON line per event in the file
//! that `BLAZELINK_EVENTS` names, and, with `BLAZELINK_PARENT_PIPE=1`, a standard input whose end
//! means that the parent is gone, and whose lines are for open pages ([`DevChannel`]). A socket to
//! serve may be passed as systemd does it (`LISTEN_FDS`); whoever holds it too may start the next app
//! before it ends this one: SIGTERM gives way without breaking a request, SIGINT stops at once.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;

use blazelink_codes::Code;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::builder::{Blazelink, Builder};
use crate::config::{Config, Environment};
use crate::dev::{DevChannel, announce};
use crate::doctor;
use crate::error::{Error, ErrorKind, Result};
use crate::spans::Exporter;

/// What is logged unless `RUST_LOG` says otherwise: of the libraries, only what may need somebody.
/// At `info` the drivers repeat every notice of Postgres.
const LOG: &str = "info,poem=warn,sqlx=warn,tokio_postgres=warn";

const USAGE: &str = "\
usage: <app> [serve | seed | schema | ddl | doctor [--prod]]

  serve   answer requests (the default)
  seed    fill an empty database with the app's first rows
  schema  print the GraphQL schema
  ddl     print the SQL that would make the entities' tables, as JSON lines
  doctor  say what a start would find, as JSON lines; --drop-slot NAME drops a slot
";

/// Runs the app that `declare` describes, as its first argument says, and gives the exit code of
/// its process: 0 after a stop that was asked for, 1 after an error, 2 for a wrong argument.
///
/// Only the shell is generic: what runs is compiled with the framework, not with each edit of the
/// app.
pub fn run(declare: impl FnOnce(Builder) -> Builder) -> ExitCode {
    run_declared(Box::new(declare))
}

fn run_declared(declare: Box<dyn FnOnce(Builder) -> Builder + '_>) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let app = declare(Blazelink::builder());
    let done = match arguments[..] {
        [] | ["serve"] => with_config(|config| block_on(serve(app, config))),
        ["seed"] => with_config(|config| block_on(async move { app.run_seed(&config).await })),
        ["schema"] => app.sdl().map(|sdl| print!("{sdl}")),
        ["ddl"] => app.ddl().map(|ddl| print!("{ddl}")),
        ["doctor"] => with_config(|config| block_on(doctor(app, config, false))),
        ["doctor", "--prod"] => with_config(|config| block_on(doctor(app, config, true))),
        ["doctor", "--drop-slot", name] => {
            with_config(|config| block_on(async move { doctor::drop_slot(&config, name).await }))
        }
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        _ => {
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
    let exporter = Exporter::from_environment(&program_name())?;
    log(exporter.as_ref());
    let done = in_folder(work);
    if let Some(exporter) = exporter {
        exporter.flush();
    }
    done
}

fn in_folder(work: impl FnOnce(Config) -> Result<()>) -> Result<()> {
    let folder = std::env::current_dir().map_err(|error| {
        Error::new(
            ErrorKind::Setup,
            Code::ConfigInvalid,
            "The current folder is gone",
        )
        .with_source(error)
        .with_hint("start the app in the project's folder, the one with Blazelink.toml")
    })?;
    work(Config::load(&folder, &program_name())?)
}

fn block_on(work: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime
        .map_err(|error| {
            Error::new(ErrorKind::Setup, Code::System, "No threads can be started")
                .with_source(error)
        })?
        .block_on(work)
}

async fn serve(app: Builder, mut config: Config) -> Result<()> {
    allow_open_files();
    let events = config.events.clone();
    let [listener, debugger] = passed_sockets()?;
    config.listener = listener.map(Arc::new);
    if let Some(at) = &mut config.debugger.at {
        at.listener = debugger.map(Arc::new);
    }
    let parent = std::env::var_os("BLAZELINK_PARENT_PIPE").is_some();
    if parent && config.environment == Environment::Development {
        config.dev = Some(DevChannel::default());
    }
    let mut stop = pin!(stop_asked(parent, config.dev.clone())?);
    let app = tokio::select! {
        app = app.start(config) => app?,
        _ = &mut stop => return Ok(()),
    };
    let url = format!("http://{}", app.address());
    tracing::info!(%url, "serving");
    if let Some(file) = events {
        announce(&file, &serde_json::json!({"event": "ready", "url": url}))?;
    }
    let (stop, ended) = tokio::select! {
        stop = stop => (stop, Ok(())),
        error = app.failed() => (Stop::Now, Err(error)),
    };
    match stop {
        Stop::Now => {
            tracing::info!("stopping");
            app.stop().await;
        }
        Stop::HandOver => {
            tracing::info!("giving way");
            app.hand_over().await;
        }
    }
    ended
}

/// Lets the process have as many files open as it may ask for: each session has a socket, and what a
/// shell starts a program with is often room for a thousand (setrlimit(2)).
fn allow_open_files() {
    let allowed = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: allowed.maximum,
        maximum: allowed.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, most) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

async fn doctor(app: Builder, config: Config, production: bool) -> Result<()> {
    for check in doctor::examine_app(app.tables_for(&config), &config, production).await {
        // Of texts alone: it becomes JSON.
        if let Ok(line) = serde_json::to_string(&check) {
            println!("{line}");
        }
    }
    Ok(())
}

/// The sockets that whoever started us has passed, if there are any: the app's, and the debugger's.
fn passed_sockets() -> Result<[Option<std::net::TcpListener>; 2]> {
    let mut passed = listenfd::ListenFd::from_env();
    let mut take = |at: usize| {
        if at >= passed.len() {
            return Ok(None);
        }
        passed.take_tcp_listener(at).map_err(|error| {
            let sentence = "What LISTEN_FDS passes is no TCP socket that listens";
            Error::new(ErrorKind::Setup, Code::Listen, sentence)
                .with_source(error)
                .with_hint("pass one with ListenStream=, or unset LISTEN_FDS")
        })
    };
    Ok([take(0)?, take(1)?])
}

/// How the app is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// Answer what is asked, and end.
    Now,
    /// Move clients that keep connections over to the next app first.
    HandOver,
}

/// Completes when the process is asked to end: SIGINT, SIGTERM, or the parent's end.
fn stop_asked(parent: bool, dev: Option<DevChannel>) -> Result<impl Future<Output = Stop>> {
    let failed = |error: std::io::Error| {
        Error::new(
            ErrorKind::Setup,
            Code::System,
            "Signals cannot be listened to",
        )
        .with_source(error)
    };
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let orphaned = parent_gone(parent, dev);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => Stop::Now,
            _ = terminate.recv() => Stop::HandOver,
            () = orphaned => Stop::Now,
        }
    })
}

/// Bytes of a line from the parent; what is longer is cut, and then told to nobody.
const LINE_BYTES: u64 = 1 << 20;

/// Completes when the parent that holds our standard input ends; never without such a parent. What
/// it writes is told to pages.
async fn parent_gone(parent: bool, dev: Option<DevChannel>) {
    if !parent {
        return std::future::pending().await;
    }
    let (gone, wait) = oneshot::channel();
    // A thread, and not tokio's stdin: its blocking read would keep the runtime from ending.
    std::thread::spawn(move || {
        let mut input = BufReader::new(std::io::stdin().lock());
        let mut line = Vec::new();
        while matches!(read_line(&mut input, &mut line), Ok(1..)) {
            if let (Some(dev), Ok(line)) = (&dev, std::str::from_utf8(&line)) {
                dev.tell(line);
            }
        }
        let _ = gone.send(());
    });
    // An error means that the thread has ended, which it does only with the parent.
    let _ = wait.await;
}

/// Reads one line, or as much of it as there is room for.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<usize> {
    line.clear();
    input.take(LINE_BYTES).read_until(b'\n', line)
}

/// The log on standard error: what `RUST_LOG` says, else [`LOG`]. Coloured for a person at a
/// terminal only. Beside it, spans go to their collector. A subscriber that the app has installed
/// itself stays.
fn log(exporter: Option<&Exporter>) {
    let said = std::env::var(EnvFilter::DEFAULT_ENV).ok();
    let plain = ["NO_COLOR", "TERM"].map(std::env::var_os);
    // `blazelink dev` stands between us and its terminal.
    let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value == "1");
    let terminal = forced || std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(colours(terminal, plain))
        .with_writer(std::io::stderr)
        .with_filter(filter(said.as_deref()));
    let spans = exporter.map(Exporter::layer);
    let subscriber = tracing_subscriber::registry().with(spans).with(lines);
    let _ = subscriber.try_init();
}

fn filter(said: Option<&str>) -> EnvFilter {
    said.and_then(|said| EnvFilter::try_new(said).ok())
        .unwrap_or_else(|| EnvFilter::new(LOG))
}

/// Whether the log is coloured, as the command line tool decides it too.
fn colours(terminal: bool, [no_color, term]: [Option<OsString>; 2]) -> bool {
    let refused = no_color.is_some_and(|value| !value.is_empty());
    let dumb = term.is_some_and(|value| value == "dumb");
    terminal && !refused && !dumb
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex, PoisonError};

    use super::*;

    /// What is logged of an app that serves, when `RUST_LOG` says this.
    fn logged(said: Option<&str>) -> String {
        #[derive(Clone, Default)]
        struct Lines(Arc<Mutex<Vec<u8>>>);

        impl Write for Lines {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                lines.write(bytes)
            }

            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }

        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter(said))
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(target: "poem::server", "listening");
            tracing::warn!(target: "poem::server", "cannot accept");
            tracing::info!(target: "blazelink::run", "serving");
            tracing::info!(target: "shooter", "seeded");
        });
        let lines = lines.0.lock().unwrap();
        String::from_utf8(lines.clone()).unwrap()
    }

    #[test]
    fn log_tells_of_the_app_and_not_of_its_libraries() {
        let log = logged(None);
        assert!(log.contains("serving") && log.contains("seeded"), "{log}");
        assert!(log.contains("cannot accept"), "{log}");
        assert!(!log.contains("listening"), "{log}");
    }

    #[test]
    fn rust_log_replaces_the_default() {
        let log = logged(Some("info"));
        assert!(log.contains("listening"), "{log}");
        assert_eq!(logged(Some("off")), "");
        assert_eq!(logged(Some("a=no level")).lines().count(), 3, "as without");
    }

    #[test]
    fn only_a_terminal_that_wants_colours_gets_them() {
        let some = |text: &str| Some(OsString::from(text));
        for (terminal, no_color, term, coloured) in [
            (true, None, some("xterm"), true),
            (true, some(""), None, true),
            (true, some("1"), some("xterm"), false),
            (true, None, some("dumb"), false),
            (false, None, some("xterm"), false),
        ] {
            assert_eq!(colours(terminal, [no_color, term]), coloured);
        }
    }
}
