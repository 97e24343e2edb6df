//! The inspector's answer to why a session did, or did not, hear of a row: found in what was recorded,
//! or else found out again by putting the transaction to what the session watches now.

use std::sync::Arc;

use super::inspector::Inspector;
use super::names::{Named, name_of, named};
use super::picture::Picture;
use super::record::{Delivery, Moment, read};
use super::report::Why;
use super::trace::{Reached, Trace};
use super::updates::{Values, columns, in_words};
use super::why::{Delivered, Verdict, span};
use crate::change::{Change, ChangeKind, Lsn, Old, Transaction};
use crate::object_id::{Key, ObjectId, Scope, TableId};
use crate::replication::Following;
use crate::session::{Pushed, Session, SessionLabel};
use crate::subscription::{Dependency, Role, View};

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) struct Question<'a> {
    /// The session.
    pub(crate) session: SessionLabel,
    /// The row, or the table, as [`named`] reads it.
    pub(crate) object: &'a str,
    /// The commit that it is about; the newest that has changed the row, if none is named.
    pub(crate) at: Option<Lsn>,
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unanswerable {
    /// There is no session of that label.
    NoSession,
    /// What it names is no row, said as a sentence.
    NoObject(String),
}

/// What the picture knows of the transaction that is asked about.
struct Found {
    number: u64,
    transaction: Arc<Transaction>,
    told_at: Moment,
    in_words: String,
    delivered: Option<(Delivered, Vec<String>)>,
    /// Whether it is followed to some sessions only.
    in_part: bool,
}

impl Inspector {
    /// Why a session did, or did not, hear of a row.
    ///
    /// # Errors
    ///
    /// If there is no such session, or if what is named is no row.
    pub(crate) async fn why(&self, question: Question<'_>) -> Result<Why, Unanswerable> {
        let exposure = self.subject.subscriptions.exposure();
        let object = match named(exposure, question.object).map_err(Unanswerable::NoObject)? {
            Named::Row(object) | Named::Table(object) => object,
            Named::Unknown(name) => {
                let evidence = exposure.tables().iter().map(|table| table.table.as_str());
                let evidence: Vec<&str> = evidence.collect();
                let exposed = format!("Exposed are {}", evidence.join(", "));
                return Ok(answer(Verdict::NotPublished { name }, vec![exposed], None));
            }
        };
        let session = self.find(question.session).ok_or(Unanswerable::NoSession)?;
        let found = self.found(&session, &object, question.at);
        let Some(found) = found else {
            return Ok(self.not_found(question.at));
        };
        let mut evidence = vec![found.in_words.clone()];
        let verdict = match &found.delivered {
            Some((delivered, objects)) => {
                evidence.push(format!("The session was told of {}", objects.join(", ")));
                let verdict = Verdict::of_delivery(*delivered);
                match self.too_weak(&session, &object, &found).await {
                    Some(weak) => {
                        evidence.push(verdict.sentence());
                        weak
                    }
                    None => verdict,
                }
            }
            None => {
                self.not_told(&session, &object, &found, &mut evidence)
                    .await
            }
        };
        Ok(answer(verdict, evidence, Some(found.number)))
    }

    /// The transaction that is asked about, as far as it is remembered.
    fn found(&self, session: &Session, object: &ObjectId, at: Option<Lsn>) -> Option<Found> {
        let picture = self.picture();
        let mut traces = picture.traces.newest_first();
        let trace = traces.find(|trace| {
            let here = at.is_none_or(|at| is_at(trace, at));
            here && changes(&trace.commit.transaction, object)
        })?;
        let now = self.now();
        Some(Found {
            number: trace.number,
            transaction: Arc::clone(&trace.commit.transaction),
            told_at: trace.commit.times.told,
            in_part: trace.commit.others > 0,
            in_words: in_words(trace, now),
            delivered: self.delivered(&picture, trace, session, object, now),
        })
    }

