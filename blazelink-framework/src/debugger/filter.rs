//! `Filter`: which transactions are looked for, in the one grammar of pages, links and the tool. Pure.
//!
//! Terms, divided by blanks, all of which must hold: `table:game_event`, `row:game_event:17`,
//! `op:insert`, `session:s_0009f2`, `outcome:denied`, `cause:createGame`, `lag>100ms`, `since:5m`.
//! What must stay true: a term that is not understood is an error that names it, never passed over.

use super::names::name_of;
use super::trace::Trace;
use crate::change::ChangeKind;
use crate::exposure::Exposure;
use crate::object_id::ObjectId;
use crate::session::SessionLabel;

/// See the file's head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    Table(String),
    Row(String),
    Op(ChangeKind),
    Session(SessionLabel),
    Outcome(Outcome),
    Cause(String),
    /// Microseconds that the slowest took, more than or less than.
    Lag(bool, u64),
    /// Microseconds since it was told, at most.
    Since(u64),
}

/// What became of a transaction for some of its sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A viewer sees no difference.
    Denied,
    /// An outbox has merged it with others.
    Merged,
    /// An outbox was full.
    Reset,
    /// It took long.
    Slow,
    /// Somebody has not handled it yet.
    Waiting,
    /// Everybody who was told has handled it.
    Confirmed,
    /// Nobody was told.
    Nobody,
}

/// The outcomes by their words.
pub(crate) const OUTCOMES: &[(&str, Outcome)] = &[
    ("denied", Outcome::Denied),
    ("merged", Outcome::Merged),
    ("reset", Outcome::Reset),
    ("slow", Outcome::Slow),
    ("waiting", Outcome::Waiting),
    ("confirmed", Outcome::Confirmed),
    ("nobody", Outcome::Nobody),
];

const OPS: &[(&str, ChangeKind)] = &[
    ("insert", ChangeKind::Insert),
    ("update", ChangeKind::Update),
    ("delete", ChangeKind::Delete),
];

/// A term that is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misread {
    /// The term.
    pub(crate) term: String,
    /// What is wrong with it, as a sentence.
    pub(crate) sentence: String,
}

impl Filter {
    /// The filter that this text is.
    ///
    /// # Errors
    ///
    /// The first term that is not understood.
    pub(crate) fn parse(text: &str) -> Result<Filter, Misread> {
        let terms = text.split_whitespace().map(|term| {
            parse(term).map_err(|sentence| Misread {
                term: term.to_owned(),
                sentence,
            })
        });
        Ok(Filter {
            terms: terms.collect::<Result<_, _>>()?,
        })
    }

    /// Whether this is one of those that are looked for; it was told so many microseconds ago.
    pub(crate) fn admits(&self, trace: &Trace, age: u64, exposure: &Exposure) -> bool {
        let mut terms = self.terms.iter();
        terms.all(|term| admits(term, trace, age, exposure))
    }
}

fn parse(term: &str) -> Result<Term, String> {
    if let Some((key, bound)) = term.split_once(['>', '<']) {
        if key != "lag" {
            return Err(format!(
                "only `lag` has a bound, such as lag>100ms, and `{key}` has none"
            ));
        }
        return Ok(Term::Lag(term.contains('>'), duration(bound)?));
    }
    let Some((key, value)) = term.split_once(':') else {
        return Err("a term is a name, a colon and a value, such as table:game_event".to_owned());
    };
    if value.is_empty() {
        return Err(format!("`{key}:` lacks its value"));
    }
    Ok(match key {
        "table" => Term::Table(value.to_owned()),
        "row" => Term::Row(value.to_owned()),
        "op" => Term::Op(one_of(OPS, value)?),
        "session" => Term::Session(
            value
                .parse()
                .map_err(|_| format!("`{value}` is no session's label, such as s_0009f2"))?,
        ),
        "outcome" => Term::Outcome(one_of(OUTCOMES, value)?),
        "cause" => Term::Cause(value.to_lowercase()),
        "since" => Term::Since(duration(value)?),
        _ => {
            return Err(format!(
                "`{key}` is none of table, row, op, session, outcome, cause, since and lag"
            ));
        }
    })
}

