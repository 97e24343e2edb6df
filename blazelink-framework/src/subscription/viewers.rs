//! `Viewers`: what the viewers of sessions may see of one transaction. The judge of a publish, and
//! what it makes of notices that not everybody is told alike.
//!
//! Each session's viewer is looked at once per transaction, so that all of a commit is judged by
//! one answer of the app. What is told alike is encoded once.

use std::sync::Arc;

use hashbrown::HashMap;

use super::index::{Event, Notice};
use super::judge::Judge;
use crate::exposure::Exposure;
use crate::monitor::UpdateId;
use crate::object_id::TableId;
use crate::session::{ConnectionManager, Update, UpdateKind};
use crate::table::TableManager;
use crate::visibility::{Sight, Told};

/// What sessions may hear of one transaction.
pub(super) struct Viewers<'a> {
    tables: &'a TableManager,
    connections: &'a ConnectionManager,
    /// By session and table; nothing stands for seeing everything.
    sights: HashMap<(u32, TableId), Option<Arc<Sight>>>,
}

impl<'a> Viewers<'a> {
    /// The viewers of these sessions, for a transaction of these tables.
    pub(super) fn new(tables: &'a TableManager, connections: &'a ConnectionManager) -> Self {
        Viewers {
            tables,
            connections,
            sights: HashMap::new(),
        }
    }

    /// What a session's viewer sees of a table; nothing stands for everything.
    pub(super) fn sight(&mut self, session: u32, table: TableId) -> Option<Arc<Sight>> {
        let Viewers {
            tables,
            connections,
            sights,
        } = self;
        let table = tables.table(table);
        if !table.is_guarded() {
            return None;
        }
        let sight = sights.entry((session, table.id)).or_insert_with(|| {
            let viewer = connections.viewer(session);
            table.sight(&viewer).map(Arc::new)
        });
        sight.clone()
    }
}

impl Judge for Viewers<'_> {
    fn guards(&self, table: TableId) -> bool {
        self.tables.table(table).is_guarded()
    }

    fn hears(&mut self, session: u32, event: &Event<'_>) -> bool {
        let sight = self.sight(session, event.table);
        sight.is_none_or(|sight| {
            let told = sight.told(event.kind, event.before(), event.after());
            told.is_some()
        })
    }

    fn hears_of_table(&mut self, session: u32, table: TableId) -> bool {
        let sight = self.sight(session, table);
        sight.is_none_or(|sight| !sight.is_nothing())
    }
}

/// A notice as it is told to those who see it alike.
pub(super) struct Encodings<'a> {
    exposure: &'a Exposure,
    notice: Notice<'a>,
    /// What monitors call the change.
    id: Option<UpdateId>,
    made: Vec<Encoding>,
}

struct Encoding {
    told: Told,
    hidden: Vec<usize>,
    update: Arc<Update>,
}

impl<'a> Encodings<'a> {
    pub(super) fn new(exposure: &'a Exposure, notice: Notice<'a>, id: Option<UpdateId>) -> Self {
        Encodings {
            exposure,
            notice,
            id,
            made: Vec::new(),
        }
    }

    /// The table whose row it tells of, if it tells of one.
    pub(super) fn table(&self) -> Option<TableId> {
        match &self.notice {
            Notice::Row { table, .. } => Some(*table),
            Notice::Again(_) => None,
        }
    }

    /// What is told to a viewer who sees this much of the table; nothing stands for everything.
    pub(super) fn for_sight(&mut self, sight: Option<&Sight>) -> Option<(UpdateKind, Arc<Update>)> {
        let (told, hidden) = match (&self.notice, sight) {
            (Notice::Again(_), _) => (Told::whole(UpdateKind::Update), &[][..]),
            (Notice::Row { kind, .. }, None) => (Told::whole(*kind), &[][..]),
            (
                Notice::Row {
                    kind, row, before, ..
                },
                Some(sight),
            ) => {
                let (before, after) = match kind {
                    UpdateKind::Create => (None, *row),
                    UpdateKind::Update => (*before, *row),
                    UpdateKind::Delete => (*row, None),
                };
                (sight.told(*kind, before, after)?, sight.hidden_cells())
            }
        };
        let mut made = self.made.iter();
        let known = made.find(|it| it.told == told && it.hidden == hidden);
        if let Some(known) = known {
            return Some((told.kind, Arc::clone(&known.update)));
        }
        let update = match &self.notice {
            Notice::Again(object) => Update::again(object.clone()),
            Notice::Row {
                table, key, row, ..
            } => {
                let row = row.filter(|_| told.with_row);
                Update::row_without(self.exposure.table(*table), key, row, hidden)
            }
        };
        let update = Arc::new(update.with_id(self.id));
        self.made.push(Encoding {
            told,
            hidden: hidden.to_vec(),
            update: Arc::clone(&update),
        });
        Some((told.kind, update))
    }
}