    /// What the session was told of the row, or because of it, in this transaction.
    fn delivered(
        &self,
        picture: &Picture,
        trace: &Trace,
        session: &Session,
        object: &ObjectId,
        now: Moment,
    ) -> Option<(Delivered, Vec<String>)> {
        let label = session.label();
        let mut deliveries = trace.deliveries();
        let (delivery, reached) = deliveries.find(|(delivery, _)| delivery.session == label)?;
        let transaction = &trace.commit.transaction;
        let of_row = |change: u32| touches(&transaction.changes[change as usize], object);
        // What is to be read again is so because of any of the changes.
        let objects: Vec<String> = trace
            .commit
            .noticed(delivery)
            .filter(|noticed| noticed.change.is_none_or(of_row))
            .map(|noticed| name_of(self.subject.subscriptions.exposure(), &noticed.object))
            .collect();
        if objects.is_empty() {
            return None;
        }
        let course = picture.course(label);
        let gone = course.filter(|_| !session.is_attached());
        let delivered = Delivered {
            pushed: delivery.pushed,
            reached,
            merged: merged(picture, trace, delivery, reached),
            age: now.since(trace.commit.times.told),
            waiting: session.outbox_waiting(),
            gone: gone.map(|course| now.since(course.since)),
        };
        Some((delivered, objects))
    }

    /// Nothing is remembered of such a transaction.
    fn not_found(&self, at: Option<Lsn>) -> Why {
        if let Some(at) = at
            && let Some(trace) = self
                .picture()
                .traces
                .newest_first()
                .find(|it| is_at(it, at))
        {
            let evidence = vec![in_words(trace, self.now())];
            return answer(Verdict::Untouched, evidence, Some(trace.number));
        }
        let following = self.subject.status.borrow().clone();
        let handed_on = *self.subject.handed_on.borrow();
        let evidence = vec![self.how_far()];
        let verdict = match (following, at) {
            (Following::Down(because), _) => Verdict::NotReached { because },
            (Following::Starting, _) => Verdict::NotReached {
                because: "the slot is still being made".to_owned(),
            },
            (Following::Live, Some(at)) if at > handed_on => Verdict::NotReached {
                because: format!("commits up to {handed_on} were told, and {at} is behind that"),
            },
            (Following::Live, at) => match (self.let_go(&self.picture()), at) {
                (Some(limit), _) => Verdict::NotRecorded { limit },
                (None, Some(at)) => Verdict::NotRecorded {
                    limit: format!(
                        "no commit at {at} has changed the row since the debugger began {} ago",
                        span(self.recorded_for())
                    ),
                },
                (None, None) => Verdict::Unchanged {
                    since: self.recorded_for(),
                },
            },
        };
        answer(verdict, evidence, None)
    }

    /// Whether a session was told only because the log does not say what the row was before.
    async fn too_weak(
        &self,
        session: &Session,
        object: &ObjectId,
        found: &Found,
    ) -> Option<Verdict> {
        let mut known = row_only(&found.transaction, object)?;
        let mut weak = false;
        for change in &mut known.changes {
            if change.kind == ChangeKind::Update && !matches!(change.old, Old::Full(_)) {
                // As if nothing but what is not watched had changed.
                change.old = change.new.clone().map_or(Old::None, Old::Full);
                weak = true;
            }
        }
        let subscriptions = &self.subject.subscriptions;
        let views = weak.then(|| subscriptions.views(session))?;
        let told = subscriptions
            .rehearse(&session.viewer(), views, &Arc::new(known))
            .await
            .told;
        told.is_empty().then(|| Verdict::IdentityTooWeak {
            entity: self.entity(object.table),
        })
    }

