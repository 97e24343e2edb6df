//! `blazelink dev`: the project's own Postgres, migrated and seeded, and the app on it, built and
//! started again whenever its sources are saved.
//!
//! The tool holds the socket from its first moment to its last. While no app runs it answers itself
//! (`front`); an app that is ready takes its place, and the one before gives way to it. `machine`
//! decides what happens next, `driver` does it. Everything that was started ends in order, apps
//! before Postgres.

mod app;
mod change;
mod comparison;
mod debugger;
mod driver;
mod editor;
mod events;
mod front;
mod hearing;
mod holder;
mod keeper;
mod keys;
mod machine;
mod page;
mod programs;
mod question;
mod roots;
mod run_file;
mod screen;
mod socket;
mod teller;
mod watch;

use std::net::IpAddr;
use std::path::PathBuf;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use clap::Args;
use tokio::sync::watch::Sender;

use self::debugger::Debugger;
use self::driver::{Driver, Migrate, Until};
use self::front::{Front, Names};
use self::hearing::Hearing;
use self::page::State;
use self::run_file::RunFile;
pub(crate) use self::run_file::running;
use self::screen::Screen;
use self::socket::Socket;
use crate::build;
use crate::database::Database;
use crate::project::Project;
use crate::settings::{Settings, Source, Supplied};
use crate::stop::Stop;
use crate::terminal::Terminal;

/// Run an app with its own Postgres, and again whenever you save: migrate, seed, build, serve
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The folder of the app's Cargo.toml
    #[arg(default_value = ".")]
    path: PathBuf,

    /// The port to listen on; the next free one when it is taken [default: 8000]
    #[arg(short, long)]
    port: Option<u16>,

    /// The address to listen on; 0.0.0.0 lets other machines in, with --allow-host
    #[arg(long, value_name = "ADDRESS")]
    host: Option<IpAddr>,

    /// A name by which browsers may find the app, besides localhost
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,

    /// Open the app in a browser once it runs
    #[arg(long, overrides_with = "no_open")]
    open: bool,

    /// Open no browser
    #[arg(long, overrides_with = "open")]
    no_open: bool,

    /// The database: `private`, or the URL of your own
    #[arg(long, value_name = "URL")]
    db: Option<String>,

    /// Read your own database through a slot that outlives this run
    #[arg(long)]
    durable: bool,

    /// Build with optimisations
    #[arg(long)]
    release: bool,

    /// Seed an empty database, whatever Blazelink.toml says
    #[arg(long, overrides_with = "no_seed")]
    seed: bool,

    /// Leave an empty database empty
    #[arg(long, overrides_with = "seed")]
    no_seed: bool,

    /// Who decides what is done to the database
    #[arg(long, value_enum, default_value_t = Migrate::Ask, value_name = "WHO")]
    migrate: Migrate,

    /// Look for saved files twice a second: for a folder that another machine writes to
    #[arg(long)]
    poll: bool,

    /// End once the app has answered, or at the first error
    #[arg(long, conflicts_with = "until_success")]
    once: bool,

    /// End once the app has answered, and wait for saves until then
    #[arg(long)]
    until_success: bool,
}

pub(crate) async fn run(arguments: Arguments, terminal: Terminal) -> Result<()> {
    let mut stop = Stop::listen()?;
    let folder = Project::folder(&arguments.path)?;
    let settings = arguments.settings(&folder)?;
    let socket = Socket::bind(settings.host, settings.port)?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let page = Sender::new(State::new(&name));
    let names = Names {
        host: settings.host,
        allowed: settings.hosts.clone(),
    };
    let hearing = Hearing::new();
    let front = stand(&socket, &names, &page, &hearing)?;

    let Some(project) = until(&mut stop, Project::open(&folder)).await? else {
        return Ok(());
    };
    let mut run_file = RunFile::take(project.state()?)?;
    let debugger = Debugger::bind()?;
    run_file.write(&socket.url(), &debugger)?;
    page.send_modify(|state| state.app.clone_from(&project.app.package));
    let version = env!("CARGO_PKG_VERSION");
    terminal.title(&project.app.package, &format!("blazelink {version} · dev"));
    if let Some(holder) = &socket.taken_by {
        let (wanted, port) = (settings.port, socket.address().port());
        terminal.note(format!(
            "Port {wanted} is taken by {holder}; the app listens on {port}"
        ));
    }
    if settings.host.is_unspecified() {
        terminal.note(
            "Every machine that reaches this one can use the app, and see every table of which \
             nothing is said",
        );
    }
    page.send_modify(|state| state.begin("starting Postgres"));
    let database = Database::start(&project, &settings, terminal);
    let Some(database) = until(&mut stop, database).await? else {
        return Ok(());
    };
    let driver = Driver::new(
        driver::World {
            project: &project,
            settings: &settings,
            database: &database,
            socket: &socket,
            debugger: &debugger,
            names,
            build: build::Options {
                release: arguments.release,
            },
            until: match (arguments.once, arguments.until_success) {
                (true, _) => Until::FirstEnd,
                (_, true) => Until::FirstSuccess,
                _ => Until::Stopped,
            },
            migrate: arguments.migrate,
            way: match arguments.poll {
                true => watch::Way::Looking,
                false => watch::Way::Notices,
            },
            durable: arguments.durable,
            open: arguments.open,
        },
        page,
        front,
        hearing,
        Screen::new(terminal),
    );
    let done = match driver {
        Ok(driver) => driver.run(&mut stop).await,
        Err(error) => Err(error),
    };
    database.stop().await;
    done
}

impl Arguments {
    /// The settings of the project in this folder, under those of the command line.
    fn settings(&self, folder: &std::path::Path) -> Result<Settings> {
        let mut settings = Settings::read(folder, self.port, |name| std::env::var_os(name))?;
        settings.host = self.host.unwrap_or(settings.host);
        settings.hosts.extend(self.allow_host.iter().cloned());
        if self.seed || self.no_seed {
            settings.seed = self.seed;
        }
        match self.db.as_deref() {
            None => {}
            Some("private") => settings.database = None,
            Some(url) if url.contains("://") => {
                settings.database = Some(Supplied {
                    url: url.to_owned(),
                    from: Source::CommandLine,
                });
            }
            Some(_) => {
                let sentence = "--db takes `private` or the URL of a database";
                return Err(Error::new(ErrorKind::Setup, Code::Usage, sentence)
                    .with_hint("blazelink dev --db postgres://me@localhost/mine"));
            }
        }
        if settings.host.is_unspecified() && settings.hosts.is_empty() {
            let sentence = "An app that every machine can reach needs a name to be found by";
            return Err(
                Error::new(ErrorKind::Setup, Code::Usage, sentence).with_hint(format!(
                    "blazelink dev --host {} --allow-host NAME",
                    settings.host
                )),
            );
        }
        Ok(settings)
    }
}

/// Answers on the socket until an app does.
fn stand(socket: &Socket, names: &Names, page: &Sender<State>, hearing: &Hearing) -> Result<Front> {
    let front = Front::stand(
        socket.copy()?,
        names.clone(),
        page.subscribe(),
        hearing.mouth(),
    );
    front.map_err(|error| {
        let sentence = "The socket cannot be answered on";
        Error::new(ErrorKind::Setup, Code::System, sentence).with_source(error)
    })
}

/// The work's result, or None when the tool was told to stop first. The work is dropped then, and
/// with it what it started.
async fn until<T>(stop: &mut Stop, work: impl Future<Output = Result<T>>) -> Result<Option<T>> {
    tokio::select! {
        done = work => done.map(Some),
        () = stop.asked() => Ok(None),
    }
}
