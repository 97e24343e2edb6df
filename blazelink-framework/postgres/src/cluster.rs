//! A cluster: one Postgres server with its data, for a project or for a test.
//!
//! `blazelink dev` calls [`Cluster::start`], tests [`Cluster::throwaway`]. What must stay true: a
//! server that we started ends with us, however we end; a project's data is made whole or not at
//! all; two processes on one project share one server.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use blazelink_codes::{Code, Error, ErrorKind, Result};
use rustix::process::{Signal, kill_process};
use tokio::sync::Mutex;

use crate::binaries::{Binaries, Search};
use crate::database;
use crate::dialogue::{Dialogue, Plain};
use crate::folder::{self, Folder};
use crate::guard::Guard;
use crate::install;
use crate::lock;
use crate::owner::Owner;
use crate::server::{self, Server};
use crate::socket;
use crate::template;
use crate::tree;

/// How long to wait for a server that is ending, or that another process is starting.
const OTHERS: Duration = Duration::from_secs(40);

/// How long a server that nobody owns any more may take to stop in order. After that it stops at
/// once and recovers at its next start.
const KINDLY: Duration = Duration::from_secs(5);

/// How often to look whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// How a project's cluster is to be started.
#[derive(Clone)]
pub struct Setup {
    project: PathBuf,
    search: Search,
    dialogue: Arc<dyn Dialogue>,
}

impl Setup {
    /// The cluster of the project in this folder.
    pub fn new(project: impl Into<PathBuf>) -> Setup {
        Setup {
            project: project.into(),
            search: Search::of_this_machine(),
            dialogue: Arc::new(Plain),
        }
    }

    /// Looks for Postgres here instead of everywhere on this machine.
    #[must_use]
    pub fn search(mut self, search: Search) -> Setup {
        self.search = search;
        self
    }

    /// Speaks through this instead of on standard error.
    #[must_use]
    pub fn dialogue(mut self, dialogue: impl Dialogue + 'static) -> Setup {
        self.dialogue = Arc::new(dialogue);
        self
    }
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup")
            .field("project", &self.project)
            .finish_non_exhaustive()
    }
}

/// A Postgres cluster and, unless another process runs it, its server. Dropping the cluster stops
/// the server without waiting; [`Cluster::stop`] waits.
#[derive(Debug)]
pub struct Cluster {
    server: Server,
    /// None while the server is stopped or killed, and when another process runs it.
    guard: Mutex<Option<Guard>>,
    /// Keeps other processes from starting a server here. None when another process has it.
    lock: Option<File>,
}

impl Cluster {
    /// Starts the private Postgres of a project: finds (or installs) the programs, makes the
    /// cluster under `.blazelink/` the first time, and waits until the server answers. When
    /// another process runs the project's server already, that one is used.
    ///
    /// # Errors
    /// [`Code::PostgresNotFound`], [`Code::PostgresInstall`], [`Code::PostgresFolder`] or
    /// [`Code::PostgresStart`], each with what to type next.
    pub async fn start(setup: Setup) -> Result<Cluster> {
        blocking(move || start(&setup)).await
    }

