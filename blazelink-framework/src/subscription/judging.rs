//! What the viewers of sessions see of one transaction, found out before it is matched: `Verdicts`.
//!
//! In three steps, and the index is locked in the first only: whom the transaction may concern; what
//! the app says these viewers see; and what Postgres says of conditions in SQL. Whoever begins to
//! watch after the first step is not told, and need not be: a new snapshot has seen the transaction
//! by then, so what is read is what it left.
//!
//! What must stay true: a session is judged by its own viewer. Its number may be another's by the
//! time it is told, so the session itself is kept beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, PoisonError};

use blazelink_codes::limits;
use futures_util::future::BoxFuture;
use hashbrown::HashMap;
use sea_orm::Statement;

use super::concerned::Concern;
use super::manager::SubscriptionManager;
use super::rules::{Answer, ask_here};
use crate::change::{Old, Row, Transaction};
use crate::object_id::TableId;
use crate::session::{Session, UpdateKind};
use crate::table::{TableDef, TableManager};
use crate::viewer::Viewer;
use crate::visibility::{Image, Seen, Sight, Told, document};

/// Puts conditions in SQL to Postgres.
pub(crate) trait Conditions: Send + Sync {
    /// The numbers that each of these statements gives; nothing for one that is not answered in
    /// time, or that fails.
    fn ask(&self, statements: Vec<Statement>) -> BoxFuture<'_, Vec<Option<Vec<i64>>>>;
}

/// How a viewer sees a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Class {
    /// Everybody sees everything of the table.
    Everything,
    /// It has this sight, by its number: those who have the same see alike.
    Sight(u32),
    /// The app has not said in time.
    Unanswered,
    /// It was not asked for.
    Unasked,
}

/// What viewers see of one transaction.
#[derive(Default)]
pub(super) struct Verdicts {
    sessions: HashMap<u32, Arc<Session>>,
    classes: HashMap<(u32, TableId), Class>,
    sights: Vec<Arc<Sight>>,
    /// What Postgres says, by the number of the sight and the position of the change.
    seen: HashMap<(u32, u32), Seen>,
    changed: BTreeSet<TableId>,
    /// The tables of which other rows may be seen than before.
    anew: BTreeSet<TableId>,
}

impl fmt::Debug for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verdicts({} classes)", self.classes.len())
    }
}

impl Verdicts {
    /// How a session's viewer sees a table that not everybody sees whole.
    pub(super) fn class(&self, session: u32, table: TableId) -> Class {
        let class = self.classes.get(&(session, table));
        class.copied().unwrap_or(Class::Unasked)
    }

    /// What a class sees.
    pub(super) fn sight(&self, number: u32) -> &Sight {
        &self.sights[number as usize]
    }

    /// Number of classes that do not see everything.
    pub(super) fn len(&self) -> usize {
        self.sights.len()
    }

    /// The tables of which other rows may be seen than before.
    pub(super) fn anew(&self) -> &BTreeSet<TableId> {
        &self.anew
    }

    /// Whether a session's viewer may see other rows of such a table than before.
    pub(super) fn sees_anew(&self, tables: &TableManager, session: u32, table: TableId) -> bool {
        match self.class(session, table) {
            Class::Everything | Class::Unasked => false,
            Class::Unanswered => true,
            Class::Sight(number) => {
                let sight = self.sight(number);
                let mut changed = self.changed.iter();
                sight.needs_postgres() && changed.any(|&table| sight.reads(tables.table(table)))
            }
        }
    }

    /// Whether this is the session that was judged under the number, or none was.
    pub(super) fn judged(&self, session: &Arc<Session>) -> bool {
        let judged = self.sessions.get(&session.number());
        judged.is_none_or(|judged| Arc::ptr_eq(judged, session))
    }

    /// What a class is told of a row's event, if anything is. `Err` if nobody knows.
    pub(super) fn told(
        &self,
        number: u32,
        change: u32,
        kind: UpdateKind,
        before: Option<&Row>,
        after: Option<&Row>,
    ) -> Result<Option<Told>, Unknown> {
        let sight = self.sight(number);
        if !sight.needs_postgres() {
            return Ok(sight.told(kind, before, after));
        }
        let seen = self.seen.get(&(number, change)).ok_or(Unknown)?;
        Ok(sight.told_of(*seen, kind, before, after))
    }
}

/// Postgres was not asked, or has not answered in time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unknown;

