//! `blazelink dev` on a small project, from outside.
#![allow(clippy::unwrap_used)]

mod saves;
mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rustix::process::{Signal, kill_process};

use self::support::{Dev, free_port, lives, pid, project, tool};

/// The socket in the database's URL.
fn socket(told: &str) -> PathBuf {
    let host = told.split(['@', '/']).nth(3).unwrap();
    PathBuf::from(host.replace("%2F", "/")).join(".s.PGSQL.5432")
}

fn failed(command: &mut Command) -> (String, Output) {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    (String::from_utf8_lossy(&output.stderr).into_owned(), output)
}

#[test]
fn app_is_migrated_seeded_served_and_stopped_by_ctrl_c_with_its_postgres() {
    let project = project();
    let port = free_port();
    let dev = Dev::start(project.path(), port);
    assert_eq!(dev.fact("app"), format!("http://127.0.0.1:{port}"));
    assert_eq!(
        dev.fact("graphql"),
        format!("http://127.0.0.1:{port}/graphql/")
    );
    let steps = fs::read_to_string(project.path().join("steps")).unwrap();
    assert_eq!(steps, "migrate up\nseed\nserve\n");
    let (mut client, told) = dev.visit();
    assert!(told.contains("DATABASE_URL=postgres://postgres@"), "{told}");
    assert!(
        told.contains("/fake_app\nBLAZELINK_ENV=development\nBLAZELINK_SLOT=\none\n"),
        "{told}"
    );
    let postgres = dev.postgres().unwrap();
    assert!(lives(postgres));

    dev.signal(Signal::INT);
    let (status, said) = dev.wait();
    assert_eq!(status.code(), Some(0), "{said}");
    assert!(!lives(postgres));
    assert_eq!(client.read(&mut [0]).unwrap(), 0, "the app has ended");
    assert!(!said.contains('\x1b'), "no colour without a terminal");
}

/// A session of the server: one that has said nothing yet would hold up its end for a minute.
fn session(socket: &Path) -> UnixStream {
    let mut session = UnixStream::connect(socket).unwrap();
    let parameters = b"user\0postgres\0database\0postgres\0\0";
    let length = u32::try_from(8 + parameters.len()).unwrap();
    session.write_all(&length.to_be_bytes()).unwrap();
    session.write_all(&0x0003_0000_u32.to_be_bytes()).unwrap();
    session.write_all(parameters).unwrap();
    // Up to "ready for query", whose last byte says that no transaction is open.
    let mut answer = [0; 1024];
    let mut answered = 0;
    while !answer[..answered].ends_with(b"Z\0\0\0\x05I") {
        answered += session.read(&mut answer[answered..]).unwrap();
    }
    session
}

#[test]
fn killed_tool_takes_app_and_postgres_with_it_and_starts_again() {
    let project = project();
    let dev = Dev::start(project.path(), free_port());
    let (mut client, told) = dev.visit();
    let mut server = session(&socket(&told));
    let postgres = dev.postgres().unwrap();
    dev.signal(Signal::KILL);
    assert_eq!(dev.wait().0.signal(), Some(9));
    // Both ends close when their process is gone.
    assert_eq!(client.read(&mut [0]).unwrap_or(0), 0);
    let _ = server.read_to_end(&mut Vec::new());

    let dev = Dev::start(project.path(), free_port());
    assert_ne!(dev.postgres(), Some(postgres));
    assert!(!lives(postgres));
    dev.signal(Signal::TERM);
    assert_eq!(dev.wait().0.code(), Some(0));
}

#[test]
fn taken_port_moves_the_app_to_the_next_and_says_so() {
    let project = project();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let dev = Dev::start(project.path(), port);
    assert!(
        dev.said.contains(&format!("Port {port} is taken by `")),
        "{}",
        dev.said
    );
    assert_ne!(dev.fact("app"), format!("http://127.0.0.1:{port}"));
    dev.visit();
    dev.signal(Signal::INT);
    assert_eq!(dev.wait().0.code(), Some(0));
}

#[test]
fn supplied_server_replaces_the_private_one_and_gets_a_temporary_slot() {
    let project = project();
    let mut command = tool(&["--port", &free_port().to_string()], project.path());
    command.env("DATABASE_URL", "postgres://me:secret@db/mine");
    let dev = Dev::start_as(command, project.path());
    let (_client, told) = dev.visit();
    assert!(
        told.contains("DATABASE_URL=postgres://me:secret@db/mine\n"),
        "{told}"
    );
    assert!(told.contains("BLAZELINK_SLOT=temporary\n"), "{told}");
    assert!(dev.postgres().is_none());
    dev.signal(Signal::INT);
    let (status, said) = dev.wait();
    assert_eq!(status.code(), Some(0));
    assert!(!said.contains("secret"), "{said}");
}