    /// Why a session was not told.
    async fn not_told(
        &self,
        session: &Session,
        object: &ObjectId,
        found: &Found,
        evidence: &mut Vec<String>,
    ) -> Verdict {
        let subscriptions = &self.subject.subscriptions;
        let views = subscriptions.views(session);
        let of_table: Vec<(Moment, String)> = self.watches(session, &views, object.table);
        if of_table.is_empty() {
            return Verdict::NotSubscribed { later: None };
        }
        let words: Vec<String> = of_table.iter().map(|(_, words)| words.clone()).collect();
        evidence.push(format!("The session watches {}", words.join("; ")));
        let Some(row) = row_only(&found.transaction, object) else {
            return self.would_be_told(&of_table, found);
        };
        let row = Arc::new(row);
        let viewer = session.viewer();
        let rehearsed = subscriptions.rehearse(&viewer, views, &row).await;
        if !rehearsed.told.is_empty() {
            return self.would_be_told(&of_table, found);
        }
        if rehearsed.denied == 0 {
            return Verdict::Filtered {
                columns: self.columns_of(session, object.table),
                watches: words,
            };
        }
        match self.is_visible(session, &row).await {
            true => Verdict::NothingVisible {
                columns: self.changed(&row),
            },
            false => Verdict::Denied {
                entity: self.entity(object.table),
            },
        }
    }

    /// It would be told now: either it was, and that is not followed, or it began to watch only after the
    /// commit.
    fn would_be_told(&self, watches: &[(Moment, String)], found: &Found) -> Verdict {
        if found.in_part {
            return Verdict::NotRecorded {
                limit: "the commit is not of the sample ([debugger] sample), and followed only to \
                        sessions for which something out of the ordinary came of it"
                    .to_owned(),
            };
        }
        let since = watches.iter().map(|(since, _)| *since).min();
        let since = since.unwrap_or(found.told_at);
        Verdict::NotSubscribed {
            later: Some(since.since(found.told_at)),
        }
    }

    /// What a session watches of a table, in words, and since when.
    fn watches(
        &self,
        session: &Session,
        views: &[(ObjectId, u64, View)],
        table: TableId,
    ) -> Vec<(Moment, String)> {
        let picture = self.picture();
        let course = picture.course(session.label());
        let mut watches: Vec<(Moment, String)> = Vec::new();
        for (object, selection, view) in views {
            let since = course.and_then(|course| course.watched(read(object, *selection)));
            for (_, dependency) in view.iter().filter(|(_, it)| concerns(it, table)) {
                let words = self.subject.tables.in_words(dependency);
                if watches.iter().all(|(_, other)| *other != words) {
                    watches.push((since.unwrap_or_default(), words));
                }
            }
        }
        watches
    }

    /// The columns by whose values a session watches a table.
    fn columns_of(&self, session: &Session, table: TableId) -> Vec<String> {
        let subscriptions = &self.subject.subscriptions;
        let exposed = subscriptions.exposure().table(table);
        let mut names: Vec<String> = Vec::new();
        for (_, _, view) in subscriptions.views(session) {
            for (_, dependency) in view.iter().filter(|(_, it)| concerns(it, table)) {
                let Dependency::Equal {
                    column, residual, ..
                } = dependency
                else {
                    continue;
                };
                let rest = residual.equalities().iter().map(|one| one.column);
                for column in std::iter::once(*column).chain(rest) {
                    let name = exposed.columns.get(column as usize).map(|it| &it.name);
                    names.extend(name.filter(|name| !names.contains(name)).cloned());
                }
            }
        }
        names
    }

    /// Whether the session's viewer sees the row after the commit, or, if it is gone, before it.
    async fn is_visible(&self, session: &Session, row: &Transaction) -> bool {
        let appearing = row.changes.iter().map(|change| {
            let (kind, old, new) = match (&change.new, &change.old) {
                (Some(new), _) => (ChangeKind::Insert, Old::None, Some(new.clone())),
                (None, old) => (ChangeKind::Delete, old.clone(), None),
            };
            Change {
                kind,
                old,
                new,
                moved: None,
                ..change.clone()
            }
        });
        let changes: Vec<Change> = appearing.collect();
        let watched = changes.iter().map(|change| {
            let object = ObjectId::row(change.table, change.key.clone());
            let dependency = Dependency::Row(change.table, change.key.clone());
            (object, 0, vec![(Role::Declared, dependency)])
        });
        let watched = watched.collect();
        let transaction = Arc::new(Transaction {
            changes,
            ..row.clone()
        });
        let rehearsed = self
            .subject
            .subscriptions
            .rehearse(&session.viewer(), watched, &transaction)
            .await;
        !rehearsed.told.is_empty()
    }