    /// Starts a cluster that ends with this process and keeps nothing, without fsync. It is a
    /// copy, so this takes a moment, not the seconds of an `initdb`.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub async fn throwaway() -> Result<Cluster> {
        blocking(|| {
            let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
            let owner = Owner::of(&here)?;
            let search = Search::of_this_machine();
            let binaries = readable(find(&search, &here, None, &Plain)?, owner)?;
            let (server, lock) = template::copy(&binaries, owner)?;
            let guard = server.start()?;
            Ok(Cluster::run_by_us(server, guard, lock))
        })
        .await
    }

    /// The server of a project that runs already, whoever runs it. None when none does; nothing is
    /// started, made or installed.
    ///
    /// # Errors
    /// [`Code::PostgresFolder`] when the cluster cannot be read.
    pub async fn running(setup: Setup) -> Result<Option<Cluster>> {
        blocking(move || running(&setup)).await
    }

    /// The version of the Postgres that a project's cluster would run on; None where there is none
    /// on this machine. Nothing is started, made or installed.
    ///
    /// # Errors
    /// [`Code::PostgresNotFound`] when there are only others than the cluster was made with.
    pub fn available(project: &Path) -> Result<Option<String>> {
        let project = canonical(project)?;
        let major = match Folder::is_there(&project) {
            true => Folder::of(&project, Owner::of(&project)?)?.major()?,
            false => None,
        };
        let found = Search::of_this_machine().find(&project, major)?;
        Ok(found.map(|binaries| binaries.version))
    }

    /// The command that installs Postgres on this system.
    pub fn install_by_hand() -> String {
        install::by_hand_here()
    }

    /// The URL that a database of a project's cluster has, whether or not its server runs.
    ///
    /// # Errors
    /// [`Code::PostgresFolder`] when the folder of the socket cannot be made.
    pub fn url_of(project: &Path, database: &str) -> Result<String> {
        let project = canonical(project)?;
        let owner = Owner::of(&project)?;
        let runtime = std::env::var_os("XDG_RUNTIME_DIR");
        let sockets = socket::folder(&project, owner, runtime.as_deref())?;
        Ok(socket::url(&sockets, database))
    }

    fn run_by_us(server: Server, guard: Guard, lock: File) -> Cluster {
        Cluster {
            server,
            guard: Mutex::new(Some(guard)),
            lock: Some(lock),
        }
    }

    /// The server that another process runs in this folder, if it answers.
    fn run_by_another(mut server: Server, folder: &Folder) -> Option<Cluster> {
        // A copied project has another path, so another socket folder than the one in use.
        if let Some(sockets) = lock::sockets(&folder.data) {
            server.sockets = sockets;
        }
        let runs = lock::holder(&folder.data).is_some() && server::answers(&server.sockets);
        runs.then(|| Cluster {
            server,
            guard: Mutex::new(None),
            lock: None,
        })
    }

    /// The URL of a database in this cluster, for tokio-postgres, sqlx and libpq.
    pub fn url(&self, database: &str) -> String {
        socket::url(&self.server.sockets, database)
    }

    /// A command line that opens `database` in psql; None when there is no psql on this machine.
    pub fn psql(&self, database: &str) -> Option<String> {
        let search = Search::of_this_machine();
        let beside = self.server.binaries.program("psql");
        let program = if search.program("psql").is_some() {
            "psql".to_owned()
        } else if beside.exists() {
            shell_word(&beside.to_string_lossy())
        } else {
            return None;
        };
        let host = shell_word(&self.server.sockets.to_string_lossy());
        Some(format!(
            "{program} -h {host} -U postgres {}",
            shell_word(database)
        ))
    }

    /// Whether nothing that this cluster holds is to outlive the process.
    pub(crate) fn is_throwaway(&self) -> bool {
        self.server.throwaway.is_some()
    }

    /// The program psql; None when there is none on this machine.
    pub fn psql_program(&self) -> Option<PathBuf> {
        let beside = self.server.binaries.program("psql");
        let found = Search::of_this_machine().program("psql");
        found.or_else(|| beside.exists().then_some(beside))
    }

    /// The command that installs psql on this system.
    pub fn psql_install() -> String {
        install::psql_by_hand()
    }

    /// The server's version, as `15.18`.
    pub fn version(&self) -> &str {
        &self.server.binaries.version
    }

    /// Whether this process started the server, and so will stop it.
    pub fn is_ours(&self) -> bool {
        self.lock.is_some()
    }

    /// Where the data lies.
    pub fn data_folder(&self) -> &Path {
        &self.server.data
    }

    /// Where the server writes what it has to say.
    pub fn log_file(&self) -> &Path {
        &self.server.log
    }

    /// The process id of the running server that we started.
    pub async fn process_id(&self) -> Option<u32> {
        self.guard.lock().await.as_ref().map(Guard::process_id)
    }

    /// Makes a database unless it is there. True when it was made.
    ///
    /// # Errors
    /// [`Code::Database`] when the server does not do it.
    pub async fn ensure_database(&self, name: &str) -> Result<bool> {
        database::with_connection(&self.url("postgres"), async |client| {
            database::ensure(client, name).await
        })
        .await
    }

    /// Returns when the server that we started has ended by itself or by anyone's hand. Pending
    /// for ever when we run none.
    pub async fn ended(&self) {
        let gone = self.guard.lock().await.as_ref().map(Guard::gone);
        match gone {
            Some(gone) => gone.await,
            None => std::future::pending().await,
        }
    }

    /// Stops the server (fast: clients are disconnected) and waits until it is gone. A server
    /// that another process runs is left alone.
    pub async fn stop(&self) {
        if let Some(guard) = self.guard.lock().await.take() {
            guard.stop().await;
            // Nobody else may start a server here as long as we hold the lock. A folder that is
            // not empty stays.
            let _ = fs::remove_dir(&self.server.sockets);
        }
    }

    /// Kills the server with SIGKILL and waits until all its processes are gone. The next
    /// [`Cluster::restart`] goes through crash recovery.
    pub async fn kill(&self) {
        if let Some(guard) = self.guard.lock().await.take() {
            guard.kill().await;
        }
    }

    /// Starts the server again: after [`Cluster::kill`], after [`Cluster::stop`], or after a stop
    /// of its own. Returns when it answers.
    ///
    /// # Errors
    /// [`Code::PostgresStart`], also when another process runs the server.
    pub async fn restart(&self) -> Result<()> {
        if !self.is_ours() {
            return Err(Error::new(
                ErrorKind::Setup,
                Code::PostgresStart,
                "The private Postgres is another process's, so it is not restarted",
            ));
        }
        let mut guard = self.guard.lock().await;
        if let Some(running) = guard.take() {
            running.stop().await;
        }
        let server = self.server.clone();
        *guard = Some(blocking(move || server.start()).await?);
        Ok(())
    }
}

