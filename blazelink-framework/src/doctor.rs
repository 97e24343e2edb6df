//! `<app> doctor`: what a start would find, as JSON lines for `blazelink doctor`, which adds what
//! only the machine knows. Changes nothing; `--drop-slot` drops one slot, and nothing else.
//!
//! A line is a [`Check`]. It names tables, settings and SQL; no row, no password.

use std::time::SystemTime;

use blazelink_codes::Code;
use blazelink_migrations::{Execute, SeaOrm, Slot, TextRow, literal};
use sea_orm::DatabaseConnection;
use serde::Serialize;

use crate::config::{Config, DebuggerConfig, DebuggerRole, Environment};
use crate::data;
use crate::error::{Error, Result};
use crate::pools;
use crate::replication::preflight::{Examined, Finding, Severity, examine};
use crate::replication::{DatabaseUrl, OrdinaryConnection, SlotPlan};
use crate::table::{TableManager, TableManagerBuilder};
use crate::visibility::{Openness, summary};

/// Bytes of the log that a slot may hold back before that is worth a word.
const HELD: i64 = 1 << 30;

/// How far the clocks of app and database may be apart, in milliseconds.
const CLOCKS: i64 = 2_000;

/// One thing that was looked at.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    check: &'static str,
    state: State,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// What mends it: SQL, settings, commands.
    fix: Vec<String>,
    /// A slot of Blazelink's that nothing reads, and the database it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    slot: Option<[String; 2]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warning,
    Error,
}

impl Check {
    fn new(check: &'static str, state: State, text: impl Into<String>, fix: &[&str]) -> Check {
        Check {
            check,
            state,
            text: text.into(),
            code: None,
            fix: fix.iter().map(|step| (*step).to_owned()).collect(),
            slot: None,
        }
    }

    fn ok(check: &'static str, text: impl Into<String>) -> Check {
        Check::new(check, State::Ok, text, &[])
    }

    fn of_error(check: &'static str, error: &Error) -> Check {
        let mut text = error.sentence().to_owned();
        if let Some(cause) = std::error::Error::source(error) {
            text.push_str(&format!(": {cause}"));
        }
        Check {
            code: Some(error.code().to_string()),
            fix: error.hint().into_iter().map(str::to_owned).collect(),
            ..Check::new(check, State::Error, text, &[])
        }
    }

    fn of_finding(finding: Finding, environment: Environment) -> Check {
        // What a start mends by itself in development is nothing to worry about there.
        let follows = finding.code == Code::Publication && environment == Environment::Development;
        let state = match finding.severity {
            Severity::Error if !follows => State::Error,
            _ => State::Warning,
        };
        Check {
            check: group(finding.code),
            state,
            text: finding.sentence,
            code: Some(finding.code.to_string()),
            fix: match follows {
                true => vec!["-- the next start of `blazelink dev` does it".to_owned()],
                false => finding.remedy,
            },
            slot: None,
        }
    }
}

/// Under which name the findings of a code are told.
fn group(code: Code) -> &'static str {
    match code {
        Code::Publication => "publication",
        Code::ReplicaIdentity | Code::TableWithoutKey => "identity",
        Code::SessionSettings | Code::ReadsFromStandby => "settings",
        Code::SchemaMismatch => "tables",
        _ => "server",
    }
}

/// Looks at everything that a start would, and with `production` also at what must not be open.
pub(crate) async fn examine_app(
    tables: TableManagerBuilder,
    config: &Config,
    production: bool,
) -> Vec<Check> {
    let mut checks = Vec::new();
    if production {
        checks.extend(of_settings(config));
    }
    let tables = match tables.build() {
        Ok(tables) => tables,
        Err(error) => {
            checks.push(Check::of_error("tables", &error));
            return checks;
        }
    };
    match pools::connect(config).await {
        Ok(pool) => {
            of_database(tables, config, &pool, production, &mut checks).await;
            pools::close(pool, std::time::Duration::ZERO).await;
        }
        Err(error) => checks.push(Check::of_error("database", &error)),
    }
    checks
}

