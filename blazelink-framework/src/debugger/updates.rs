//! Transactions as whoever looks is told of them: in a line, and with everything that became of them.
//! Pure.

use std::collections::BTreeMap;
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};

use super::filter::{OUTCOMES, Outcome};
use super::names::{key_of, name_of};
use super::record::Moment;
use super::report::{
    CauseReport, ChangeReport, ColumnChange, DeliveryReport, FunnelReport, Hop, NoticeReport, Path,
    TableReport, Update, WriterReport,
};
use super::trace::{Reached, Trace};
use super::why::span;
use crate::change::{Cell, Change, ChangeKind, Old, Row, Transaction};
use crate::exposure::{ExposedTable, Exposure};
use crate::object_id::{ObjectId, TableId};
use crate::session::{Pushed, UpdateKind};

/// Rows of a transaction that are told.
const CHANGES: usize = 100;

/// Deliveries of a transaction that are told.
const DELIVERIES: usize = 50;

/// Of what sessions were told, at most.
const NOTICES: usize = 200;

/// Columns of the histogram, and the first one's bound in microseconds.
const BUCKETS: usize = 18;
const FIRST_BUCKET: u32 = 64;

/// How values of rows are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    /// Not at all.
    Masked,
    /// As they are.
    Shown,
}

/// A moment of a server's clock.
pub(crate) fn moment(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A transaction in a line. `began` is when moments began.
pub(crate) fn update(trace: &Trace, began: SystemTime, exposure: &Exposure) -> Update {
    let transaction = &trace.commit.transaction;
    let funnel = trace.funnel();
    let flags = OUTCOMES.iter().filter(|(_, outcome)| {
        !matches!(outcome, Outcome::Confirmed | Outcome::Nobody) && trace.has(*outcome)
    });
    Update {
        number: trace.number,
        lsn: transaction.commit_lsn.to_string(),
        xid: transaction.xid,
        committed_at: moment(transaction.committed_at),
        told_at_ms: trace.commit.times.told.unix_ms(began),
        cause: transaction.cause.as_deref().map(|cause| CauseReport {
            operation: cause.operation.to_string(),
            session: cause.session.as_deref().map(ToOwned::to_owned),
            request: cause.request.to_string(),
            verified: cause.verified,
        }),
        writer: trace.writer.as_ref().map(|writer| WriterReport {
            role: writer.role.to_string(),
            application: writer.application.to_string(),
        }),
        tables: tables(transaction, exposure),
        funnel: FunnelReport {
            changed: funnel.changed as u64,
            candidates: funnel.candidates as u64,
            denied: funnel.denied as u64,
            told: funnel.told as u64,
            others: funnel.others as u64,
            merged: funnel.changed_in_outbox as u64,
            sent: funnel.sent as u64,
            confirmed: funnel.confirmed as u64,
        },
        slowest_us: trace.slowest().map(u64::from),
        flags: flags.map(|(word, _)| (*word).to_owned()).collect(),
        pinned: trace.pinned,
    }
}

fn tables(transaction: &Transaction, exposure: &Exposure) -> Vec<TableReport> {
    let mut tables: BTreeMap<TableId, TableReport> = BTreeMap::new();
    for change in &transaction.changes {
        let report = tables.entry(change.table).or_default();
        match change.kind {
            ChangeKind::Insert => report.inserts += 1,
            ChangeKind::Update => report.updates += 1,
            ChangeKind::Delete => report.deletes += 1,
        }
    }
    for &table in &transaction.whole {
        tables.entry(table).or_default().whole = true;
    }
    let named = tables.into_iter().map(|(id, report)| TableReport {
        table: exposure.table(id).table.clone(),
        ..report
    });
    named.collect()
}

/// A transaction and everything that became of it. `lag` is what its commit's clock and ours say of
/// the time until it was read.
pub(crate) fn path(
    trace: &Trace,
    began: SystemTime,
    lag: Option<u64>,
    exposure: &Exposure,
    values: Values,
) -> Path {
    let transaction = &trace.commit.transaction;
    let changes = transaction.changes.iter().take(CHANGES);
    Path {
        update: update(trace, began, exposure),
        way: way(trace, lag),
        changes: changes.map(|it| change(it, exposure, values)).collect(),
        notices: notices(trace, exposure),
        histogram: histogram(trace),
        deliveries: deliveries(trace, exposure),
    }
}

fn way(trace: &Trace, lag: Option<u64>) -> Vec<Hop> {
    let (times, funnel) = (trace.commit.times, trace.funnel());
    let lag = lag.unwrap_or(0);
    let at = |moment: Moment| Some(lag + moment.since(times.decoded));
    let hop = |place: &str, at_us, sentence: String| Hop {
        place: place.to_owned(),
        at_us,
        sentence,
    };
    let told = lag + times.told.since(times.decoded);
    let median = |reached: fn(Reached) -> Option<u32>| {
        let mut all: Vec<u32> = trace
            .deliveries()
            .filter_map(|(_, it)| reached(it))
            .collect();
        all.sort_unstable();
        let middle = all.get(all.len() / 2).copied();
        middle.map(|after| told + u64::from(after))
    };
    let rows = match funnel.whole {
        0 => counted(funnel.changed, "row"),
        whole => format!(
            "{} and {}",
            counted(funnel.changed, "row"),
            counted(whole, "whole table")
        ),
    };
    let denied = match funnel.denied {
        0 => String::new(),
        times => format!("; {} nothing of it may be seen", counted(times, "time")),
    };
    let mut way = vec![
        hop("Postgres", Some(0), format!("committed {rows}")),
        hop("Decoder", at(times.decoded), "read from the log".to_owned()),
        hop(
            "Gate",
            at(times.visible.max(times.decoded)),
            "a new snapshot sees it, and its turn has come".to_owned(),
        ),
        hop(
            "Matcher",
            at(times.matched),
            format!("concerns {}{denied}", counted(funnel.told, "session")),
        ),
        hop(
            "Outbox",
            Some(told),
            match funnel.changed_in_outbox {
                0 => "told to all of them".to_owned(),
                merged => format!("told to all of them; merged or reset in {merged}"),
            },
        ),
    ];
    if funnel.told > 0 {
        let of = |count| format!("{} of {}", grouped(count), counted(funnel.told, "session"));
        way.push(hop(
            "Socket",
            median(Reached::sent),
            format!("written to {}", of(funnel.sent)),
        ));
        way.push(hop(
            "Client",
            median(Reached::confirmed),
            format!("handled by {}", of(funnel.confirmed)),
        ));
    }
    way
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{} {what}s", grouped(count)),
    }
}

