//! The cluster of a project, as `blazelink dev` uses it.
#![allow(clippy::unwrap_used)]

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use blazelink_postgres::{Cluster, Dialogue, Error, Search, Setup};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// Says nothing.
struct Silent;

impl Dialogue for Silent {
    fn say(&self, _: &str) {}

    fn agrees(&self, _: &str) -> bool {
        true
    }
}

/// An empty project that any account may enter.
fn project() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    folder
}

async fn start(project: &Path) -> Result<Cluster, Error> {
    Cluster::start(Setup::new(project).dialogue(Silent)).await
}

/// A connection, and the task that ends when the server ends it.
async fn connect(url: &str) -> (Client, tokio::task::JoinHandle<()>) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let ended = tokio::spawn(async move {
        let _ = connection.await;
    });
    (client, ended)
}

async fn ask(cluster: &Cluster, question: &str) -> String {
    let (client, _) = connect(&cluster.url("postgres")).await;
    client.query_one(question, &[]).await.unwrap().get(0)
}

fn pid(process: u32) -> Pid {
    Pid::from_raw(process.try_into().unwrap()).unwrap()
}

fn lives(process: u32) -> bool {
    test_kill_process(pid(process)).is_ok()
}

#[tokio::test]
async fn cluster_keeps_its_data_and_its_safety_from_one_start_to_the_next() {
    let project = project();
    let cluster = start(project.path()).await.unwrap();
    assert!(cluster.ensure_database("my \"app").await.unwrap());
    assert!(!cluster.ensure_database("my \"app").await.unwrap());
    assert_eq!(ask(&cluster, "SHOW fsync").await, "on");
    assert_eq!(ask(&cluster, "SHOW wal_level").await, "logical");
    let process = cluster.process_id().await.unwrap();
    cluster.stop().await;
    assert!(!lives(process));
    drop(cluster);

    let cluster = start(project.path()).await.unwrap();
    assert!(!cluster.ensure_database("my \"app").await.unwrap());
    let ignored = fs::read_to_string(project.path().join(".blazelink/.gitignore")).unwrap();
    assert_eq!(ignored, "*\n");
    let sockets = ask(&cluster, "SHOW unix_socket_directories").await;
    assert_eq!(fs::metadata(sockets).unwrap().mode() & 0o777, 0o700);
    cluster.stop().await;
}

#[tokio::test]
async fn psql_line_works_as_it_is() {
    let project = project();
    let cluster = start(project.path()).await.unwrap();
    cluster.ensure_database("it's").await.unwrap();
    let Some(line) = cluster.psql("it's") else {
        assert!(!Cluster::psql_install().is_empty());
        return;
    };
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("{line} -Atc 'SELECT current_database()'"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "it's\n");
    cluster.stop().await;
}

#[tokio::test]
async fn two_projects_run_side_by_side_and_two_processes_share_one_project() {
    let (one, two) = (project(), project());
    let (first, second) = tokio::join!(start(one.path()), start(two.path()));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_ne!(first.url("x"), second.url("x"));
    let again = start(one.path()).await.unwrap();
    assert!(first.is_ours() && !again.is_ours());
    assert_eq!(first.url("x"), again.url("x"));
    again.stop().await;
    assert!(again.restart().await.is_err());
    assert_eq!(ask(&first, "SELECT 'up'").await, "up");
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn killed_server_is_noticed_and_starts_again() {
    let project = project();
    let cluster = start(project.path()).await.unwrap();
    let process = cluster.process_id().await.unwrap();
    kill_process(pid(process), Signal::KILL).unwrap();
    cluster.ended().await;
    cluster.restart().await.unwrap();
    assert_ne!(cluster.process_id().await, Some(process));
    assert_eq!(ask(&cluster, "SELECT 'up'").await, "up");

    cluster.kill().await;
    drop(cluster);
    let cluster = start(project.path()).await.unwrap();
    assert_eq!(ask(&cluster, "SELECT 'up'").await, "up");
    cluster.stop().await;
}

#[tokio::test]
async fn lock_files_of_another_process_do_not_stop_the_server() {
    let project = project();
    let cluster = start(project.path()).await.unwrap();
    let sockets = ask(&cluster, "SHOW unix_socket_directories").await;
    cluster.kill().await;
    // As after a restart of the machine: the process ids are those of living strangers.
    let stranger = format!("{}\n", std::process::id());
    fs::write(cluster.data_folder().join("postmaster.pid"), &stranger).unwrap();
    fs::write(Path::new(&sockets).join(".s.PGSQL.5432.lock"), &stranger).unwrap();
    drop(cluster);
    let cluster = start(project.path()).await.unwrap();
    assert_eq!(ask(&cluster, "SELECT 'up'").await, "up");
    cluster.stop().await;
}

/// This test plays both parts: started by itself with `HOLD` set, it is the parent.
#[tokio::test]
async fn server_ends_with_a_parent_that_is_killed_and_starts_again_at_once() {
    const NAME: &str = "server_ends_with_a_parent_that_is_killed_and_starts_again_at_once";
    if let Some(project) = std::env::var_os("HOLD") {
        let cluster = start(Path::new(&project)).await.unwrap();
        let process = cluster.process_id().await.unwrap();
        println!("\nheld {process} {}", cluster.url("postgres"));
        std::future::pending::<()>().await;
    }
    let project = project();
    for _ in 0..2 {
        let mut parent = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME, "--nocapture"])
            .env("HOLD", project.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(parent.stdout.take().unwrap());
        let held = said
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("held ").map(str::to_owned))
            .unwrap();
        let (process, url) = held.split_once(' ').unwrap();
        let (_client, server_ended) = connect(url).await;
        parent.kill().unwrap();
        assert_eq!(parent.wait().unwrap().signal(), Some(9));
        server_ended.await.unwrap();

        let cluster = start(project.path()).await.unwrap();
        assert!(cluster.is_ours());
        assert!(!lives(process.parse().unwrap()));
        assert_eq!(ask(&cluster, "SELECT 'up'").await, "up");
        cluster.stop().await;
    }
}

