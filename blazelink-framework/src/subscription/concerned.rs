//! Whom a transaction may concern, before anybody is asked who sees what: what is to be judged while
//! the index is not locked. Pure.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashSet;

use super::event::{events, points_met, points_of_table};
use super::index::SubscriptionIndex;
use super::pool::NONE;
use crate::change::Transaction;
use crate::exposure::Exposure;
use crate::object_id::TableId;

/// Whom a transaction may concern by what it did to one table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Concern {
    /// The sessions, ascending.
    pub(super) sessions: Vec<u32>,
    /// Positions of the changes, ascending.
    pub(super) changes: Vec<u32>,
}

impl SubscriptionIndex {
    /// Whom a transaction may concern, of each of these tables that it touches, and of each of
    /// `anew` whatever it touches. To be judged before [`SubscriptionIndex::affected_as`] is called:
    /// who watches more by then reads what the transaction left.
    pub(super) fn concerned(
        &self,
        transaction: &Transaction,
        exposure: &Exposure,
        guards: impl Fn(TableId) -> bool,
        anew: &BTreeSet<TableId>,
    ) -> BTreeMap<TableId, Concern> {
        let points = &self.graph.points;
        let mut met: BTreeMap<TableId, (HashSet<u32>, Vec<u32>)> = BTreeMap::new();
        let mut at_event = Vec::new();
        for (at, change) in (0..).zip(&transaction.changes) {
            if !guards(change.table) {
                continue;
            }
            let table = exposure.table(change.table);
            at_event.clear();
            for event in events(at, change).into_iter().flatten() {
                points_met(points, table, &event, &mut at_event);
            }
            if !at_event.is_empty() {
                let (points, changes) = met.entry(table.id).or_default();
                points.extend(&at_event);
                changes.push(at);
            }
        }
        let whole = transaction.whole.iter().copied();
        for table in whole
            .filter(|&table| guards(table))
            .chain(anew.iter().copied())
        {
            let (met, _) = met.entry(table).or_default();
            met.extend(points_of_table(points, table));
        }
        let concerns = met.into_iter().map(|(table, (points, changes))| {
            let mut sessions: Vec<u32> = Vec::new();
            for at in points {
                let mut next = self.graph.points[at].first;
                while next != NONE {
                    sessions.push(self.graph.links[next].session);
                    next = self.graph.next_of_point(next);
                }
            }
            sessions.sort_unstable();
            sessions.dedup();
            (table, Concern { sessions, changes })
        });
        concerns
            .filter(|(_, concern)| !concern.sessions.is_empty())
            .collect()
    }
}