impl Drop for Cluster {
    /// A guard removes a throwaway folder itself; without one it is ours to remove.
    fn drop(&mut self) {
        if let (Some(folder), None) = (&self.server.throwaway, self.guard.get_mut()) {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

fn canonical(project: &Path) -> Result<PathBuf> {
    project.canonicalize().map_err(|error| {
        let sentence = format!("The project folder `{}` cannot be read", project.display());
        Error::new(ErrorKind::Setup, Code::PostgresFolder, sentence).with_source(error)
    })
}

fn running(setup: &Setup) -> Result<Option<Cluster>> {
    let project = canonical(&setup.project)?;
    if !Folder::is_there(&project) {
        return Ok(None);
    }
    let owner = Owner::of(&project)?;
    let folder = Folder::of(&project, owner)?;
    let Some(major) = folder.major()? else {
        return Ok(None);
    };
    let Some(binaries) = setup.search.find(&project, Some(major))? else {
        return Ok(None);
    };
    let server = server(&folder, &project, owner, binaries)?;
    Ok(Cluster::run_by_another(server, &folder))
}

fn start(setup: &Setup) -> Result<Cluster> {
    let project = canonical(&setup.project)?;
    let owner = Owner::of(&project)?;
    // Before anything is made: without programs nothing half made is left behind.
    if !Folder::is_there(&project) {
        find(&setup.search, &project, None, &*setup.dialogue)?;
    }
    let folder = Folder::of(&project, owner)?;
    let begun = Instant::now();
    let Some(lock) = folder.lock()? else {
        return attach(&folder, &project, owner, setup, begun);
    };
    let major = folder.major()?;
    let binaries = readable(
        find(&setup.search, &project, major, &*setup.dialogue)?,
        owner,
    )?;
    if major.is_none() {
        setup
            .dialogue
            .say(&format!("Making a Postgres {} cluster", binaries.version));
        server::make(&binaries, owner, &folder.data)?;
    }
    end_orphan(&folder.data)?;
    folder.open_log(owner)?;
    let server = server(&folder, &project, owner, binaries)?;
    let guard = server.start()?;
    Ok(Cluster::run_by_us(server, guard, lock))
}

/// Uses the server that another process runs, or is about to run.
fn attach(
    folder: &Folder,
    project: &Path,
    owner: Owner,
    setup: &Setup,
    begun: Instant,
) -> Result<Cluster> {
    loop {
        if let Some(lock) = folder.lock()? {
            // The other process has ended in the meantime: it is ours to start.
            drop(lock);
            return start(setup);
        }
        if let Some(major) = folder.major()? {
            let found = find(&setup.search, project, Some(major), &*setup.dialogue)?;
            let server = server(folder, project, owner, found)?;
            if let Some(cluster) = Cluster::run_by_another(server, folder) {
                return Ok(cluster);
            }
        }
        if begun.elapsed() > OTHERS {
            return Err(Error::new(
                ErrorKind::Setup,
                Code::PostgresStart,
                format!(
                    "Another process has the cluster `{}`, and its server does not answer",
                    folder.data.display()
                ),
            )
            .with_hint("stop the other `blazelink dev` of this project"));
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Ends a server whose process is gone: its guard may be stopping it this very moment, or may
/// have been killed too. A client that says nothing can hold up its shutdown for a minute
/// (`authentication_timeout`), so it is not asked kindly for long.
fn end_orphan(data: &Path) -> Result<()> {
    let begun = Instant::now();
    while let Some(server) = lock::holder(data) {
        let signal = if begun.elapsed() < KINDLY {
            Signal::INT
        } else {
            Signal::QUIT
        };
        let _ = kill_process(server, signal);
        if begun.elapsed() > OTHERS {
            return Err(Error::new(
                ErrorKind::Setup,
                Code::PostgresStart,
                format!(
                    "A server is left over in `{}` and does not stop",
                    data.display()
                ),
            )
            .with_hint(format!("kill -QUIT {}", server.as_raw_nonzero())));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

fn server(folder: &Folder, project: &Path, owner: Owner, binaries: Binaries) -> Result<Server> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR");
    Ok(Server {
        binaries,
        owner,
        data: folder.data.clone(),
        sockets: socket::folder(project, owner, runtime.as_deref())?,
        log: folder.log.clone(),
        throwaway: None,
    })
}

fn find(
    search: &Search,
    project: &Path,
    major: Option<u32>,
    dialogue: &dyn Dialogue,
) -> Result<Binaries> {
    match search.find(project, major)? {
        Some(binaries) => Ok(binaries),
        None => install::install(search, dialogue),
    }
}

/// The programs where the server may read them: in a 0700 home of somebody else they are copied.
fn readable(binaries: Binaries, owner: Owner) -> Result<Binaries> {
    if owner.reaches(&binaries.program("postgres")) {
        return Ok(binaries);
    }
    let unreadable = || {
        Error::new(
            ErrorKind::Setup,
            Code::PostgresFolder,
            format!(
                "The account that runs Postgres may not read `{}`",
                binaries.folder.display()
            ),
        )
        .with_hint("set BLAZELINK_PG_BIN to a folder that every account may read")
    };
    let base = folder::base(owner).ok_or_else(unreadable)?;
    let (Some(prefix), Some(bin)) = (binaries.folder.parent(), binaries.folder.file_name()) else {
        return Err(unreadable());
    };
    let name = socket::fingerprint(prefix);
    let kept = base.join(format!("postgres-{}-{name}", binaries.version));
    if !kept.exists() {
        let copy = tempfile::Builder::new()
            .prefix("copy-")
            .tempdir_in(&base)
            .map_err(|error| unreadable().with_source(error))?;
        let whole = copy.path().join("native");
        tree::copy(prefix, &whole, owner)?;
        // Losing the race against another process is as good as winning it.
        if let Err(error) = fs::rename(&whole, &kept)
            && !kept.exists()
        {
            return Err(unreadable().with_source(error));
        }
    }
    Ok(Binaries {
        folder: kept.join(bin),
        ..binaries
    })
}

/// A word as the shell reads it back.
fn shell_word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            Err(Error::new(
                ErrorKind::Setup,
                Code::PostgresStart,
                "The start of Postgres was broken off",
            )
            .with_source(error))
        })
}
