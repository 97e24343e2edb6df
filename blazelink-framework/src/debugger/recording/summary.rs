//! What happened in a recording, in a few numbers: how often what changed, whom that was told, and how long
//! it took. Two recordings, of one build and another, are compared by them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use poem_openapi::Object;

use super::file::Recording;
use crate::change::{ChangeKind, Transaction};
use crate::debugger::trace::Trace;
use crate::exposure::Exposure;

/// A recording in numbers.
#[derive(Clone, Debug, Object)]
pub(crate) struct RecordingSummary {
    /// Of all its transactions together.
    pub(crate) all: KindSummary,
    /// Of those that changed the same tables in the same ways; those that took longest in all first.
    pub(crate) kinds: Vec<KindSummary>,
}

/// Some transactions in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Object)]
pub(crate) struct KindSummary {
    /// What they changed, such as `insert game_event`.
    pub(crate) what: String,
    /// How many they are.
    pub(crate) updates: u64,
    /// How often a session was told of one.
    pub(crate) told: u64,
    /// How often a session was not, because its viewer sees no difference.
    pub(crate) denied: u64,
    /// How often an outbox did not take one as it was.
    pub(crate) merged: u64,
    /// How often a client has handled one.
    pub(crate) confirmed: u64,
    /// What half of these took at most, from the telling on.
    pub(crate) p50_us: Option<u64>,
    /// What 99 in a hundred of these took at most.
    pub(crate) p99_us: Option<u64>,
}

/// Numbers while they are gathered, with how long clients took.
#[derive(Default)]
struct Gathered {
    kind: KindSummary,
    times: Vec<u32>,
}

impl RecordingSummary {
    /// Of this recording, with the names that the exposure has for tables.
    pub(crate) fn of(recording: &Recording, exposure: &Exposure) -> RecordingSummary {
        let mut all = Gathered::default();
        let mut kinds: BTreeMap<String, Gathered> = BTreeMap::new();
        for trace in &recording.traces {
            all.add(trace);
            let what = what(&trace.commit.transaction, exposure);
            kinds.entry(what).or_default().add(trace);
        }
        let total =
            |gathered: &Gathered| gathered.times.iter().map(|&it| u64::from(it)).sum::<u64>();
        let mut kinds: Vec<(String, Gathered)> = kinds.into_iter().collect();
        kinds.sort_by_key(|(_, gathered)| std::cmp::Reverse(total(gathered)));
        RecordingSummary {
            all: all.summary("everything".to_owned()),
            kinds: kinds
                .into_iter()
                .map(|(what, gathered)| gathered.summary(what))
                .collect(),
        }
    }
}

impl Gathered {
    fn add(&mut self, trace: &Trace) {
        let funnel = trace.funnel();
        let kind = &mut self.kind;
        kind.updates += 1;
        kind.told += (funnel.told + funnel.others) as u64;
        kind.denied += funnel.denied as u64;
        kind.merged += funnel.changed_in_outbox as u64;
        kind.confirmed += funnel.confirmed as u64;
        let times = trace.deliveries().filter_map(|(_, it)| it.confirmed());
        self.times.extend(times);
    }

    fn summary(mut self, what: String) -> KindSummary {
        self.times.sort_unstable();
        let last = self.times.len().saturating_sub(1);
        let at = |hundredths: usize| {
            let time = self.times.get(last * hundredths / 100);
            time.map(|&micros| u64::from(micros))
        };
        KindSummary {
            what,
            p50_us: at(50),
            p99_us: at(99),
            ..self.kind
        }
    }
}

/// Which tables it changed, and how.
fn what(transaction: &Transaction, exposure: &Exposure) -> String {
    let changes = transaction.changes.iter().map(|change| {
        let how = match change.kind {
            ChangeKind::Insert => "insert",
            ChangeKind::Update => "update",
            ChangeKind::Delete => "delete",
        };
        (how, change.table)
    });
    let whole = transaction.whole.iter().map(|&table| ("all of", table));
    let different: BTreeSet<_> = changes.chain(whole).collect();
    let words = different
        .into_iter()
        .map(|(how, table)| format!("{how} {}", exposure.table(table).table));
    words.collect::<Vec<_>>().join(", ")
}