/// What is to be asked of one transaction, and for whom.
struct Inquiry {
    verdicts: Verdicts,
    concerns: BTreeMap<TableId, Concern>,
    /// Each viewer once for each table.
    wanted: Vec<(TableId, Viewer)>,
    /// The table of each question.
    of_tables: Vec<TableId>,
    /// For each session and table the position of its viewer's question.
    asked_for: Vec<(u32, TableId, usize)>,
}

impl SubscriptionManager {
    /// Finds out what viewers see of a transaction, for the [`SubscriptionManager::publish`] of it
    /// that is called next. Waits for the app's rules and for Postgres, each for a limited time;
    /// to be awaited by the thread that publishes.
    pub(crate) async fn judge(&self, transaction: &Arc<Transaction>) {
        let Some(tables) = &self.guarded else { return };
        let Some(mut inquiry) = self.inquire(transaction, tables) else {
            return;
        };
        let wanted = std::mem::take(&mut inquiry.wanted);
        let mut asked = wanted.iter().map(|(table, _)| tables.table(*table));
        let answers = match asked.any(TableDef::asks_app) {
            true => self.rules.ask(tables, wanted).await,
            false => ask_here(tables, &wanted),
        };
        inquiry.classify(tables, answers);
        let questions = inquiry.questions(tables, transaction);
        if let Some(conditions) = &self.conditions
            && !questions.is_empty()
        {
            let statements = questions.iter().map(|it| it.statement.clone()).collect();
            let answers = conditions.ask(statements).await;
            for (question, numbers) in questions.iter().zip(answers) {
                inquiry.answered(question, numbers.as_deref(), transaction);
            }
        }
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        *judged = Some((Arc::clone(transaction), inquiry.verdicts));
    }

    /// What viewers see of a transaction: found out before, or else here and now, without Postgres.
    pub(super) fn verdicts(
        &self,
        transaction: &Arc<Transaction>,
        tables: &Arc<TableManager>,
    ) -> Verdicts {
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        let judged = judged.take();
        if let Some((of, verdicts)) = judged
            && Arc::ptr_eq(&of, transaction)
        {
            return verdicts;
        }
        let Some(mut inquiry) = self.inquire(transaction, tables) else {
            return Verdicts::default();
        };
        let answers = ask_here(tables, &inquiry.wanted);
        inquiry.classify(tables, answers);
        inquiry.verdicts
    }

    /// Whom a transaction may concern, and what is to be asked for them. Nothing if nobody is.
    fn inquire(&self, transaction: &Transaction, tables: &TableManager) -> Option<Inquiry> {
        let changes = transaction.changes.iter().map(|change| change.table);
        let changed: BTreeSet<TableId> = changes.chain(transaction.whole.iter().copied()).collect();
        let anew = tables.judged_by(&changed);
        let guards = |table: TableId| tables.table(table).is_guarded();
        if anew.is_empty() && !changed.iter().any(|&table| guards(table)) {
            return None;
        }
        let (concerns, sessions) = {
            let index = self.lock();
            let concerns = index.concerned(transaction, self.exposure(), guards, &anew);
            let numbers = concerns.values().flat_map(|concern| &concern.sessions);
            let numbers: BTreeSet<u32> = numbers.copied().collect();
            let sessions = self.connections().by_numbers(numbers.into_iter());
            (concerns, sessions)
        };
        let sessions = sessions.into_iter().flatten();
        let sessions: HashMap<u32, Arc<Session>> = sessions
            .map(|session| (session.number(), session))
            .collect();
        let viewers: HashMap<u32, Viewer> = sessions
            .iter()
            .map(|(number, session)| (*number, session.viewer()))
            .collect();
        let mut places: HashMap<(usize, TableId), usize> = HashMap::new();
        let mut wanted = Vec::new();
        let mut asked_for = Vec::new();
        for (&table, concern) in &concerns {
            for number in &concern.sessions {
                let Some(viewer) = viewers.get(number) else {
                    continue;
                };
                let at = *places.entry((viewer.place(), table)).or_insert_with(|| {
                    wanted.push((table, viewer.clone()));
                    wanted.len() - 1
                });
                asked_for.push((*number, table, at));
            }
        }
        let verdicts = Verdicts {
            sessions,
            changed,
            anew,
            ..Verdicts::default()
        };
        Some(Inquiry {
            verdicts,
            concerns,
            of_tables: wanted.iter().map(|(table, _)| *table).collect(),
            wanted,
            asked_for,
        })
    }
}

/// What Postgres is asked for one sight of one table.
struct Question {
    sight: u32,
    statement: Statement,
    /// The images in the statement's order: the change's position, and whether it is the later one.
    images: Vec<(u32, bool)>,
    /// The changes whose images tell all that is asked.
    changes: Vec<u32>,
}

