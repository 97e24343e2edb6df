//! What Postgres says of the app's slot and its tables, for whoever looks.
//!
//! Asked of the catalogs, by the app's runtime and not the debugger's: what a connection is bound to
//! must outlive it. What must stay true: one question at a time, however many look, and none of it
//! reads a table of the app.

use std::time::{Duration, SystemTime};

use blazelink_migrations::{Execute, PUBLICATION, SeaOrm, TextRow, literal};
use sea_orm::DatabaseConnection;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::report::{PublishedReport, ReplicationReport, SettingReport, SlotReport};
use super::writers::{Backend, Writer};
use crate::exposure::Exposure;
use crate::pools::APPLICATION;

/// How long an answer is good for.
const FRESH: Duration = Duration::from_secs(1);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(3);

const WRITTEN: &str = "SELECT pg_catalog.current_setting('server_version'), \
     (CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() \
           ELSE pg_catalog.pg_current_wal_lsn() END)::text";

const SLOTS: &str = "SELECT slot_name::text, active::text, temporary::text, \
     confirmed_flush_lsn::text, \
     coalesce(pg_catalog.pg_wal_lsn_diff(CASE WHEN pg_catalog.pg_is_in_recovery() \
         THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END, \
         restart_lsn)::bigint, 0)::text, safe_wal_size::text, wal_status \
     FROM pg_catalog.pg_replication_slots \
     WHERE database = pg_catalog.current_database() ORDER BY 1 LIMIT 50";

const SETTINGS: &str = "SELECT name, pg_catalog.current_setting(name) FROM pg_catalog.pg_settings \
     WHERE name IN ('wal_level', 'max_replication_slots', 'max_wal_senders', \
     'max_slot_wal_keep_size', 'wal_sender_timeout', 'logical_decoding_work_mem') ORDER BY 1";

/// Other roles' are told to members of pg_read_all_stats only: there are none of them then.
const BACKENDS: &str = "SELECT usename::text, coalesce(application_name, ''), \
     (extract(epoch FROM query_start) * 1000000)::bigint::text, \
     CASE WHEN state = 'active' THEN NULL \
       ELSE (extract(epoch FROM state_change) * 1000000)::bigint::text END \
     FROM pg_catalog.pg_stat_activity \
     WHERE datname = pg_catalog.current_database() AND backend_type = 'client backend' \
       AND pid <> pg_catalog.pg_backend_pid() AND query_start IS NOT NULL";

/// What was asked last, and when.
#[derive(Debug)]
pub(crate) struct Postgres {
    database: DatabaseConnection,
    runtime: Handle,
    last: Mutex<Option<(Instant, Said)>>,
}

/// What Postgres says.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) server: String,
    pub(crate) written: String,
    pub(crate) slots: Vec<SlotReport>,
    pub(crate) tables: Vec<PublishedReport>,
    pub(crate) settings: Vec<SettingReport>,
}

impl Postgres {
    /// Asked over this pool, by this runtime.
    pub(crate) fn new(database: DatabaseConnection, runtime: Handle) -> Postgres {
        Postgres {
            database,
            runtime,
            last: Mutex::new(None),
        }
    }

    /// The connections to the database of which it says what they do, without those by which the app of
    /// this name follows the log: they write nothing. None if it does not answer.
    pub(crate) async fn backends(&self, app: &str) -> Vec<Backend> {
        let database = self.database.clone();
        let followers = literal(&format!("blazelink {app}"));
        let sql = format!("{BACKENDS} AND application_name <> {followers}");
        let asking = async move {
            let mut database = SeaOrm(&database);
            database.rows(&sql).await
        };
        let asking = self.runtime.spawn(tokio::time::timeout(PATIENCE, asking));
        let Ok(Ok(Ok(rows))) = asking.await else {
            return Vec::new();
        };
        rows.into_iter().filter_map(backend).collect()
    }

