//! The tables as SQL, by `pg_dump`: what makes the same database anew, for development and tests.

use std::path::PathBuf;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use blazelink_postgres::{Cluster, Search};

use crate::db::psql::without_password;
use crate::process;

const PROGRAM: &str = "pg_dump";

/// Everything but rows, owners, grants, and what replication has.
const OPTIONS: [&str; 7] = [
    "--schema-only",
    "--no-owner",
    "--no-privileges",
    "--no-publications",
    "--no-subscriptions",
    "--no-password",
    "--exclude-table=public.seaql_migrations",
];

/// What stands above the SQL.
const HEAD: &str = "\
-- The database that was there when the app was made, as pg_dump tells it. Yours; once it is applied
-- anywhere, write a migration instead of changing it.

";

/// The SQL that makes what the database at this URL has.
pub(super) async fn of(url: &str) -> Result<String> {
    let (url, password) = without_password(url);
    let search = Search::of_this_machine();
    let program = search
        .client(PROGRAM)
        .unwrap_or_else(|| PathBuf::from(PROGRAM));
    let mut command = process::command(program);
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    command.args(OPTIONS).arg("--dbname").arg(url);
    let said = process::said(command).await.map_err(|error| {
        Error::new(
            ErrorKind::Setup,
            Code::CommandFailed,
            "pg_dump cannot be run",
        )
        .with_source(error)
        .with_hint(Cluster::psql_install())
    })?;
    if !said.status.success() {
        let sentence = "pg_dump cannot tell what the database has";
        return Err(Error::new(ErrorKind::Setup, Code::CommandFailed, sentence)
            .with_source(said.errors.trim().to_owned())
            .with_hint("install the client programs of the server's version, or name a role that owns the tables"));
    }
    Ok(as_migration(&said.output))
}

/// The SQL for a migration's transaction: settings end with it, every name is looked up as usual, and
/// commands to psql are none.
fn as_migration(dump: &str) -> String {
    let mut text = HEAD.to_owned();
    let mut is_body = false;
    let mut blank = true;
    for line in dump.lines() {
        let within = is_body;
        if quotes(line) % 2 == 1 {
            is_body = !is_body;
        }
        let is_noise = line.starts_with('\\')
            || line.starts_with("SELECT pg_catalog.set_config('search_path'")
            || line.starts_with("-- Dumped ")
            || (line.is_empty() && blank);
        if !within && is_noise {
            continue;
        }
        blank = line.is_empty();
        match line.strip_prefix("SET ") {
            Some(setting) if !within && line.ends_with(';') => {
                text.push_str("SET LOCAL ");
                text.push_str(setting);
            }
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// How many dollar quotes, `$$` or `$name$`, a line has.
fn quotes(line: &str) -> usize {
    let parts: Vec<&str> = line.split('$').collect();
    let is_name = |part: &&str| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let mut count = 0;
    let mut at = 1;
    while at + 1 < parts.len() {
        if is_name(&parts[at]) {
            count += 1;
            at += 2;
        } else {
            at += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_end_with_the_transaction_and_bodies_of_functions_stay() {
        let dump = "--\n-- Dumped by pg_dump version 15\n\n\\restrict abc\n\nSET lock_timeout = 0;\n\
                    SELECT pg_catalog.set_config('search_path', '', false);\n\n\n\
                    CREATE FUNCTION public.f() RETURNS void\n    LANGUAGE sql\n    AS $_$\n\
                    UPDATE a\nSET b = 1;\n\n\n\\x\n$_$;\n\nCREATE TABLE public.a ();\n\n";
        let expected = "--\n\nSET LOCAL lock_timeout = 0;\n\n\
                        CREATE FUNCTION public.f() RETURNS void\n    LANGUAGE sql\n    AS $_$\n\
                        UPDATE a\nSET b = 1;\n\n\n\\x\n$_$;\n\nCREATE TABLE public.a ();\n";
        assert_eq!(as_migration(dump), format!("{HEAD}{expected}"));
    }

    #[test]
    fn a_dollar_quote_is_told_from_a_parameter() {
        for (line, count) in [
            ("AS $$", 1),
            ("AS $_$ SELECT $1 $_$;", 2),
            ("costs $5", 0),
            ("$1 + $2", 0),
            ("'a' AS $body$", 1),
        ] {
            assert_eq!(quotes(line), count, "{line}");
        }
    }
}
