//! `Viewers`: the judge of a publish, which looks up what was found out of the transaction before
//! ([`Verdicts`]), and what it makes of notices that not everybody is told alike.
//!
//! Viewers who see alike are one class: an event is judged once for each class, and encoded once for
//! all who are told of it alike.

use std::collections::BTreeSet;
use std::sync::Arc;

use hashbrown::HashMap;

use super::event::{Event, EventName};
use super::index::Notice;
use super::judge::{Heard, Judge};
use super::judging::{Class, Verdicts};
use crate::exposure::Exposure;
use crate::monitor::UpdateId;
use crate::object_id::TableId;
use crate::session::{Update, UpdateKind};
use crate::table::TableManager;
use crate::visibility::{Told, VisibleRow};

/// What sessions may hear of one transaction.
pub(super) struct Viewers<'a> {
    tables: &'a TableManager,
    verdicts: &'a Verdicts,
    /// What was found for the event that was asked about last, by the number of the class.
    heard: Vec<Option<Heard>>,
    event: Option<EventName>,
    denied: u32,
}

impl<'a> Viewers<'a> {
    pub(super) fn new(tables: &'a TableManager, verdicts: &'a Verdicts) -> Self {
        Viewers {
            tables,
            verdicts,
            heard: Vec::new(),
            event: None,
            denied: 0,
        }
    }

    /// How often a session was not told of a row because its viewer sees no difference.
    pub(super) fn denied(&self) -> u32 {
        self.denied
    }

    /// How a session's viewer sees a table.
    fn class(&self, session: u32, table: TableId) -> Class {
        match self.guards(table) {
            true => self.verdicts.class(session, table),
            false => Class::Everything,
        }
    }
}

impl Judge for Viewers<'_> {
    fn guards(&self, table: TableId) -> bool {
        self.tables.table(table).is_guarded()
    }

    fn hears(&mut self, session: u32, event: &Event<'_>) -> Heard {
        let number = match self.class(session, event.table) {
            Class::Everything => return Heard::Yes,
            Class::Unanswered => return Heard::Unknown,
            Class::Unasked => return Heard::No,
            Class::Sight(number) => number,
        };
        let heard = self.heard_by(number, event);
        self.denied += u32::from(heard == Heard::No);
        heard
    }

    fn hears_of_table(&mut self, session: u32, table: TableId) -> bool {
        match self.class(session, table) {
            Class::Everything | Class::Unanswered => true,
            Class::Unasked => false,
            Class::Sight(number) => !self.verdicts.sight(number).is_nothing(),
        }
    }

    fn seen_anew(&self) -> BTreeSet<TableId> {
        self.verdicts.anew().clone()
    }

    fn sees_anew(&mut self, session: u32, table: TableId) -> bool {
        self.verdicts.sees_anew(self.tables, session, table)
    }
}

impl Viewers<'_> {
    /// Whether a class of viewers sees a difference in this event.
    fn heard_by(&mut self, number: u32, event: &Event<'_>) -> Heard {
        if self.event != Some(event.name()) {
            self.event = Some(event.name());
            self.heard.clear();
            self.heard.resize(self.verdicts.len(), None);
        }
        let verdicts = self.verdicts;
        *self.heard[number as usize].get_or_insert_with(|| {
            let (before, after) = (event.before(), event.after());
            match verdicts.told(number, event.change, event.kind, before, after) {
                Ok(Some(_)) => Heard::Yes,
                Ok(None) => Heard::No,
                Err(_) => Heard::Unknown,
            }
        })
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
        viewers: &Viewers<'_>,
    ) -> Option<(UpdateKind, Arc<Update>)> {
        let class = match &self.notice {
            Notice::Row { table, .. } => viewers.class(session, *table),
            Notice::Again(_) => Class::Everything,
        };
        if let Some(told) = self.by_class.get(&class) {
            return told.clone();
        }
        let told = self.for_class(class, viewers.verdicts);
        self.by_class.insert(class, told.clone());
        told
    }

    /// What is told to those who see the table like this.
    fn for_class(
        &mut self,
        class: Class,
        verdicts: &Verdicts,
    ) -> Option<(UpdateKind, Arc<Update>)> {
        let Notice::Row {
            change,
            kind,
            table,
            key,
            row,
            before,
        } = &self.notice
        else {
            let update = Update::again(self.notice.object()).with_id(self.id);
            return Some((UpdateKind::Update, Arc::new(update)));
        };
        let (told, row) = match class {
            Class::Unanswered | Class::Unasked => return None,
            Class::Everything => {
                let row = VisibleRow::of_open(self.exposure, *table, *row)?;
                (Told::whole(*kind), row)
            }
            Class::Sight(number) => {
                let (before, after) = match kind {
                    UpdateKind::Create => (None, *row),
                    UpdateKind::Update => (*before, *row),
                    UpdateKind::Delete => (*row, None),
                };
                let told = verdicts.told(number, *change, *kind, before, after);
                let told = told.ok().flatten()?;
                (told, verdicts.sight(number).show(told, *row))
            }
        };
        let mut made = self.made.iter();
        let known = made.find(|it| it.told == told && it.hidden == row.hidden());
        if let Some(known) = known {
            return Some((told.kind, Arc::clone(&known.update)));
        }
        let update = Update::row(self.exposure.table(*table), key, row);
        let update = Arc::new(update.with_id(self.id));
        self.made.push(Encoding {
            told,
            hidden: row.hidden().to_vec(),
            update: Arc::clone(&update),
        });
        Some((told.kind, update))
    }
}
