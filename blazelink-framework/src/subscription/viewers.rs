//! `Viewers`: what the viewers of sessions may see of one transaction. The judge of a publish, and
//! what it makes of notices that not everybody is told alike.
//!
//! Each session's viewer is looked at once per transaction, so that all of a commit is judged by
//! one answer of the app. Viewers who see alike are one class: an event is judged once for each
//! class, and encoded once for all who are told of it alike.

use std::sync::Arc;

use hashbrown::HashMap;

use super::index::{Event, EventName, Notice};
use super::judge::Judge;
use crate::exposure::Exposure;
use crate::monitor::UpdateId;
use crate::object_id::TableId;
use crate::session::{ConnectionManager, Update, UpdateKind};
use crate::table::TableManager;
use crate::viewer::Viewer;
use crate::visibility::{Sight, Told};

/// What sessions may hear of one transaction.
pub(super) struct Viewers<'a> {
    tables: &'a TableManager,
    connections: &'a ConnectionManager,
    /// By session and table.
    classes: HashMap<(u32, TableId), Class>,
    /// The class of nobody in particular, by table.
    nobody: HashMap<TableId, Class>,
    by_sight: HashMap<Arc<Sight>, u32>,
    sights: Vec<Arc<Sight>>,
    /// What was found for the event that was asked about last, by the number of the class.
    heard: Vec<Option<bool>>,
    event: Option<EventName>,
}

/// Those who see alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Class {
    /// They see everything of the table.
    Everything,
    /// They have this sight, by its number.
    Sight(u32),
}

impl<'a> Viewers<'a> {
    /// The viewers of these sessions, for a transaction of these tables.
    pub(super) fn new(tables: &'a TableManager, connections: &'a ConnectionManager) -> Self {
        Viewers {
            tables,
            connections,
            classes: HashMap::new(),
            nobody: HashMap::new(),
            by_sight: HashMap::new(),
            sights: Vec::new(),
            heard: Vec::new(),
            event: None,
        }
    }

    /// How a session's viewer sees a table.
    pub(super) fn class(&mut self, session: u32, table: TableId) -> Class {
        if !self.guards(table) {
            return Class::Everything;
        }
        if let Some(class) = self.classes.get(&(session, table)) {
            return *class;
        }
        let viewer = self.connections.viewer(session);
        let known = self.nobody.get(&table).copied();
        let class = match known.filter(|_| viewer.is_anonymous()) {
            Some(class) => class,
            None => self.ask(&viewer, table),
        };
        if viewer.is_anonymous() {
            self.nobody.insert(table, class);
        }
        self.classes.insert((session, table), class);
        class
    }

    /// What a class sees; nothing stands for everything.
    pub(super) fn sight(&self, class: Class) -> Option<&Sight> {
        match class {
            Class::Everything => None,
            Class::Sight(number) => Some(&self.sights[number as usize]),
        }
    }

    fn ask(&mut self, viewer: &Viewer, table: TableId) -> Class {
        let Some(sight) = self.tables.table(table).sight(viewer).map(Arc::new) else {
            return Class::Everything;
        };
        let sights = &mut self.sights;
        let number = self.by_sight.entry(sight).or_insert_with_key(|sight| {
            sights.push(Arc::clone(sight));
            sights.len() as u32 - 1
        });
        Class::Sight(*number)
    }
}

impl Judge for Viewers<'_> {
    fn guards(&self, table: TableId) -> bool {
        self.tables.table(table).is_guarded()
    }

    fn hears(&mut self, session: u32, event: &Event<'_>) -> bool {
        let Class::Sight(number) = self.class(session, event.table) else {
            return true;
        };
        if self.event != Some(event.name()) {
            self.event = Some(event.name());
            self.heard.clear();
        }
        let number = number as usize;
        if self.heard.len() <= number {
            self.heard.resize(number + 1, None);
        }
        let sight = &self.sights[number];
        *self.heard[number].get_or_insert_with(|| {
            let told = sight.told(event.kind, event.before(), event.after());
            told.is_some()
        })
    }

    fn hears_of_table(&mut self, session: u32, table: TableId) -> bool {
        let class = self.class(session, table);
        self.sight(class).is_none_or(|sight| !sight.is_nothing())
    }
}

/// A notice as it is told to those who see it alike.
pub(super) struct Encodings<'a> {
    exposure: &'a Exposure,
    notice: Notice<'a>,
    /// What monitors call the change.
    id: Option<UpdateId>,
    made: Vec<Encoding>,
    /// What each class is told, once it was asked for.
    by_class: HashMap<Class, Option<(UpdateKind, Arc<Update>)>>,
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
            by_class: HashMap::new(),
        }
    }

    /// What is told to a session, if anything is.
    pub(super) fn for_session(
        &mut self,
        session: u32,
        viewers: &mut Viewers<'_>,
    ) -> Option<(UpdateKind, Arc<Update>)> {
        let class = match &self.notice {
            Notice::Row { table, .. } => viewers.class(session, *table),
            Notice::Again(_) => Class::Everything,
        };
        if let Some(told) = self.by_class.get(&class) {
            return told.clone();
        }
        let told = self.for_sight(viewers.sight(class));
        self.by_class.insert(class, told.clone());
        told
    }

    /// What is told to who sees this much of the table; nothing stands for everything.
    fn for_sight(&mut self, sight: Option<&Sight>) -> Option<(UpdateKind, Arc<Update>)> {
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