async fn of_database(
    tables: TableManager,
    config: &Config,
    pool: &DatabaseConnection,
    production: bool,
    checks: &mut Vec<Check>,
) {
    match of_clock(pool).await {
        Ok(check) => checks.push(check),
        Err(error) => return checks.push(Check::of_error("database", &error)),
    }
    if production {
        match of_connection(pool, config).await {
            Ok(found) => checks.extend(found),
            Err(error) => checks.push(Check::of_error("database", &error)),
        }
    }
    let tables = match data::verify(tables, pool).await {
        Ok(tables) => tables,
        Err(error) => return checks.push(Check::of_error("tables", &error)),
    };
    let said = tables
        .check_visibility()
        .and_then(|()| tables.check_writes());
    if let Err(error) = said {
        return checks.push(Check::of_error("tables", &error));
    }
    let count = tables.tables().len();
    checks.push(Check::ok(
        "tables",
        format!("{count} as the database has them"),
    ));
    if production {
        checks.extend(summary(&tables).iter().map(of_openness));
    }
    match data::missing_indexes(&tables, pool).await {
        Ok(missing) => checks.extend(missing.iter().map(|index| {
            let text = format!(
                "Pages of {} read more than they show",
                index.relations.join(", ")
            );
            Check::new("indexes", State::Warning, text, &[&index.sql])
        })),
        Err(error) => checks.push(Check::of_error("indexes", &error)),
    }
    let examined = examine(config, pool, &tables.exposure()).await;
    match examined {
        Ok(examined) => of_replication(examined, config, checks).await,
        Err(error) => checks.push(Check::of_error("server", &error)),
    }
}

async fn of_replication(examined: Examined, config: &Config, checks: &mut Vec<Check>) {
    let Examined {
        facts,
        findings,
        plan,
        mut server,
    } = examined;
    let (major, minor) = (facts.server_version / 10_000, facts.server_version % 10_000);
    let good = [
        (
            "server",
            format!("Postgres {major}.{minor}, wal_level {}", facts.wal_level),
        ),
        (
            "publication",
            format!("lists the {} exposed tables", facts.tables.len()),
        ),
        (
            "identity",
            "every exposed table tells its old rows".to_owned(),
        ),
        ("settings", "both connections print values alike".to_owned()),
    ];
    for (group, text) in good {
        let found = findings
            .iter()
            .filter(|found| self::group(found.code) == group);
        let before = checks.len();
        checks.extend(found.map(|found| Check::of_finding(found.clone(), config.environment)));
        if checks.len() == before {
            checks.push(Check::ok(group, text));
        }
    }
    match slots(&mut server).await {
        Ok(slots) => checks.extend(of_slots(&slots, &plan)),
        Err(error) => checks.push(Check::of_error("slots", &error)),
    }
}

/// A slot of Blazelink's.
#[derive(Debug)]
struct FoundSlot {
    name: String,
    database: String,
    /// Whether that is the database that the app works on.
    here: bool,
    active: bool,
    /// Bytes of the log that it holds back.
    held: i64,
}

async fn slots(server: &mut OrdinaryConnection) -> Result<Vec<FoundSlot>> {
    let sql = "SELECT slot_name::text, database::text, \
               (database = current_database())::text, active::text, \
               coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint, 0)::text \
               FROM pg_catalog.pg_replication_slots WHERE slot_name LIKE 'blz\\_%' ORDER BY 1";
    let rows = server.rows(sql).await?.into_iter();
    Ok(rows
        .map(|row| {
            let mut cells = row.into_iter().map(Option::unwrap_or_default);
            let mut cell = || cells.next().unwrap_or_default();
            FoundSlot {
                name: cell(),
                database: cell(),
                here: cell() == "true",
                active: cell() == "true",
                held: cell().parse().unwrap_or(0),
            }
        })
        .collect())
}

fn of_slots(slots: &[FoundSlot], plan: &SlotPlan) -> Vec<Check> {
    let ours = match plan {
        SlotPlan::Durable { name } => Some(name),
        SlotPlan::Temporary { .. } => None,
    };
    let mut checks = Vec::new();
    for slot in slots {
        let (name, held) = (&slot.name, bytes(slot.held));
        let is_ours = ours == Some(name);
        if slot.active || (is_ours && slot.held < HELD) {
            checks.push(Check::ok("slots", format!("`{name}` holds back {held}")));
        } else if is_ours {
            let text = format!("`{name}` is this app's, and holds back {held} until it runs");
            checks.push(Check::new(
                "slots",
                State::Warning,
                text,
                &["start the app"],
            ));
        } else if slot.here || slot.held >= HELD {
            let drop = format!(
                "SELECT pg_drop_replication_slot({}); -- in the database {}, if its app is gone",
                literal(name),
                slot.database
            );
            let text = format!("Nothing reads `{name}`, which holds back {held}");
            checks.push(Check {
                // Those of other databases are not ours to drop.
                slot: slot.here.then(|| [name.clone(), slot.database.clone()]),
                ..Check::new("slots", State::Warning, text, &[&drop])
            });
        }
    }
    if checks.is_empty() {
        checks.push(Check::ok("slots", "none is left over"));
    }
    checks
}