/// A number with a comma at every thousand.
fn grouped(count: usize) -> String {
    let (rest, last) = (count / 1_000, count % 1_000);
    match rest {
        0 => last.to_string(),
        _ => format!("{},{last:03}", grouped(rest)),
    }
}

/// One row that changed.
fn change(change: &Change, exposure: &Exposure, values: Values) -> ChangeReport {
    let table = exposure.table(change.table);
    let before = match &change.old {
        Old::Full(row) => Some(row),
        Old::None | Old::Key(_) => None,
    };
    let kind = match change.kind {
        ChangeKind::Insert => "insert",
        ChangeKind::Update => "update",
        ChangeKind::Delete => "delete",
    };
    let object = ObjectId::row(change.table, change.key.clone());
    ChangeReport {
        object: name_of(exposure, &object),
        kind: kind.to_owned(),
        moved_from: change.moved.as_ref().map(key_of),
        columns: columns(table, before, change.new.as_ref(), values),
        before_is_known: before.is_some() || change.kind == ChangeKind::Insert,
    }
}

/// The columns that differ; all of them where one of the images is not known.
pub(crate) fn columns(
    table: &ExposedTable,
    before: Option<&Row>,
    after: Option<&Row>,
    values: Values,
) -> Vec<ColumnChange> {
    let columns = table.columns.iter().enumerate();
    let differs = |at: usize| match (before, after) {
        (Some(before), Some(after)) => {
            let now = after.cell(at);
            now != Cell::Unchanged && now != before.cell(at)
        }
        _ => true,
    };
    let differing = columns.filter(|(at, _)| differs(*at));
    let report = differing.map(|(at, column)| {
        let text = |row: Option<&Row>| row.and_then(|row| row.text(at)).map(ToOwned::to_owned);
        // A key is no secret: it is what names the row.
        let shown = values == Values::Shown || table.key.contains(&at);
        let (before, after) = (text(before), text(after));
        ColumnChange {
            column: column.name.clone(),
            masked: !shown && (before.is_some() || after.is_some()),
            before: before.filter(|_| shown),
            after: after.filter(|_| shown),
        }
    });
    report.collect()
}