    /// The names of the columns that have changed.
    fn changed(&self, row: &Transaction) -> Vec<String> {
        let exposure = self.subject.subscriptions.exposure();
        let mut names: Vec<String> = Vec::new();
        for change in &row.changes {
            let Old::Full(old) = &change.old else {
                continue;
            };
            let table = exposure.table(change.table);
            let changed = columns(table, Some(old), change.new.as_ref(), Values::Masked);
            names.extend(
                changed
                    .into_iter()
                    .map(|column| format!("`{}`", column.column)),
            );
        }
        names
    }

    fn entity(&self, table: TableId) -> String {
        let exposure = self.subject.subscriptions.exposure();
        exposure.table(table).entity.clone()
    }
}

fn answer(verdict: Verdict, evidence: Vec<String>, update: Option<u64>) -> Why {
    Why {
        answer: verdict.word().to_owned(),
        sentence: verdict.sentence(),
        evidence,
        update,
    }
}

/// Whether a dependency has to do with a table.
fn concerns(dependency: &Dependency, table: TableId) -> bool {
    match dependency {
        Dependency::Everything => true,
        Dependency::Table(of) | Dependency::Row(of, _) => *of == table,
        Dependency::Equal { table: of, .. } => *of == table,
    }
}

/// Whether the commit of a transaction is there in the log.
fn is_at(trace: &Trace, at: Lsn) -> bool {
    let transaction = &trace.commit.transaction;
    (transaction.commit_lsn..=transaction.end_lsn).contains(&at)
}

/// Whether a transaction has changed the object.
fn changes(transaction: &Transaction, object: &ObjectId) -> bool {
    transaction.whole.contains(&object.table)
        || transaction
            .changes
            .iter()
            .any(|change| touches(change, object))
}

fn touches(change: &Change, object: &ObjectId) -> bool {
    let is = |key: &Key| match &object.scope {
        Scope::Table => true,
        Scope::Row(row) => row == key,
    };
    change.table == object.table && (is(&change.key) || change.moved.as_ref().is_some_and(is))
}

/// The transaction with nothing in it but what it did to this object; nothing if it names no row of it.
fn row_only(transaction: &Transaction, object: &ObjectId) -> Option<Transaction> {
    let changes = transaction.changes.iter();
    let changes: Vec<Change> = changes
        .filter(|change| touches(change, object))
        .cloned()
        .collect();
    (!changes.is_empty()).then(|| Transaction {
        changes,
        whole: Vec::new(),
        ..transaction.clone()
    })
}

/// The later transaction with which a delivery was sent as one: its session was told of the same
/// object while so much waited that updates are merged, and nothing was sent in between.
fn merged(picture: &Picture, trace: &Trace, delivery: &Delivery, reached: Reached) -> Option<Lsn> {
    let sent = reached
        .sent()
        .map(|after| trace.commit.times.told.0 + u64::from(after));
    let objects: Vec<&ObjectId> = trace
        .commit
        .noticed(delivery)
        .map(|it| &it.object)
        .collect();
    let later = picture.traces.newest_first();
    let later = later.take_while(|later| later.number > trace.number);
    let covers = |later: &Trace| {
        later.deliveries().any(|(other, _)| {
            other.session == delivery.session
                && other.pushed == Pushed::Merged
                && sent.is_none_or(|sent| later.commit.times.told.0 <= sent)
                && objects
                    .iter()
                    .all(|object| later.commit.noticed(other).any(|it| it.object == **object))
        })
    };
    let covering = later.filter(|later| covers(later)).last();
    covering.map(|later| later.commit.transaction.commit_lsn)
}