#[tokio::test]
async fn project_in_a_home_that_only_root_may_enter_has_its_cluster_elsewhere() {
    // Only root hands its server to another account.
    let home = tempfile::tempdir().unwrap();
    fs::set_permissions(home.path(), Permissions::from_mode(0o700)).unwrap();
    let is_root = fs::metadata(home.path()).unwrap().uid() == 0;
    let project = home.path().join("project");
    fs::create_dir(&project).unwrap();
    let cluster = start(&project).await.unwrap();
    let pointer = project.join(".blazelink/postgres.path");
    assert_eq!(pointer.exists(), is_root);
    assert_eq!(cluster.data_folder().starts_with(&project), !is_root);
    cluster.ensure_database("kept").await.unwrap();
    cluster.stop().await;
    drop(cluster);
    let cluster = start(&project).await.unwrap();
    assert!(!cluster.ensure_database("kept").await.unwrap());
    cluster.stop().await;
    if is_root {
        let elsewhere = PathBuf::from(fs::read_to_string(pointer).unwrap().trim_end());
        fs::remove_dir_all(elsewhere).unwrap();
    }
}

#[tokio::test]
async fn machine_without_postgres_and_npm_gets_one_error_and_keeps_nothing() {
    let project = project();
    let search = Search {
        explicit: None,
        path: Vec::new(),
        well_known: Vec::new(),
        cache: project.path().join("cache"),
    };
    let setup = Setup::new(project.path()).dialogue(Silent).search(search);
    let error = Cluster::start(setup).await.unwrap_err();
    assert_eq!(error.code().to_string(), "BLZ2001");
    assert!(error.hint().is_some());
    assert_eq!(fs::read_dir(project.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn server_that_does_not_start_says_why() {
    let project = project();
    let cluster = start(project.path()).await.unwrap();
    cluster.stop().await;
    let settings = cluster.data_folder().join("postgresql.auto.conf");
    fs::write(settings, "shared_buffers = 'nonsense'\n").unwrap();
    let error = cluster.restart().await.unwrap_err();
    assert_eq!(error.code().to_string(), "BLZ2002");
    let told = format!("{error:#}");
    assert!(told.contains("shared_buffers"), "{told}");
}

#[tokio::test]
async fn database_in_use_is_copied_and_takes_connections_again() {
    let project = project();
    let cluster = start(project.path()).await.unwrap();
    cluster.ensure_database("game").await.unwrap();
    let (client, ended) = connect(&cluster.url("game")).await;
    client
        .batch_execute("CREATE TABLE t AS SELECT 7 AS n")
        .await
        .unwrap();
    cluster.copy_database_in_use("game", "kept").await.unwrap();
    ended.await.unwrap();
    for name in ["game", "kept"] {
        let rows = cluster.rows(name, "SELECT n FROM t").await.unwrap();
        assert_eq!(rows, [[Some("7".to_owned())]], "{name}");
    }
    // As a tool that is killed meanwhile leaves it.
    let close = "ALTER DATABASE game WITH ALLOW_CONNECTIONS false";
    cluster.rows("postgres", close).await.unwrap();
    assert!(cluster.rows("game", "SELECT 1").await.is_err());
    assert!(!cluster.ensure_database("game").await.unwrap());
    assert!(cluster.rows("game", "SELECT 1").await.is_ok());
    cluster.stop().await;
}