    /// What it says, at most a second ago.
    ///
    /// # Errors
    ///
    /// Why it does not answer, in a sentence.
    pub(crate) async fn say(&self, exposure: &Exposure) -> Result<Said, String> {
        let mut last = self.last.lock().await;
        if let Some((at, said)) = &*last
            && at.elapsed() < FRESH
        {
            return Ok(said.clone());
        }
        let asking = ask(self.database.clone(), of_tables(exposure));
        let asking = self.runtime.spawn(tokio::time::timeout(PATIENCE, asking));
        let said = match asking.await {
            Ok(Ok(answer)) => answer.map_err(|error| error.sentence().to_owned())?,
            Ok(Err(_)) => {
                return Err(format!(
                    "Postgres has not answered for {} s",
                    PATIENCE.as_secs()
                ));
            }
            Err(_) => return Err("The app stops".to_owned()),
        };
        *last = Some((Instant::now(), said.clone()));
        Ok(said)
    }
}

fn backend(row: TextRow) -> Option<Backend> {
    let moment = |text: &str| {
        let micros = text.parse().ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_micros(micros))
    };
    let ended = row.get(3)?.as_deref();
    Some(Backend {
        writer: Writer {
            role: row.first()?.as_deref()?.into(),
            application: row.get(1)?.as_deref()?.into(),
        },
        ours: row.get(1)?.as_deref() == Some(APPLICATION),
        began: moment(row.get(2)?.as_deref()?)?,
        ended: match ended {
            Some(text) => Some(moment(text)?),
            None => None,
        },
    })
}

fn of_tables(exposure: &Exposure) -> String {
    let tables = exposure.tables().iter();
    let names = tables.map(|it| format!("({}, {})", literal(&it.schema), literal(&it.table)));
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        return "SELECT '', '', '' WHERE false".to_owned();
    }
    format!(
        "SELECT n.nspname || '.' || c.relname, \
           CASE c.relreplident WHEN 'd' THEN 'key' WHEN 'f' THEN 'full' WHEN 'i' THEN 'index' \
             ELSE 'nothing' END, \
           (EXISTS (SELECT FROM pg_catalog.pg_publication_tables p WHERE p.pubname = {} \
             AND p.schemaname = n.nspname AND p.tablename = c.relname))::text \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE (n.nspname, c.relname) IN ({}) ORDER BY 1",
        literal(PUBLICATION),
        names.join(", ")
    )
}

async fn ask(database: DatabaseConnection, tables: String) -> blazelink_codes::Result<Said> {
    let mut database = SeaOrm(&database);
    let mut written = database
        .rows(WRITTEN)
        .await?
        .into_iter()
        .flatten()
        .map(Option::unwrap_or_default);
    let slots = database.rows(SLOTS).await?;
    let tables = database.rows(&tables).await?;
    let settings = database.rows(SETTINGS).await?;
    Ok(Said {
        server: written.next().unwrap_or_default(),
        written: written.next().unwrap_or_default(),
        slots: slots.into_iter().map(slot).collect(),
        tables: tables.into_iter().map(published).collect(),
        settings: settings.into_iter().map(setting).collect(),
    })
}

fn slot(row: TextRow) -> SlotReport {
    let mut cells = row.into_iter();
    let mut cell = || cells.next().flatten();
    SlotReport {
        name: cell().unwrap_or_default(),
        active: cell().as_deref() == Some("true"),
        temporary: cell().as_deref() == Some("true"),
        confirmed: cell(),
        held: cell().and_then(|held| held.parse().ok()).unwrap_or(0),
        left: cell().and_then(|left| left.parse().ok()),
        state: cell(),
    }
}

fn published(row: TextRow) -> PublishedReport {
    let mut cells = row.into_iter().map(Option::unwrap_or_default);
    let mut cell = || cells.next().unwrap_or_default();
    PublishedReport {
        name: cell(),
        identity: cell(),
        published: cell() == "true",
    }
}

fn setting(row: TextRow) -> SettingReport {
    let mut cells = row.into_iter().map(Option::unwrap_or_default);
    let mut cell = || cells.next().unwrap_or_default();
    SettingReport {
        name: cell(),
        value: cell(),
    }
}

impl ReplicationReport {
    /// What is told of it; `handed_on` is how far the app is.
    pub(crate) fn of(
        said: Said,
        health: String,
        handed_on: crate::change::Lsn,
    ) -> ReplicationReport {
        let written = said.written.parse().unwrap_or(handed_on);
        ReplicationReport {
            health,
            server: said.server,
            written: said.written,
            handed_on: handed_on.to_string(),
            behind: written.0.saturating_sub(handed_on.0),
            slots: said.slots,
            tables: said.tables,
            settings: said.settings,
        }
    }
}
