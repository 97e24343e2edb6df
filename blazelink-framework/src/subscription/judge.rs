//! `Judge`: who may hear of what, as the index asks while it matches.

use super::index::Event;
use crate::object_id::TableId;

/// Says which sessions may hear of a change. Asked about guarded tables only, so matching costs
/// nothing more where there are none.
pub(super) trait Judge {
    /// Whether there are rules on who sees what of this table.
    fn guards(&self, table: TableId) -> bool;

    /// Whether the session's viewer sees a difference in this event.
    fn hears(&mut self, session: u32, event: &Event<'_>) -> bool;

    /// Whether the session's viewer may see anything of a table that changed as a whole.
    fn hears_of_table(&mut self, session: u32, table: TableId) -> bool;
}

/// All hear of everything.
pub(super) struct Everyone;

impl Judge for Everyone {
    fn guards(&self, _: TableId) -> bool {
        false
    }

    fn hears(&mut self, _: u32, _: &Event<'_>) -> bool {
        true
    }

    fn hears_of_table(&mut self, _: u32, _: TableId) -> bool {
        true
    }
}
