//! The durable replication slot: made, found, made anew, dropped.
//!
//! [`Slot::ensure`] is called by the slot's migration and by the running app, at its start and
//! after a loss. Names of slots are shared by all databases of a server.

use blazelink_codes::{Code, Error, ErrorKind, Result};

use crate::PUBLICATION;
use crate::sql::{Execute, first_row, identifier, literal};

/// The output plugin that the slots use; it comes with every Postgres.
const PLUGIN: &str = "pgoutput";

/// Longest name that Postgres accepts.
const NAME_BYTES: usize = 63;

/// What [`Slot::ensure`] found or did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ensured {
    /// The slot was there: nothing committed since its confirmed position is missing from it.
    Kept,
    /// The slot was made: it tells nothing of what was committed before.
    Created,
    /// The slot was unusable and was made anew: what was committed in between is lost to it.
    Recreated {
        /// Why it was unusable, in Postgres' word, such as `wal_removed`.
        reason: String,
    },
}

/// A durable replication slot.
#[derive(Clone, Copy, Debug)]
pub struct Slot;

impl Slot {
    /// Makes sure that a usable logical slot of this name exists. Not inside a transaction that
    /// has written. Waits for transactions that are open when it makes the slot.
    ///
    /// # Errors
    ///
    /// If the publication does not exist (a slot that is older than its publication cannot be
    /// read), if the name is taken by another database or another kind of slot, if an unusable
    /// slot is still held by a process, or if the database refuses.
    pub async fn ensure(db: &mut impl Execute, name: &str) -> Result<Ensured> {
        let Some(found) = Found::look_up(db, name).await? else {
            create(db, name).await?;
            return Ok(Ensured::Created);
        };
        found.check_is_ours(name)?;
        if !found.lost {
            return Ok(Ensured::Kept);
        }
        found.check_is_idle(name)?;
        drop_slot(db, name).await?;
        create(db, name).await?;
        Ok(Ensured::Recreated {
            reason: found.reason,
        })
    }

    /// Drops the slot if it exists.
    ///
    /// # Errors
    ///
    /// If a process reads from it, if it is another database's, or if the database refuses.
    pub async fn remove(db: &mut impl Execute, name: &str) -> Result<()> {
        let Some(found) = Found::look_up(db, name).await? else {
            return Ok(());
        };
        found.check_is_ours(name)?;
        found.check_is_idle(name)?;
        drop_slot(db, name).await
    }
}

/// The name of an app's durable slot: `blz_<database>_<app>` in the characters that Postgres
/// allows, with a hash in place of what does not fit.
pub fn slot_name(database: &str, app: &str) -> String {
    let full = format!("blz_{database}_{app}");
    let name: String = full
        .chars()
        .map(|c| match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9' | '_') => c,
            _ => '_',
        })
        .collect();
    if name.len() <= NAME_BYTES {
        return name;
    }
    let hash = format!("_{:08x}", hash(full.as_bytes()));
    format!("{}{hash}", &name[..NAME_BYTES - hash.len()])
}

/// [`slot_name`] for the database that is connected.
///
/// # Errors
///
/// If the database does not answer.
pub async fn slot_name_here(db: &mut impl Execute, app: &str) -> Result<String> {
    let row = first_row(db, "SELECT current_database()::text").await?;
    let database = row.unwrap_or_default().concat();
    Ok(slot_name(&database, app))
}

/// FNV-1a, which unlike the standard library's hasher gives the same for ever.
fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, &byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// What the server says of a slot.
struct Found {
    plugin: String,
    database: String,
    here: bool,
    temporary: bool,
    lost: bool,
    reason: String,
    /// The process that reads from it; empty for none.
    process: String,
}

