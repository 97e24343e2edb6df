//! The loop: waits for whatever happens first, tells the machine, and does what it answers.

mod questions;
mod saves;

use std::collections::HashSet;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use serde_json::json;
use tokio::sync::{mpsc, watch as state};

use super::app::{App, Report, Sockets};
use super::comparison::{Compared, Settled};
use super::debugger::Debugger;
use super::events::Events;
use super::front::{Front, Names};
use super::hearing::Hearing;
use super::keeper;
use super::keys::{HELP, Key, Keys};
use super::machine::{Action, AppId, Ask, Built, Event, Machine};
use super::page::State;
use super::programs::{self, Programs, Stamp, Unsuccessful, stamp};
use super::question::Question;
use super::roots;
use super::screen::Screen;
use super::socket::Socket;
use super::stand;
use super::teller::Teller;
use super::watch::{Watch, Way};
use crate::build::{self, Failed, Said};
use crate::database::Database;
use crate::difference::{Ddl, Memory};
use crate::process;
use crate::project::{Program, Project};
use crate::settings::Settings;
use crate::stop::Stop;

/// When the loop ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    Stopped,
    /// Once the app answers, or something fails.
    FirstEnd,
    /// Once the app answers.
    FirstSuccess,
}

/// Who decides what is done to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Migrate {
    /// Apply migrations; make what entities say, unless it may lose rows or make others wait
    Auto,
    /// Apply migrations; ask before what entities say is made
    Ask,
    /// Leave the database alone, and say what differs
    Never,
}

/// What the loop works on, and how.
#[derive(Debug)]
pub(crate) struct World<'a> {
    pub(crate) project: &'a Project,
    pub(crate) settings: &'a Settings,
    pub(crate) database: &'a Database<'a>,
    pub(crate) socket: &'a Socket,
    pub(crate) debugger: &'a Debugger,
    pub(crate) names: Names,
    pub(crate) build: build::Options,
    pub(crate) until: Until,
    pub(crate) migrate: Migrate,
    pub(crate) way: Way,
    /// Whether the slot is to outlive the run, whatever is set.
    pub(crate) durable: bool,
    /// Whether a browser is opened at the first app.
    pub(crate) open: bool,
}

/// What the work under way came to.
enum Done {
    Built(std::result::Result<Vec<PathBuf>, Box<Failed>>),
    Migrated(std::result::Result<(), Box<Unsuccessful>>),
    Compared(Result<Box<Compared>>),
    /// With the question, which it was about.
    Settled(Result<Settled>, Question),
    Seeded(std::result::Result<(), Box<Unsuccessful>>),
}

type Work<'a> = Pin<Box<dyn Future<Output = Done> + Send + 'a>>;

pub(crate) struct Driver<'a> {
    world: World<'a>,
    screen: Screen,
    teller: Arc<Teller>,
    front: Option<Front>,
    machine: Machine,
    /// What the machine said is first.
    first: Vec<Action>,
    work: Option<Work<'a>>,
    apps: Vec<App>,
    reports: mpsc::UnboundedSender<Report>,
    reported: mpsc::UnboundedReceiver<Report>,
    programs: Option<Programs>,
    /// What the project's file said last.
    file: Option<Settings>,
    /// The app that was started last, and the migration that was applied last.
    started: Stamp,
    migrated: Stamp,
    memory: Memory,
    /// The entities when they were last compared, unless the database may have changed since.
    compared: Option<Ddl>,
    /// Whether the next comparison is to look at what is ignored, and what is pending to be applied,
    /// because a person asks for it.
    wanted: bool,
    question: Option<Question>,
    questions: u32,
    hearing: Hearing,
    inputs: HashSet<PathBuf>,
    /// When what is under way began: with the first save.
    since: Instant,
    /// When the present step began.
    step: Instant,
    summarised: bool,
    finished: Option<Result<()>>,
}

