//! The slot that this process reads: opened on the connection that will stream from it.

use blazelink_migrations::{Ensured, Execute, Slot, literal, slot_name, slot_name_here};
use rand::{Rng, RngExt};

use super::connection::ReplicationConnection;
use super::queue::Reset;
use crate::change::Lsn;
use crate::config::{Config, SlotMode};
use crate::error::Result;

/// Which slot a process reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlotPlan {
    /// The one of this name, which outlives the process; see [`blazelink_migrations::Slot`].
    Durable {
        /// See [`blazelink_migrations::slot_name`].
        name: String,
    },
    /// A new one per connection, which ends with it.
    Temporary {
        /// Part of its name.
        app: String,
    },
}

impl SlotPlan {
    /// The slot that an app with these settings reads on this server.
    ///
    /// # Errors
    ///
    /// If the server does not answer.
    pub(crate) async fn of(config: &Config, server: &mut impl Execute) -> Result<SlotPlan> {
        Ok(match config.slot {
            SlotMode::Temporary => SlotPlan::Temporary {
                app: config.app.clone(),
            },
            SlotMode::Durable => SlotPlan::Durable {
                name: slot_name_here(server, &config.app).await?,
            },
        })
    }
}

/// A slot that is ready to stream.
#[derive(Debug)]
pub(super) struct OpenSlot {
    pub(super) name: String,
    /// Why everyone has to start over: the slot does not tell of everything that was committed
    /// since the one before it.
    pub(super) reset: Option<Reset>,
    /// From where it tells what is committed; 0 for a temporary one, which nobody else moves.
    pub(super) position: Lsn,
}

/// Finds or makes the slot. Making one waits for transactions that are open.
///
/// `known` is the position up to which this process misses nothing, from before its first look or
/// from what it has confirmed since. A slot that was there and is beyond it was moved by something
/// else, even if this process never saw that happen.
///
/// # Errors
///
/// If the server refuses, or if another process holds a slot that has to be made anew.
pub(super) async fn open(
    plan: &SlotPlan,
    connection: &mut ReplicationConnection,
    known: &mut Option<Lsn>,
    rng: &mut impl Rng,
) -> Result<OpenSlot> {
    match plan {
        SlotPlan::Durable { name } => {
            let known = match *known {
                Some(known) => known,
                None => *known.insert(position(connection, name).await?),
            };
            let ensured = Slot::ensure(connection, name).await?;
            let position = position(connection, name).await?;
            Ok(OpenSlot {
                name: name.clone(),
                position,
                reset: match ensured {
                    Ensured::Kept if position > known => Some(Reset::SlotMoved),
                    Ensured::Kept => None,
                    Ensured::Created => Some(Reset::NewSlot),
                    Ensured::Recreated { reason } => Some(Reset::SlotLost { reason }),
                },
            })
        }
        SlotPlan::Temporary { app } => {
            let name = temporary_name(app, rng.random());
            connection.create_temporary_slot(&name).await?;
            Ok(OpenSlot {
                name,
                reset: Some(Reset::NewSlot),
                position: Lsn(0),
            })
        }
    }
}

/// The slot's confirmed position; 0 if it does not exist or is being made.
async fn position(connection: &mut ReplicationConnection, name: &str) -> Result<Lsn> {
    let sql = format!(
        "SELECT confirmed_flush_lsn::text FROM pg_catalog.pg_replication_slots \
         WHERE slot_name = {}",
        literal(name)
    );
    let text = connection.query_text(&sql).await?;
    Ok(text.parse().unwrap_or_default())
}

/// Gives up what the slot still holds: it can never be read to its end.
///
/// # Errors
///
/// If another process holds it, or the server refuses.
pub(super) async fn discard(plan: &SlotPlan, connection: &mut ReplicationConnection) -> Result<()> {
    match plan {
        SlotPlan::Durable { name } => Slot::remove(connection, name).await,
        SlotPlan::Temporary { .. } => Ok(()),
    }
}

/// `blz_<app>_<8 hex>`: unlike a durable slot's name, it says nothing of the database.
fn temporary_name(app: &str, random: u32) -> String {
    slot_name(app, &format!("{random:08x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_names_are_of_the_app_and_of_chance() {
        assert_eq!(temporary_name("My App", 0xBEEF), "blz_my_app_0000beef");
        assert_eq!(temporary_name(&"x".repeat(80), 1).len(), 63);
    }
}