impl Found {
    async fn look_up(db: &mut impl Execute, name: &str) -> Result<Option<Found>> {
        // `invalidation_reason` came with version 17: read by name, so that older servers say
        // NULL.
        let row = first_row(
            db,
            &format!(
                "SELECT coalesce(s.plugin, s.slot_type)::text, coalesce(s.database, '')::text, \
                 coalesce(s.database = current_database(), false)::text, s.temporary::text, \
                 (coalesce(s.wal_status, '') = 'lost')::text, \
                 coalesce(to_jsonb(s) ->> 'invalidation_reason', 'wal_removed')::text, \
                 s.active_pid::text \
                 FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = {}",
                literal(name)
            ),
        )
        .await?;
        let Some(row) = row else { return Ok(None) };
        let [plugin, database, here, temporary, lost, reason, process] =
            <[String; 7]>::try_from(row).map_err(|_| {
                Error::new(
                    ErrorKind::Unavailable,
                    Code::DatabaseAnswer,
                    "pg_replication_slots answered oddly",
                )
            })?;
        Ok(Some(Found {
            plugin,
            database,
            here: here == "true",
            temporary: temporary == "true",
            lost: lost == "true",
            reason,
            process,
        }))
    }

    fn check_is_ours(&self, name: &str) -> Result<()> {
        if self.plugin == PLUGIN && self.here && !self.temporary {
            return Ok(());
        }
        let what = if self.plugin != PLUGIN {
            format!("is of the kind `{}`", self.plugin)
        } else if self.temporary {
            "is a temporary one".to_owned()
        } else {
            format!("belongs to the database `{}`", self.database)
        };
        Err(Error::new(
            ErrorKind::Setup,
            Code::SlotLost,
            format!("The replication slot `{name}` {what}"),
        )
        .with_hint("Give the app another name, or drop that slot if nothing needs it"))
    }

    fn check_is_idle(&self, name: &str) -> Result<()> {
        if self.process.is_empty() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Unavailable,
            Code::SlotActive,
            format!(
                "The replication slot `{name}` is being read by server process {}",
                self.process
            ),
        )
        .with_hint(format!(
            "Stop the app that reads from it, or end the process:\n\
             SELECT pg_terminate_backend({});",
            self.process
        )))
    }
}

async fn create(db: &mut impl Execute, name: &str) -> Result<()> {
    let publication = format!(
        "SELECT pubname::text FROM pg_catalog.pg_publication WHERE pubname = {}",
        literal(PUBLICATION)
    );
    if first_row(db, &publication).await?.is_none() {
        return Err(Error::new(
            ErrorKind::Setup, Code::Publication,
            format!("The publication `{PUBLICATION}` does not exist, and a slot must not be older"),
        )
        .with_hint(format!(
            "Run the migrations, or: CREATE PUBLICATION {} WITH (publish_via_partition_root = true);",
            identifier(PUBLICATION)
        )));
    }
    let sql = format!(
        "SELECT slot_name::text FROM pg_catalog.pg_create_logical_replication_slot({}, '{PLUGIN}')",
        literal(name)
    );
    match db.rows(&sql).await {
        Ok(_) => Ok(()),
        // Another process may have been faster.
        Err(error) => match Found::look_up(db, name).await {
            Ok(Some(found)) => found.check_is_ours(name),
            _ => Err(error),
        },
    }
}

async fn drop_slot(db: &mut impl Execute, name: &str) -> Result<()> {
    let sql = format!(
        "SELECT pg_catalog.pg_drop_replication_slot({})::text",
        literal(name)
    );
    db.rows(&sql).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slot_names_hold_only_what_postgres_allows() {
        assert_eq!(slot_name("Game-Db", "my game"), "blz_game_db_my_game");
        assert_eq!(slot_name("é", "x"), "blz___x");
    }

    #[test]
    fn long_slot_names_stay_apart() {
        let one = slot_name(&"d".repeat(60), "one");
        let two = slot_name(&"d".repeat(60), "two");
        assert_eq!((one.len(), two.len()), (63, 63));
        assert_ne!(one, two);
    }
}
