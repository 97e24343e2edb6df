//! What happened, in a few numbers: how often what changed or what has made it, whom that was told, and how
//! long it took. Of what is remembered, and of a recording: two of these, of one build and another, are
//! compared by them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use poem_openapi::{Enum, Object};

use super::trace::Trace;
use crate::change::{ChangeKind, Transaction};
use crate::exposure::Exposure;

/// By what transactions are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum By {
    /// Those that changed the same tables in the same ways.
    Change,
    /// Those that say the same of what has made them, or whose writer's application is the same.
    Cause,
}

/// Transactions in numbers.
#[derive(Clone, Debug, Object)]
pub(crate) struct Summary {
    /// Of all together.
    pub(crate) all: KindSummary,
    /// Of those that go together, at most a hundred of these; those that took longest in all first.
    pub(crate) kinds: Vec<KindSummary>,
}

/// Some transactions in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Object)]
pub(crate) struct KindSummary {
    /// What they changed, such as `insert game_event`, or what has made them.
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

/// Sorts of transactions that are told.
const KINDS: usize = 100;

impl Summary {
    /// Of these, with the names that the exposure has for tables.
    pub(crate) fn of<'t>(
        traces: impl Iterator<Item = &'t Trace>,
        by: By,
        exposure: &Exposure,
    ) -> Summary {
        let mut all = Gathered::default();
        let mut kinds: BTreeMap<String, Gathered> = BTreeMap::new();
        for trace in traces {
            all.add(trace);
            let what = match by {
                By::Change => what(&trace.commit.transaction, exposure),
                By::Cause => cause(trace),
            };
            kinds.entry(what).or_default().add(trace);
        }
        let total =
            |gathered: &Gathered| gathered.times.iter().map(|&it| u64::from(it)).sum::<u64>();
        let mut kinds: Vec<(String, Gathered)> = kinds.into_iter().collect();
        kinds.sort_by_key(|(_, gathered)| std::cmp::Reverse(total(gathered)));
        kinds.truncate(KINDS);
        Summary {
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

/// What has made it.
fn cause(trace: &Trace) -> String {
    match (trace.commit.transaction.cause.as_deref(), &trace.writer) {
        (Some(cause), _) => cause.operation.to_string(),
        (None, Some(writer)) if !writer.application.is_empty() => writer.application.to_string(),
        (None, _) => "it does not say".to_owned(),
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::debugger::record::Moment;
    use crate::debugger::testing::commit;
    use crate::debugger::writers::Writer;
    use crate::subscription::testing::manager;

    fn traces() -> Vec<Trace> {
        let mut traces: Vec<Trace> = (1..=4).map(|at| Trace::new(at, commit(1, 2))).collect();
        for (trace, after) in traces.iter_mut().zip([10, 20, 30, 40]) {
            trace.sent(0, Moment(1));
            trace.confirmed(0, Moment(after));
        }
        traces[3].writer = Some(Writer {
            role: "alice".into(),
            application: "psql".into(),
        });
        traces
    }

    #[test]
    fn what_goes_together_is_counted_together_and_timed() {
        let summary = Summary::of(traces().iter(), By::Change, manager().exposure());
        assert_eq!(summary.kinds.len(), 1);
        let [kind] = summary.kinds.try_into().unwrap();
        assert!(kind.what.starts_with("insert "), "{}", kind.what);
        assert_eq!((kind.updates, kind.told, kind.confirmed), (4, 8, 4));
        assert_eq!((kind.p50_us, kind.p99_us), (Some(20), Some(30)));
        let expected = KindSummary {
            what: "everything".to_owned(),
            ..kind
        };
        assert_eq!(summary.all, expected);
    }

    #[test]
    fn what_says_nothing_goes_with_its_writer() {
        let summary = Summary::of(traces().iter(), By::Cause, manager().exposure());
        let kinds = summary.kinds.iter();
        let kinds: Vec<_> = kinds.map(|it| (it.what.as_str(), it.updates)).collect();
        assert_eq!(kinds, [("it does not say", 3), ("psql", 1)]);
    }
}
