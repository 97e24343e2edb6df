//! What is looked at of the machine: the toolchain, the linker, room, the port, watches of files,
//! and Postgres.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};

use blazelink_postgres::Cluster;

use super::check::{Check, State};
use crate::process;

/// The Rust that apps need.
const RUST: &str = env!("CARGO_PKG_RUST_VERSION");

/// Bytes of room below which a build may fail, and below which it soon may: a cold debug build of
/// an app takes 1 to 2 GB.
const ROOM: (u64, u64) = (1 << 30, 4 << 30);

/// Watches and watchers of files that `dev` and an editor beside it need together.
const WATCHES: [(&str, u64, u64); 2] = [
    ("max_user_watches", 8_192, 524_288),
    ("max_user_instances", 64, 512),
];

/// Cargo, and the compiler that it runs.
pub(super) fn toolchain() -> Check {
    let install = ["curl https://sh.rustup.rs -sSf | sh"];
    let Some(cargo) = version_of(crate::build::cargo()) else {
        return Check::new("toolchain", State::Error, "cargo cannot be run", &install);
    };
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let Some(rustc) = version_of(process::command(rustc)) else {
        return Check::new("toolchain", State::Error, "rustc cannot be run", &install);
    };
    let text = format!("{cargo}, {rustc}");
    match (numbers(&rustc), numbers(RUST)) {
        (Some(found), Some(needed)) if found < needed => {
            let text = format!("{rustc} is older than {RUST}, which apps need");
            Check::new("toolchain", State::Error, text, &["rustup update stable"])
        }
        _ => Check::ok("toolchain", text),
    }
}

/// What links programs: a C compiler, as Rust uses it.
pub(super) fn linker() -> Check {
    match version_of(process::command("cc")) {
        Some(version) => Check::ok("linker", version),
        None => Check::new(
            "linker",
            State::Error,
            "cc, which links Rust's programs, cannot be run",
            &[if cfg!(target_os = "macos") {
                "xcode-select --install"
            } else {
                "sudo apt-get install -y build-essential"
            }],
        ),
    }
}

/// The first line that a program says of its version, without what stands in brackets.
fn version_of(mut command: Command) -> Option<String> {
    let output = command
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().next()?.split(" (").next()?;
    output.status.success().then(|| line.trim().to_owned())
}

/// The first two numbers of a version.
fn numbers(text: &str) -> Option<(u32, u32)> {
    let word = text
        .split(' ')
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut numbers = word.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Room for what cargo builds.
pub(super) fn disk(folder: &Path) -> Check {
    let Ok(found) = rustix::fs::statvfs(folder) else {
        return Check::new(
            "disk",
            State::Warning,
            "how much room is left is not known",
            &[],
        );
    };
    room(found.f_bavail.saturating_mul(found.f_frsize))
}

fn room(bytes: u64) -> Check {
    let (least, little) = ROOM;
    let text = format!(
        "{:.1} GB left for what cargo builds",
        bytes as f64 / f64::from(1 << 30)
    );
    let state = match bytes {
        bytes if bytes < least => State::Error,
        bytes if bytes < little => State::Warning,
        _ => return Check::ok("disk", text),
    };
    Check::new("disk", state, text, &["cargo clean"])
}

/// The port on which the app is to listen.
pub(super) fn port(port: u16) -> Check {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Check::ok("port", format!("{port} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Check::new(
            "port",
            State::Warning,
            format!("{port} is taken; `blazelink dev` moves to the next free one"),
            &[&format!("lsof -i :{port}")],
        ),
        Err(error) => Check::new("port", State::Error, format!("{port}: {error}"), &[]),
    }
}

/// Whether enough files can be watched. Linux alone has these limits.
pub(super) fn watches() -> Vec<Check> {
    let folder = Path::new("/proc/sys/fs/inotify");
    let found = WATCHES.iter().filter_map(|(name, least, good)| {
        let text = std::fs::read_to_string(folder.join(name)).ok()?;
        Some(limit(name, text.trim().parse().ok()?, *least, *good))
    });
    found.collect()
}

fn limit(name: &str, found: u64, least: u64, good: u64) -> Check {
    if found >= least {
        return Check::ok("inotify", format!("{name} is {found}"));
    }
    Check::new(
        "inotify",
        State::Warning,
        format!("{name} is {found}: edits may go unnoticed"),
        &[&format!("sudo sysctl fs.inotify.{name}={good}")],
    )
}

/// The Postgres that the private cluster runs on.
pub(super) fn postgres(project: &Path) -> Check {
    match Cluster::available(project) {
        Ok(Some(version)) => Check::ok("postgres", format!("{version} for the private cluster")),
        Ok(None) => Check::new(
            "postgres",
            State::Warning,
            "There is none on this machine; `blazelink dev` offers to install one",
            &[&Cluster::install_by_hand()],
        ),
        Err(error) => Check::of_error("postgres", &error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert_eq!(numbers("rustc 1.95.0"), Some((1, 95)));
        assert_eq!(numbers(RUST).map(|(major, _)| major), Some(1));
        assert_eq!(numbers("rustc"), None);
        assert!(numbers("rustc 1.100.0") > numbers("1.95"));
    }

    #[test]
    fn little_room_and_few_watches_are_told() {
        let states = [0, 2 << 30, 90 << 30].map(|bytes| room(bytes).state);
        assert_eq!(states, [State::Error, State::Warning, State::Ok]);
        let told = limit("max_user_watches", 100, 8_192, 524_288);
        assert_eq!(told.state, State::Warning);
        assert_eq!(told.fix, ["sudo sysctl fs.inotify.max_user_watches=524288"]);
    }
}