impl Inquiry {
    /// Takes in what the app says. Viewers who see alike become one class.
    fn classify(&mut self, tables: &TableManager, answers: Vec<Answer>) {
        let of_tables = std::mem::take(&mut self.of_tables);
        let verdicts = &mut self.verdicts;
        let mut by_sight: HashMap<Arc<Sight>, u32> = HashMap::new();
        let mut class = |(answer, table): (Answer, TableId)| match answer {
            None => Class::Unanswered,
            Some(sight) => {
                let sight = sight.unwrap_or_else(|| Sight::everything(tables.table(table)));
                let sights = &mut verdicts.sights;
                let number = by_sight.entry(Arc::new(sight)).or_insert_with_key(|sight| {
                    sights.push(Arc::clone(sight));
                    sights.len() as u32 - 1
                });
                Class::Sight(*number)
            }
        };
        let answers = answers.into_iter().zip(of_tables);
        let classes: Vec<Class> = answers.map(&mut class).collect();
        let asked_for = self.asked_for.iter();
        verdicts.classes = asked_for
            .map(|&(session, table, at)| ((session, table), classes[at]))
            .collect();
    }

    /// What Postgres is to be asked, within the limits.
    fn questions(&self, tables: &TableManager, transaction: &Transaction) -> Vec<Question> {
        let verdicts = &self.verdicts;
        let mut questions = Vec::new();
        for (&id, concern) in &self.concerns {
            let rows = concern.changes.len();
            let sessions = concern.sessions.iter();
            let numbers = sessions.filter_map(|&session| match verdicts.class(session, id) {
                Class::Sight(number) if verdicts.sight(number).needs_postgres() => Some(number),
                _ => None,
            });
            let numbers: BTreeSet<u32> = numbers.collect();
            if numbers.is_empty() || rows == 0 || rows > limits::CONDITION_ROWS {
                continue;
            }
            let table = tables.table(id);
            let (images, told) = images(table, &concern.changes, transaction);
            let text = document(table, images.iter().map(|(_, _, image)| *image));
            for number in numbers {
                if questions.len() >= limits::CONDITIONS_PER_COMMIT {
                    return questions;
                }
                questions.extend(
                    verdicts
                        .sight(number)
                        .judging(table, &text)
                        .map(|statement| Question {
                            sight: number,
                            statement,
                            images: images.iter().map(|(at, later, _)| (*at, *later)).collect(),
                            changes: told.clone(),
                        }),
                );
            }
        }
        questions
    }

    /// Takes in what Postgres says.
    fn answered(
        &mut self,
        question: &Question,
        numbers: Option<&[i64]>,
        transaction: &Transaction,
    ) {
        let Some(numbers) = numbers else { return };
        let places = numbers
            .iter()
            .filter_map(|&number| usize::try_from(number - 1).ok());
        let through = places.filter_map(|at| question.images.get(at).copied());
        let through: BTreeSet<(u32, bool)> = through.collect();
        let verdicts = &mut self.verdicts;
        let sight = Arc::clone(&verdicts.sights[question.sight as usize]);
        for &at in &question.changes {
            let (before, after) = rows_of(transaction, at);
            let sees = |row: Option<&Row>, later| {
                through.contains(&(at, later)) && row.is_some_and(|row| sight.lets_through(row))
            };
            let seen = Seen {
                before: sees(before, false),
                after: sees(after, true),
            };
            verdicts.seen.insert((question.sight, at), seen);
        }
    }
}