fn one_of<T: Copy>(words: &[(&str, T)], value: &str) -> Result<T, String> {
    let found = words.iter().find(|(word, _)| *word == value);
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        format!("`{value}` is none of {}", words.join(", "))
    })
}

/// Microseconds of `100ms`, `5s`, `2m`, `1h` or `40us`.
fn duration(text: &str) -> Result<u64, String> {
    let end = text.find(|letter: char| !letter.is_ascii_digit());
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let micros = match unit {
        "us" | "µs" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        _ => return Err(format!("`{text}` is no time span, such as 100ms, 5s or 2m")),
    };
    let number: Option<u64> = number.parse().ok();
    let span = number.and_then(|number| number.checked_mul(micros));
    span.ok_or_else(|| format!("`{text}` is no time span, such as 100ms, 5s or 2m"))
}

fn admits(term: &Term, trace: &Trace, age: u64, exposure: &Exposure) -> bool {
    let transaction = &trace.commit.transaction;
    let is_table = |table, name: &str| {
        let exposed = exposure.table(table);
        exposed.table == name || exposed.entity == name
    };
    match term {
        Term::Table(name) => {
            let changed = transaction.changes.iter().map(|change| change.table);
            let mut tables = changed.chain(transaction.whole.iter().copied());
            tables.any(|table| is_table(table, name))
        }
        Term::Row(name) => transaction.changes.iter().any(|change| {
            let object = ObjectId::row(change.table, change.key.clone());
            name_of(exposure, &object) == *name
        }),
        Term::Op(kind) => transaction
            .changes
            .iter()
            .any(|change| change.kind == *kind),
        Term::Session(label) => {
            let mut deliveries = trace.commit.deliveries.iter();
            deliveries.any(|delivery| delivery.session == *label)
        }
        Term::Outcome(outcome) => trace.has(*outcome),
        Term::Cause(part) => {
            transaction
                .cause
                .as_ref()
                .is_some_and(|cause| cause.operation.to_lowercase().contains(part))
                || trace
                    .writer
                    .as_ref()
                    .is_some_and(|it| it.application.to_lowercase().contains(part))
        }
        Term::Lag(more, bound) => trace
            .slowest()
            .is_some_and(|slowest| (u64::from(slowest) > *bound) == *more),
        Term::Since(span) => age <= *span,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::debugger::record::Moment;
    use crate::debugger::testing::commit;
    use crate::subscription::testing::manager;

    fn admits(filter: &str, trace: &Trace, age: u64) -> bool {
        let manager = manager();
        let filter = Filter::parse(filter).unwrap();
        filter.admits(trace, age, manager.exposure())
    }

    #[test]
    fn all_terms_must_hold() {
        let mut trace = Trace::new(1, commit(2, 1));
        let session = trace.commit.deliveries[0].session.to_string();
        for holds in [
            "",
            "table:user",
            "table:User op:insert",
            "row:user:1",
            "outcome:waiting since:5m",
            &format!("session:{session}"),
        ] {
            assert!(admits(holds, &trace, 1_000_000), "{holds}");
        }
        for fails in [
            "table:game",
            "table:user op:delete",
            "row:user:3",
            "since:5s",
            "session:s_1",
            "cause:create",
            "outcome:denied",
            "lag>1ms",
        ] {
            assert!(!admits(fails, &trace, 10_000_000), "{fails}");
        }
        trace.sent(0, Moment(1_000));
        trace.confirmed(0, Moment(2_000));
        assert!(admits("lag>1ms lag<3ms outcome:confirmed", &trace, 0));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (text, part) in [
            ("table:user game", "a name, a colon and a value"),
            ("tabel:user", "none of table, row"),
            ("op:upsert", "none of insert, update, delete"),
            ("lag>fast", "no time span"),
            ("since>5m", "only `lag`"),
            ("table:", "lacks its value"),
            ("session:me", "no session's label"),
        ] {
            let misread = Filter::parse(text).unwrap_err();
            assert!(misread.sentence.contains(part), "{text}: {misread:?}");
            assert!(text.contains(&misread.term));
        }
    }
}