fn notices(trace: &Trace, exposure: &Exposure) -> Vec<NoticeReport> {
    let mut sessions = vec![0_u64; trace.commit.notices.len()];
    for &at in &trace.commit.told {
        sessions[at as usize] += 1;
    }
    let notices = trace.commit.notices.iter().zip(sessions).take(NOTICES);
    let report = notices.map(|(notice, sessions)| NoticeReport {
        object: name_of(exposure, &notice.object),
        kind: match (notice.change, notice.kind) {
            (None, _) => "again",
            (_, UpdateKind::Create) => "create",
            (_, UpdateKind::Update) => "update",
            (_, UpdateKind::Delete) => "delete",
        }
        .to_owned(),
        sessions,
    });
    report.collect()
}

fn histogram(trace: &Trace) -> Vec<u64> {
    let mut buckets = vec![0; BUCKETS];
    for (_, reached) in trace.deliveries() {
        if let Some(after) = reached.confirmed() {
            let bucket = (after / FIRST_BUCKET + 1).ilog2() as usize;
            buckets[bucket.min(BUCKETS - 1)] += 1;
        }
    }
    buckets
}

fn deliveries(trace: &Trace, exposure: &Exposure) -> Vec<DeliveryReport> {
    let mut all: Vec<_> = trace.deliveries().collect();
    let slowness = |reached: &Reached| {
        let never = u32::MAX;
        (
            reached.confirmed().unwrap_or(never),
            reached.sent().unwrap_or(never),
        )
    };
    all.sort_by_key(|(_, reached)| std::cmp::Reverse(slowness(reached)));
    all.truncate(DELIVERIES);
    let report = all.into_iter().map(|(delivery, reached)| DeliveryReport {
        session: delivery.session.to_string(),
        objects: trace
            .commit
            .noticed(delivery)
            .map(|noticed| name_of(exposure, &noticed.object))
            .collect(),
        state: match (delivery.pushed, reached.sent(), reached.confirmed()) {
            (Pushed::Owed | Pushed::Emptied, ..) => "reset",
            (_, _, Some(_)) => "confirmed",
            (_, Some(_), None) => "sent",
            _ => "waiting",
        }
        .to_owned(),
        sent_us: reached.sent().map(u64::from),
        confirmed_us: reached.confirmed().map(u64::from),
    });
    report.collect()
}

/// A transaction in a sentence, for evidence.
pub(crate) fn in_words(trace: &Trace, now: Moment) -> String {
    let transaction = &trace.commit.transaction;
    let cause = match transaction.cause.as_deref() {
        Some(cause) => format!(", made by {}", cause.operation),
        None => String::new(),
    };
    let ago = span(now.since(trace.commit.times.told));
    format!(
        "Commit {} was told {ago} ago{cause}",
        transaction.commit_lsn
    )
}