#[test]
fn killed_postgres_is_started_again() {
    let project = project();
    let mut dev = Dev::start(project.path(), free_port());
    let postgres = dev.postgres().unwrap();
    let socket = socket(&dev.visit().1);
    kill_process(pid(postgres), Signal::KILL).unwrap();
    dev.until("answers again");
    assert_ne!(dev.postgres(), Some(postgres));
    assert!(UnixStream::connect(socket).is_ok());
    dev.signal(Signal::INT);
    assert_eq!(dev.wait().0.code(), Some(0));
}

#[test]
fn app_that_ends_ends_the_tool_with_its_words_and_its_status() {
    let project = project();
    fs::write(project.path().join("crash"), "").unwrap();
    let (told, _) = failed(&mut tool(
        &["--once", "--port", &free_port().to_string()],
        project.path(),
    ));
    assert!(told.contains("the app's own words"), "{told}");
    assert!(
        told.contains("exit status 3") && told.contains("BLZ7002"),
        "{told}"
    );
    assert!(
        !project
            .path()
            .join(".blazelink/postgres/postmaster.pid")
            .exists()
    );
}

#[test]
fn code_that_does_not_compile_shows_the_compilers_words_and_one_sentence() {
    let project = project();
    fs::write(project.path().join("src/main.rs"), "fn main() { nonsense }").unwrap();
    let (told, output) = failed(&mut tool(&["--once"], project.path()));
    assert!(told.contains("cannot find value `nonsense`"), "{told}");
    let (cargo, ours) = told.split_once("error: `fake-app`").unwrap();
    assert!(!cargo.contains("BLZ") && ours.contains("BLZ7002") && ours.contains("hint:"));
    assert!(!String::from_utf8_lossy(&output.stdout).contains("http://"));
}

#[test]
fn migration_that_fails_is_named() {
    let project = project();
    let main = project.path().join("migration/src/main.rs");
    fs::write(
        main,
        "fn main() { eprintln!(\"column is missing\"); std::process::exit(1) }",
    )
    .unwrap();
    let (told, _) = failed(&mut tool(&["--once"], project.path()));
    assert!(told.contains("column is missing"), "{told}");
    assert!(
        told.contains("BLZ7002") && told.contains("mend the migration"),
        "{told}"
    );
}

#[test]
fn a_folder_without_postgres_or_with_an_old_one_is_named_with_what_to_do() {
    let project = project();
    let programs = tempfile::tempdir().unwrap();
    let start = || {
        let mut command = tool(&["--once"], project.path());
        failed(command.env("BLAZELINK_PG_BIN", programs.path())).0
    };
    let told = start();
    assert!(
        told.contains("BLZ2001") && told.contains("has no `postgres`"),
        "{told}"
    );
    for name in ["postgres", "initdb"] {
        let program = programs.path().join(name);
        fs::write(&program, "#!/bin/sh\necho 'postgres (PostgreSQL) 12.4'\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let told = start();
    assert!(
        told.contains("has Postgres 12.4; Blazelink needs 14 or newer")
            && told.contains("unset BLAZELINK_PG_BIN"),
        "{told}"
    );
    assert!(!project.path().join(".blazelink/postgres").exists());
}

#[test]
fn folder_without_an_app_is_told_apart_from_a_missing_one_and_a_workspace() {
    let folder = tempfile::tempdir().unwrap();
    let told = |path: &Path| failed(&mut tool(&[], path)).0;
    assert!(told(folder.path()).contains("has no Cargo.toml"));
    assert!(told(&folder.path().join("none")).contains("There is no folder"));
    fs::write(folder.path().join("Cargo.toml"), "[workspace]\n").unwrap();
    assert!(told(folder.path()).contains("is a workspace"));
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing was made"
    );
}

#[test]
fn wrong_setting_is_named_before_anything_starts() {
    let project = project();
    fs::write(
        project.path().join("Blazelink.toml"),
        "[server]\nprot = 1\n",
    )
    .unwrap();
    let (told, _) = failed(&mut tool(&[], project.path()));
    assert!(
        told.contains("BLZ1001") && told.contains("`prot`"),
        "{told}"
    );
    assert!(!project.path().join(".blazelink").exists());
}