fn bytes(count: i64) -> String {
    match count {
        count if count < 1 << 10 => format!("{count} B"),
        count if count < 1 << 20 => format!("{} kB", count >> 10),
        count => format!("{} MB", count >> 20),
    }
}

async fn first(pool: &DatabaseConnection, sql: &str) -> Result<TextRow> {
    Ok(SeaOrm(pool)
        .rows(sql)
        .await?
        .into_iter()
        .next()
        .unwrap_or_default())
}

async fn of_clock(pool: &DatabaseConnection) -> Result<Check> {
    let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint::text";
    let row = first(pool, sql).await?;
    let theirs = row.into_iter().flatten().next();
    let theirs: i64 = theirs.and_then(|ms| ms.parse().ok()).unwrap_or(0);
    let ours = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let ours = ours.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    });
    let apart = (ours - theirs).abs();
    if apart <= CLOCKS {
        return Ok(Check::ok(
            "clock",
            "this machine's and the database's agree",
        ));
    }
    let text = format!(
        "This machine's and the database's are {} s apart",
        apart / 1000
    );
    Ok(Check::new(
        "clock",
        State::Warning,
        text,
        &["timedatectl set-ntp true"],
    ))
}

/// Who the app is to the database, and what lies between them.
async fn of_connection(pool: &DatabaseConnection, config: &Config) -> Result<Vec<Check>> {
    let sql = "SELECT current_user::text, \
               (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)::text, \
               coalesce((SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_backend_pid()), \
               false)::text, coalesce(inet_client_addr() <<= '127.0.0.0/8' OR \
               inet_client_addr() = '::1', true)::text";
    let mut cells = first(pool, sql)
        .await?
        .into_iter()
        .map(Option::unwrap_or_default);
    let mut cell = || cells.next().unwrap_or_default();
    let (role, superuser, encrypted, local) =
        (cell(), cell() == "true", cell() == "true", cell() == "true");
    let mut checks = vec![match superuser {
        true => Check::new(
            "role",
            State::Error,
            format!("The app is the superuser `{role}`, to whom no rule of the database applies"),
            &["CREATE ROLE app LOGIN REPLICATION PASSWORD '..'; -- and grant it the app's tables"],
        ),
        false => Check::ok("role", format!("`{role}` is no superuser")),
    }];
    checks.push(match &config.read_url {
        Some(_) => Check::ok("role", "computed fields read with a role of their own"),
        None => Check::new(
            "role",
            State::Warning,
            "Computed fields read with the app's own role",
            &["set BLAZELINK_READ_URL, with a role that may only SELECT"],
        ),
    });
    checks.push(match (encrypted, local) {
        (true, _) => Check::ok("tls", "the connection to the database is encrypted"),
        (false, true) => Check::ok("tls", "the database is on this machine"),
        (false, false) => Check::new(
            "tls",
            State::Error,
            "The connection to the database is not encrypted",
            &["add ?sslmode=verify-full to DATABASE_URL"],
        ),
    });
    Ok(checks)
}

/// Whom the debugger answers.
fn of_debugger(debugger: &DebuggerConfig) -> Option<Check> {
    let at = debugger.at.as_ref()?;
    if !at.listen.ip().is_loopback() {
        return Some(Check::new(
            "debugger",
            State::Error,
            "Other machines reach the debugger, and its key crosses the network as it is",
            &["set [debugger] listen = \"127.0.0.1:9000\", and go there through ssh -L"],
        ));
    }
    let may_act = at.role == Some(DebuggerRole::Operator);
    Some(match (debugger.values, may_act) {
        (true, _) => Check::new(
            "debugger",
            State::Warning,
            "Who has the debugger's key sees the values of all rows that change",
            &["set [debugger] values = false"],
        ),
        (false, true) => Check::new(
            "debugger",
            State::Warning,
            "Who has the debugger's key may disconnect sessions, and record",
            &["set [debugger] role = \"reader\""],
        ),
        (false, false) => Check::ok("debugger", format!("for who has its key, at {}", at.listen)),
    })
}

