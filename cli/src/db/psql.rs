//! `blazelink db psql`: psql on the project's database. A server that is not there is started for
//! as long as psql runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use blazelink_postgres::{Cluster, Setup};

use super::branch;
use crate::process;
use crate::project::Project;
use crate::settings::Settings;
use crate::stop::Stop;
use crate::terminal::Terminal;

pub(super) async fn run(arguments: &[String], terminal: Terminal) -> Result<()> {
    // From here on Ctrl-C is psql's: it is in our process group, and we wait for it.
    let _stop = Stop::listen()?;
    let project = Project::open(Path::new(".")).await?;
    let settings = Settings::of(&project)?;
    if let Some(supplied) = &settings.database {
        let (url, password) = without_password(&supplied.url);
        let mut command = process::command("psql");
        if let Some(password) = password {
            command.env("PGPASSWORD", password);
        }
        command.arg(url).args(arguments);
        return open(command).await;
    }
    let cluster = Cluster::start(Setup::new(&project.folder).dialogue(terminal)).await?;
    let done = on(&cluster, &project, arguments).await;
    cluster.stop().await;
    done
}

async fn on(cluster: &Cluster, project: &Project, arguments: &[String]) -> Result<()> {
    let name = branch::database(project)?;
    cluster.ensure_database(&name).await?;
    let program: PathBuf = cluster.psql_program().ok_or_else(no_psql)?;
    let mut command = process::command(program);
    command.arg(cluster.url(&name)).args(arguments);
    open(command).await
}

async fn open(command: Command) -> Result<()> {
    let status = tokio::process::Command::from(command).status().await;
    let status = status.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => no_psql(),
        _ => no_psql().with_source(error),
    })?;
    if status.success() {
        return Ok(());
    }
    let sentence = format!("psql ended with {}", process::ending(status));
    Err(Error::new(ErrorKind::Setup, Code::CommandFailed, sentence))
}

fn no_psql() -> Error {
    Error::new(ErrorKind::Setup, Code::CommandFailed, "psql cannot be run")
        .with_hint(Cluster::psql_install())
}

/// The URL without its password, and the password: arguments of a program are for everybody on the
/// machine to see.
pub(crate) fn without_password(url: &str) -> (String, Option<String>) {
    let whole = || (url.to_owned(), None);
    let Some((scheme, rest)) = url.split_once("://") else {
        return whole();
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let Some(at) = rest[..end].rfind('@') else {
        return whole();
    };
    let Some((user, password)) = rest[..at].split_once(':') else {
        return whole();
    };
    let url = format!("{scheme}://{user}{}", &rest[at..]);
    (url, Some(percent_decoded(password)))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(decoded) if byte == b'%' => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_is_taken_out_of_the_url() {
        for (url, without, password) in [
            (
                "postgres://a:p%40%2Fß@h:1/d?x=y",
                "postgres://a@h:1/d?x=y",
                Some("p@/ß"),
            ),
            ("postgres://a:p%@h", "postgres://a@h", Some("p%")),
            ("postgres://a@h/d", "postgres://a@h/d", None),
            (
                "postgres://h/d?user=a:b@c",
                "postgres://h/d?user=a:b@c",
                None,
            ),
            ("dbname=d", "dbname=d", None),
        ] {
            let (told, secret) = without_password(url);
            assert_eq!(
                (told.as_str(), secret.as_deref()),
                (without, password),
                "{url}"
            );
        }
    }
}