impl<'a> Driver<'a> {
    pub(crate) fn new(
        world: World<'a>,
        page: state::Sender<State>,
        front: Front,
        hearing: Hearing,
        screen: Screen,
    ) -> Result<Driver<'a>> {
        let (machine, first) = Machine::begin(world.settings.seed);
        let (reports, reported) = mpsc::unbounded_channel();
        let file = Settings::read(&world.project.folder, None, |name| std::env::var_os(name));
        Ok(Driver {
            file: file.ok(),
            memory: Memory::of(world.project)?,
            world,
            teller: Arc::new(Teller::new(screen.clone(), page)),
            screen,
            front: Some(front),
            machine,
            first,
            work: None,
            apps: Vec::new(),
            reports,
            reported,
            programs: None,
            started: None,
            migrated: None,
            compared: None,
            wanted: false,
            question: None,
            questions: 0,
            hearing,
            inputs: HashSet::new(),
            since: Instant::now(),
            step: Instant::now(),
            summarised: false,
            finished: None,
        })
    }

    /// Runs until it is stopped, or until what it was run for is done.
    pub(crate) async fn run(mut self, stop: &mut Stop) -> Result<()> {
        let database = self.world.database;
        let mut kept = Box::pin(keeper::keep(database, self.screen.clone()));
        let mut keys = Keys::listen(self.world.until == Until::Stopped);
        let watches = self.world.until != Until::FirstEnd;
        let project = self.world.project;
        let mut watch = watches
            .then(|| Watch::over(std::slice::from_ref(&project.folder), self.world.way))
            .transpose()?;
        let mut roots = Box::pin(roots::of(project));
        let mut roots_known = !watches;
        let first = std::mem::take(&mut self.first);
        self.perform(first).await;
        let done = loop {
            if let Some(finished) = self.finished.take() {
                break finished;
            }
            tokio::select! {
                done = working(&mut self.work) => self.worked(done).await,
                Some(report) = self.reported.recv() => self.heard(report).await,
                heard = self.hearing.next() => self.page_answered(heard).await,
                found = &mut roots, if !roots_known => {
                    roots_known = true;
                    if let Err(error) = self.watch_too(&mut watch, found) {
                        break Err(error);
                    }
                }
                files = saves::next(watch.as_mut()) => {
                    let changes = self.gather(files, watch.as_mut()).await;
                    self.saved(changes).await;
                }
                key = keys.next() => self.typed(key, keys.present()).await,
                () = stop.asked() => break Ok(()),
                error = &mut kept => break Err(error),
            }
        };
        drop(keys);
        self.end(stop).await;
        done
    }

    /// Ends everything that was started.
    async fn end(mut self, stop: &mut Stop) {
        self.screen.status("", "");
        drop(self.work.take());
        drop(self.front.take());
        if self.apps.is_empty() {
            return;
        }
        self.screen
            .note("Stopping; Ctrl-C again does not wait for the app");
        for app in &self.apps {
            app.stop();
        }
        let mut hurried = false;
        for app in &mut self.apps {
            if !hurried {
                tokio::select! {
                    () = app.ended() => continue,
                    () = stop.asked() => hurried = true,
                }
            }
            app.kill();
            app.ended().await;
        }
    }

    async fn typed(&mut self, byte: u8, keyboard: bool) {
        let answer = self.question.as_ref().and_then(|it| it.typed(byte));
        if let Some(answer) = answer {
            return self.answered(answer).await;
        }
        let Some(key) = Key::of(byte) else { return };
        match key {
            Key::Ask(ask) => {
                self.wanted |= ask == Ask::Migrate;
                self.since = Instant::now();
                self.tell(Event::Asked(ask)).await;
            }
            Key::Open => self.open(&self.world.socket.url()),
            Key::Debugger => self.open_debugger(),
            Key::Logs => {
                let shown = self.screen.toggle_logs();
                self.screen
                    .said("logs", if shown { "shown" } else { "hidden" });
            }
            Key::Clear => self.screen.print(crate::terminal::Terminal::wipe),
            Key::Quit => self.finished = Some(Ok(())),
            Key::Help if keyboard => self.screen.note(HELP),
            Key::Help => {}
        }
    }

    fn open_debugger(&self) {
        let state = self.world.project.state().ok();
        let door = state.and_then(|state| self.world.debugger.door(&state).ok());
        if door.is_none_or(|door| opener::open(door).is_err()) {
            let page = self.world.debugger.page();
            self.screen
                .said("open", format!("no browser was found; open {page}"));
        }
    }

    fn open(&self, url: &str) {
        if opener::open(url).is_err() {
            self.screen
                .said("open", format!("no browser was found; open {url}"));
        }
    }

    /// Tells the machine, and does what it answers.
    async fn tell(&mut self, event: Event) {
        let actions = self.machine.on(event);
        self.perform(actions).await;
    }

    async fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            if let Err(error) = self.act(action).await {
                // What cannot even be begun, such as a process too many, is the end.
                self.finished = Some(Err(error));
            }
        }
        if self.machine.is_settled() {
            self.teller.page().send_modify(State::live);
            self.screen
                .status("live", "r rebuild · o open · d debugger · q quit · ? help");
        }
        self.tell_pages();
    }

    async fn act(&mut self, action: Action) -> Result<()> {
        match action {
            Action::Build => self.build(),
            Action::CancelBuild => self.work = None,
            Action::Migrate => self.migrate()?,
            Action::Compare => self.compare()?,
            Action::Ask => self.ask(),
            Action::Withdraw => self.withdraw(),
            Action::Settle(answer) => self.settle(answer),
            Action::Seed => self.seed()?,
            Action::Start(id) => self.start(id)?,
            Action::Live(id) => self.live(id),
            Action::Retire(id) => self.app(id).map(App::retire).unwrap_or_default(),
            Action::Stop(id) => self.app(id).map(App::stop).unwrap_or_default(),
            Action::Stand(true) if self.front.is_none() => {
                self.front = Some(stand(
                    self.world.socket,
                    &self.world.names,
                    self.teller.page(),
                    &self.hearing,
                )?);
            }
            Action::Stand(true) => {}
            Action::Stand(false) => {
                if let Some(front) = self.front.take() {
                    front.leave().await;
                }
            }
            Action::Reload => {
                self.tell_app(&json!({"event": "reload"}).to_string());
                self.screen.said("reload", "open pages");
            }
            Action::Restyle(files) => {
                let line = json!({"event": "css", "files": files});
                self.tell_app(&line.to_string());
                self.screen.said("style", "swapped in open pages");
            }
            Action::Stuck if self.world.until == Until::FirstEnd => {}
            Action::Stuck => {
                let goes_on = match self.machine.live() {
                    Some(_) => "the running app goes on; save to try again",
                    None => "save to try again",
                };
                self.screen.said("waiting", goes_on);
                self.screen.status("waiting", "r rebuild · q quit · ? help");
            }
        }
        Ok(())
    }

    fn app(&self, id: AppId) -> Option<&App> {
        self.apps.iter().find(|app| app.id == id)
    }

    fn tell_app(&self, line: &str) {
        if let Some(app) = self.machine.live().and_then(|id| self.app(id)) {
            app.tell(line);
        }
    }

    /// Tells the pages of every app where the loop is.
    fn tell_pages(&self) {
        let line = self.teller.page().borrow().line(false);
        for app in &self.apps {
            app.tell(&line);
        }
    }

    fn begin(&mut self, name: &str, doing: &str) {
        self.step = Instant::now();
        self.teller.page().send_modify(|state| state.begin(doing));
        self.screen.status(name, doing);
    }

    fn build(&mut self) {
        self.begin("build", "starting cargo");
        let project = self.world.project;
        let members: Vec<&Program> = [Some(&project.app), project.migration.as_ref()]
            .into_iter()
            .flatten()
            .collect();
        let options = self.world.build;
        let teller = Arc::clone(&self.teller);
        self.work = Some(Box::pin(async move {
            let say = |said: Said<'_>| teller.tell(said);
            Done::Built(build::compile(&members, options, &say).await)
        }));
    }

    fn migrate(&mut self) -> Result<()> {
        self.begin("migrate", "applying migrations");
        let programs = self.programs.as_ref().ok_or_else(programs::not_built)?;
        let left_alone = self.world.migrate == Migrate::Never && !self.wanted;
        let Some(migration) = programs.migration.clone().filter(|_| !left_alone) else {
            if left_alone {
                self.screen
                    .said("migrate", "left to you: `m`, or blazelink migrate up");
            }
            self.work = Some(Box::pin(std::future::ready(Done::Migrated(Ok(())))));
            return Ok(());
        };
        let command = programs::command(&self.world, &migration, "up");
        let screen = self.screen.clone();
        self.work = Some(Box::pin(async move {
            let hint = "mend the migration; it is applied again when you save";
            Done::Migrated(programs::run(command, hint, screen).await)
        }));
        Ok(())
    }

    fn seed(&mut self) -> Result<()> {
        self.begin("seed", "filling an empty database");
        let programs = self.programs.as_ref().ok_or_else(programs::not_built)?;
        let command = programs::command(&self.world, &programs.app, "seed");
        let screen = self.screen.clone();
        self.work = Some(Box::pin(async move {
            let hint = "mend the seed, which runs again when you save, or set `[dev] seed = false` \
                        in Blazelink.toml";
            Done::Seeded(programs::run(command, hint, screen).await)
        }));
        Ok(())
    }

    fn start(&mut self, id: AppId) -> Result<()> {
        self.begin("start", "starting the app");
        let programs = self.programs.as_ref().ok_or_else(programs::not_built)?;
        self.started = stamp(&programs.app);
        let mut command = programs::command(&self.world, &programs.app, "serve");
        let debugger = self.world.debugger;
        command
            .env("BLAZELINK_DEBUGGER", debugger.socket.address().to_string())
            .env("BLAZELINK_DEBUGGER_KEY", &debugger.key);
        if self.screen.terminal().colours_errors() {
            command.env("CLICOLOR_FORCE", "1");
        }
        let app = App::start(
            id,
            command,
            Sockets {
                app: self.world.socket.copy()?.into(),
                debugger: self.world.debugger.socket.copy()?.into(),
            },
            Events::new(self.world.project, id)?,
            self.screen.clone(),
            self.reports.clone(),
        )?;
        self.apps.push(app);
        Ok(())
    }

    fn live(&mut self, id: AppId) {
        let took = self.since.elapsed();
        if self.summarised {
            self.screen.step("swap", "the new app answers", took);
            let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            self.screen.event("swap", json!({"app": id, "ms": ms}));
        } else {
            self.summarised = true;
            self.summary();
            if self.world.open {
                self.open(&self.world.socket.url());
            }
        }
        if self.world.until != Until::Stopped {
            self.finished = Some(Ok(()));
        }
    }

    fn summary(&self) {
        let url = self.world.socket.url();
        self.screen.print(|terminal| {
            terminal.space();
            terminal.fact("app", &url);
            terminal.fact("graphql", format!("{url}/graphql/"));
            let debugger = self.world.debugger.page();
            terminal.fact("debugger", &debugger);
            self.world.database.describe(terminal);
            terminal.event("ready", json!({"url": url, "debugger": debugger}));
            terminal.space();
            terminal.note(match self.world.database {
                Database::Private { .. } => "Ctrl-C stops the app and its Postgres\n",
                Database::Supplied(_) => "Ctrl-C stops the app\n",
            });
        });
    }

    /// The work under way has ended.
    async fn worked(&mut self, done: Done) {
        self.work = None;
        let event = match done {
            Done::Built(Ok(built)) => self.built(built),
            Done::Built(Err(failed)) => {
                self.not_built(*failed);
                Event::Built(Built::Failed)
            }
            Done::Migrated(done) => {
                let well = self.stepped("migrate", "A migration failed", done);
                if well && let Some(programs) = &self.programs {
                    self.migrated = programs.migration.as_deref().and_then(stamp);
                }
                self.compared = None;
                Event::Migrated(well)
            }
            Done::Compared(Ok(compared)) => self.found(*compared),
            Done::Compared(Err(error)) => {
                // The app says itself whether it can work on the database.
                self.screen.error(&error);
                Event::Compared(false)
            }
            Done::Settled(done, question) => self.settled(done, question),
            Done::Seeded(done) => Event::Seeded(self.stepped("seed", "The seed failed", done)),
        };
        self.tell(event).await;
        if self.machine.asks()
            && let Some(answer) = self.decided()
        {
            self.answered(answer).await;
        }
    }

    fn built(&mut self, built: Vec<PathBuf>) -> Event {
        let programs = match Programs::of(built) {
            Ok(programs) => programs,
            Err(error) => {
                self.failed("The build failed", error, &[]);
                return Event::Built(Built::Failed);
            }
        };
        let all = [Some(&programs.app), programs.migration.as_ref()];
        self.inputs = all
            .into_iter()
            .flatten()
            .flat_map(|program| build::inputs(program))
            .collect();
        let migration = programs.migration.as_deref().and_then(stamp);
        let built = Built::Done {
            app: stamp(&programs.app) != self.started,
            migration: migration != self.migrated,
        };
        self.programs = Some(programs);
        self.screen.step("build", "done", self.step.elapsed());
        Event::Built(built)
    }

    fn not_built(&mut self, failed: Failed) {
        let (title, error) = self.teller.not_built(failed, self.step.elapsed());
        match self.world.until {
            Until::FirstEnd => self.finished = Some(Err(error)),
            Until::Stopped | Until::FirstSuccess => {
                self.screen.step("build", &title, self.step.elapsed());
            }
        }
    }

    fn stepped(
        &mut self,
        name: &str,
        title: &str,
        done: std::result::Result<(), Box<Unsuccessful>>,
    ) -> bool {
        match done {
            Ok(()) => {
                self.screen.step(name, "done", self.step.elapsed());
                true
            }
            Err(unsuccessful) => {
                let Unsuccessful { error, words } = *unsuccessful;
                self.failed(title, error, &words);
                false
            }
        }
    }

    /// Shows what failed, in the terminal and in pages; or ends, if that was asked for.
    fn failed(&mut self, title: &str, error: Error, words: &[String]) {
        self.teller.failed(title, &error, words);
        match self.world.until {
            Until::FirstEnd => self.finished = Some(Err(error)),
            Until::Stopped | Until::FirstSuccess => self.screen.error(&error),
        }
    }

    /// An app has reported.
    async fn heard(&mut self, report: Report) {
        match report {
            Report::Ready(id) => self.tell(Event::Ready(id)).await,
            Report::Ended { id, status, words } => {
                self.apps.retain(|app| app.id != id);
                // One that was told to end is as good as forgotten.
                let was_live = self.machine.live() == Some(id);
                if was_live || self.machine.starts() == Some(id) {
                    let when = if was_live {
                        "by itself"
                    } else {
                        "before it was ready"
                    };
                    let error = app_ended(status, when);
                    let title = if was_live {
                        "The app has ended"
                    } else {
                        "The app did not start"
                    };
                    self.failed(title, error, &words);
                }
                self.tell(Event::Ended(id)).await;
            }
        }
    }
}

/// Waits for the work under way; for ever if there is none. Cancel-safe.
async fn working(work: &mut Option<Work<'_>>) -> Done {
    match work {
        Some(work) => work.await,
        None => std::future::pending().await,
    }
}

fn app_ended(status: std::io::Result<std::process::ExitStatus>, when: &str) -> Error {
    let how = match status {
        Ok(status) => format!("with {}", process::ending(status)),
        Err(error) => format!("and how is not known: {error}"),
    };
    let sentence = format!("The app ended {when}, {how}; its words are above");
    Error::new(ErrorKind::Setup, Code::CommandFailed, sentence)
        .with_hint("mend what it says; it is started again when you save")
}