/// What the settings leave open.
fn of_settings(config: &Config) -> Vec<Check> {
    let mut checks = vec![match config.environment {
        Environment::Production => Check::ok("environment", "production"),
        Environment::Development => Check::new(
            "environment",
            State::Error,
            "BLAZELINK_ENV is `development`, in which everybody sees tables of which nothing is said",
            &["unset BLAZELINK_ENV"],
        ),
    }];
    checks.push(match config.limits.statement_timeout.is_zero() {
        true => Check::new(
            "limits",
            State::Error,
            "A statement may take for ever",
            &["set [limits] statement_seconds in Blazelink.toml; 30 is the default"],
        ),
        false => Check::ok("limits", "on"),
    });
    checks.extend(of_debugger(&config.debugger));
    checks.push(match config.hosts.is_empty() {
        true => Check::new(
            "hosts",
            State::Warning,
            "No name of the server is listed: browsers reach it by its address alone",
            &["set BLAZELINK_HOSTS=app.example.com"],
        ),
        false => Check::ok("hosts", config.hosts.join(", ")),
    });
    checks.push(match config.origins.is_empty() {
        true => Check::ok("origins", "only the server's own pages may use it"),
        false => Check::ok("origins", config.origins.join(", ")),
    });
    checks
}

fn of_openness(open: &crate::visibility::Open) -> Check {
    match open.openness {
        Openness::Said => Check::ok("open", open.to_string()),
        Openness::Lent | Openness::Closed => {
            Check::new("open", State::Warning, open.to_string(), &[])
        }
    }
}

/// Drops a slot that nothing reads.
pub(crate) async fn drop_slot(config: &Config, name: &str) -> Result<()> {
    let url = DatabaseUrl::of_replication(config)?;
    let mut server = OrdinaryConnection::connect(&url, "blazelink doctor").await?;
    Slot::remove(&mut server, name).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DebuggerAt;
    use crate::config::DebuggerKey;

    fn slot(name: &str, active: bool, held: i64) -> FoundSlot {
        FoundSlot {
            name: name.into(),
            database: "d".into(),
            here: !name.contains("elsewhere"),
            active,
            held,
        }
    }

    #[test]
    fn only_slots_that_nothing_reads_and_that_are_not_the_apps_are_left_over() {
        let plan = SlotPlan::Durable {
            name: "blz_d_app".into(),
        };
        let found = of_slots(
            &[
                slot("blz_d_app", false, 5),
                slot("blz_d_old", false, 3 << 20),
                slot("blz_d_other", true, HELD),
                slot("blz_elsewhere_a", false, 5),
                slot("blz_elsewhere_b", false, HELD),
            ],
            &plan,
        );
        let states: Vec<State> = found.iter().map(|check| check.state).collect();
        let expected = [State::Ok, State::Warning, State::Ok, State::Warning];
        assert_eq!(states, expected);
        assert_eq!(found[3].slot, None, "of another database");
        assert_eq!(
            found[1].slot,
            Some(["blz_d_old".to_owned(), "d".to_owned()])
        );
        assert!(found[1].text.ends_with("3 MB"), "{}", found[1].text);
        let waiting = of_slots(&[slot("blz_d_app", false, HELD)], &plan);
        assert_eq!(
            (waiting[0].state, &waiting[0].slot),
            (State::Warning, &None)
        );
        assert_eq!(of_slots(&[], &plan)[0].state, State::Ok);
    }

    #[test]
    fn development_and_endless_statements_are_refused_in_production() {
        let mut config = Config::new("app", "postgres://h/d");
        let errors = |config: &Config| {
            let checks = of_settings(config).into_iter();
            let errors = checks.filter(|check| check.state == State::Error);
            errors.map(|check| check.check).collect::<Vec<_>>()
        };
        assert_eq!(errors(&config), [""; 0]);
        config.environment = Environment::Development;
        config.limits.statement_timeout = std::time::Duration::ZERO;
        let reached = DebuggerAt {
            listen: ([0, 0, 0, 0], 9000).into(),
            listener: None,
            key: DebuggerKey::new("0123456789abcdef").expect("it is long enough"),
            role: None,
        };
        assert_eq!(errors(&config), ["environment", "limits"]);
        config.debugger.at = Some(reached);
        assert_eq!(errors(&config), ["environment", "limits", "debugger"]);
    }
}