/// The images of these changes, with the position of the change and whether it is the later one;
/// and the changes that have all their images, each telling all that a condition may ask.
fn images<'a>(
    table: &TableDef,
    changes: &[u32],
    transaction: &'a Transaction,
) -> (Vec<(u32, bool, Image<'a>)>, Vec<u32>) {
    let mut images = Vec::new();
    let mut told = Vec::new();
    for &at in changes {
        let (before, after) = rows_of(transaction, at);
        let earlier = before.map(|row| Image { row, before: None });
        let later = after.map(|row| Image { row, before });
        let of_change = [(false, earlier), (true, later)];
        let of_change = of_change
            .into_iter()
            .filter_map(|(later, image)| Some((later, image?)));
        if of_change.clone().all(|(_, image)| image.is_told(table)) {
            told.push(at);
            images.extend(of_change.map(|(later, image)| (at, later, image)));
        }
    }
    (images, told)
}

/// A change's row before and after, as far as they are known.
fn rows_of(transaction: &Transaction, at: u32) -> (Option<&Row>, Option<&Row>) {
    let change = &transaction.changes[at as usize];
    let before = match &change.old {
        Old::Full(row) => Some(row),
        Old::None | Old::Key(_) => None,
    };
    (before, change.new.as_ref())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::{Instant, SystemTime};

    use futures_util::FutureExt;
    use sea_orm::sea_query::Expr;

    use super::*;
    use crate::change::{Change, ChangeKind, Lsn};
    use crate::object_id::ObjectId;
    use crate::session::{ConnectionManager, SessionId};
    use crate::subscription::{Dependency, Role, Watch};
    use crate::visibility::Access;

    #[allow(unreachable_pub)]
    mod note {
        use sea_orm::entity::prelude::*;

        #[sea_orm::model]
        #[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
        #[sea_orm(table_name = "note")]
        pub struct Model {
            #[sea_orm(primary_key)]
            pub id: i32,
            pub body: String,
        }

        impl ActiveModelBehavior for ActiveModel {}
    }

    const NOTE: TableId = TableId(0);

    /// Lets the first of all images through.
    struct First;

    impl Conditions for First {
        fn ask(&self, statements: Vec<Statement>) -> BoxFuture<'_, Vec<Option<Vec<i64>>>> {
            std::future::ready(vec![Some(vec![1]); statements.len()]).boxed()
        }
    }

    fn manager() -> SubscriptionManager {
        let tables = TableManager::builder()
            .table::<note::Entity>()
            .visible::<note::Entity>(|_| Access::sql(Expr::cust("note.body = 'mine'")));
        let tables = Arc::new(tables.build().unwrap());
        let connections = Arc::new(ConnectionManager::default());
        SubscriptionManager::new(tables.exposure(), connections).with_visibility(&tables)
    }

    /// A session that watches all notes.
    fn watch(manager: &Arc<SubscriptionManager>, id: &str) -> Arc<Session> {
        let id = SessionId::new(id).unwrap();
        let session = manager.connections().open(&id, Instant::now());
        let watch = manager.watch_for(&session);
        let reading = watch.begin(ObjectId::table(NOTE), 0);
        reading
            .depend(Role::Declared, Dependency::Table(NOTE))
            .unwrap();
        reading.finish();
        session
    }

    fn two_notes() -> Arc<Transaction> {
        let insert = |key: i64| Change {
            table: NOTE,
            kind: ChangeKind::Insert,
            key: key.into(),
            moved: None,
            old: Old::None,
            new: Some(Row::from_texts(&[Some(&key.to_string()), Some("text")])),
        };
        Arc::new(Transaction {
            xid: 7,
            commit_lsn: Lsn(1),
            end_lsn: Lsn(2),
            committed_at: SystemTime::UNIX_EPOCH,
            read_at: Instant::now(),
            cause: None,
            changes: vec![insert(1), insert(2)],
            whole: Vec::new(),
        })
    }

    fn told(manager: &SubscriptionManager, session: &Arc<Session>) -> Vec<(ObjectId, Vec<u8>)> {
        let attached = manager.connections().attach(session, Instant::now());
        let mut out = Vec::new();
        assert!(manager.take(session, attached.socket(), usize::MAX, &mut out));
        let entry = |entry: crate::session::Entry| {
            let changes = entry.update.changes().unwrap_or_default().to_vec();
            (entry.update.object.clone(), changes)
        };
        out.into_iter().map(entry).collect()
    }

    #[tokio::test]
    async fn who_watched_before_the_judging_is_told_what_postgres_lets_through() {
        let manager = Arc::new(manager().with_conditions(Arc::new(First)));
        let before = watch(&manager, "before");
        let transaction = two_notes();
        manager.judge(&transaction).await;
        let after = watch(&manager, "after");
        manager.publish(&transaction);
        let row = ObjectId::row(NOTE, 1.into());
        let expected = (row, br#"{"id":1,"body":"text"}"#.to_vec());
        assert_eq!(told(&manager, &before), [expected]);
        assert_eq!(told(&manager, &after), [], "it reads what the commit left");
    }

    #[tokio::test]
    async fn whom_nobody_could_judge_is_told_to_read_what_it_named_again() {
        let manager = Arc::new(manager());
        let session = watch(&manager, "a");
        let transaction = two_notes();
        manager.judge(&transaction).await;
        manager.publish(&transaction);
        let expected = (ObjectId::table(NOTE), b"{}".to_vec());
        assert_eq!(told(&manager, &session), [expected]);
    }
}
