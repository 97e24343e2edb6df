//! `Inspector`: answers whoever looks, from the picture of what has happened and from what there is now.
//!
//! One for the process; the API asks it. What must stay true: it reads, and the app goes on meanwhile:
//! it holds the picture's lock, which nobody else waits for, and the index's for one read of one session
//! at a time. It asks no table of the app; the `explorer` does, when somebody has typed a query.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use blazelink_codes::limits;
use tokio::sync::watch;

use super::course::Course;
use super::explorer::Explorer;
use super::filter::Filter;
use super::names::name_of;
use super::picture::Picture;
use super::record::Moment;
use super::recorder::Recorder;
use super::recording::{Recording, Running, Shelf};
use super::replication::Postgres;
use super::report::{
    DependencyReport, Memory, Overview, Path, Problem, ReadReport, ReplicationReport, SchemaReport,
    SessionCounts, SessionDetail, SessionReport, Sessions, ShapeReport, StageReport, Subscriptions,
    Updates,
};
use super::schema::schema;
use super::stage::Told;
use super::summary::{By, Summary};
use super::trace::Trace;
use super::updates::{Values, path, update};
use super::why::span;
use crate::change::Lsn;
use crate::config::{DebuggerConfig, Environment};
use crate::object_id::ObjectId;
use crate::replication::Following;
use crate::session::{Session, SessionLabel};
use crate::subscription::{Dependency, Role, SubscriptionManager, View};
use crate::table::TableManager;
use crate::viewer::ViewerForm;

/// Of so many transactions one is followed in production, if the settings say nothing.
const SAMPLE: NonZeroU32 = NonZeroU32::MIN.saturating_add(7);

/// Transactions that one answer looks through.
const SEARCHED: usize = 20_000;

/// Sessions whose dependencies are counted by shape.
const COUNTED: usize = 1_000;

/// Problems that are told at once.
const PROBLEMS: usize = 5;

/// Bytes in an outbox from which on it is a problem: half of what it may hold.
const HEAVY: usize = limits::OUTBOX_BYTES / 2;

/// What the inspector looks at.
#[derive(Debug)]
pub(crate) struct Subject {
    /// The app's name.
    pub(crate) app: String,
    /// Who is served.
    pub(crate) environment: Environment,
    /// Sessions, what they watch, and the recorder of what they are told.
    pub(crate) subscriptions: Arc<SubscriptionManager>,
    /// The tables.
    pub(crate) tables: Arc<TableManager>,
    /// How the app follows the log.
    pub(crate) status: watch::Receiver<Following>,
    /// Up to where every commit was handed on.
    pub(crate) handed_on: watch::Receiver<Lsn>,
    /// What Postgres says of slot and tables.
    pub(crate) postgres: Postgres,
    /// Whether commits are held back.
    pub(crate) held: watch::Sender<bool>,
    /// What answers queries of whoever looks.
    pub(crate) explorer: Explorer,
    /// Where recordings are kept, if they are.
    pub(crate) shelf: Option<Shelf>,
    /// How viewers are written into recordings.
    pub(crate) viewers: ViewerForm,
}

/// See the file's head.
#[derive(Debug)]
pub(crate) struct Inspector {
    pub(super) subject: Subject,
    picture: Mutex<Picture>,
    pub(super) values: Values,
    /// The server's clock when the recorder began.
    pub(super) began: SystemTime,
    /// The recording that is made, if one is. Locked after the picture.
    pub(super) running: Mutex<Option<Running>>,
    /// The recording that was looked at last.
    pub(super) looked_at: Mutex<Option<(String, Arc<Recording>)>>,
}

impl Inspector {
    /// Looks at this from now on, as the settings say.
    pub(crate) fn new(subject: Subject, config: &DebuggerConfig) -> Inspector {
        let recorder = subject.subscriptions.recorder();
        let usual = match subject.environment {
            Environment::Development => NonZeroU32::MIN,
            Environment::Production => SAMPLE,
        };
        recorder.follow_one_in(config.sample.unwrap_or(usual));
        recorder.switch_on();
        let since = std::time::Duration::from_micros(recorder.now().0);
        Inspector {
            began: SystemTime::now() - since,
            subject,
            picture: Mutex::new(Picture::new(config.bytes)),
            values: match config.values {
                true => Values::Shown,
                false => Values::Masked,
            },
            running: Mutex::default(),
            looked_at: Mutex::default(),
        }
    }

    /// Takes in what was recorded. To be called often, so that nothing finds no room.
    pub(crate) fn look(&self) {
        drop(self.picture());
    }

    /// The picture, with everything that was recorded.
    pub(super) fn picture(&self) -> MutexGuard<'_, Picture> {
        let mut picture = self.picture.lock().unwrap_or_else(PoisonError::into_inner);
        // What comes meanwhile is the next caller's, or this would never end.
        for _ in 0..limits::DEBUGGER_RECORDS {
            let Some(record) = self.recorder().take() else {
                break;
            };
            if let Some(record) = self.noted(record) {
                picture.add(record);
            }
        }
        picture
    }

    /// Has nothing recorded any more. A recording that is made is kept as far as it is.
    pub(crate) fn close(&self) {
        self.end_recording();
        self.recorder().switch_off();
    }

    pub(super) fn recorder(&self) -> &Recorder {
        self.subject.subscriptions.recorder()
    }

    pub(super) fn now(&self) -> Moment {
        self.recorder().now()
    }

    /// Who is served.
    pub(crate) fn environment(&self) -> Environment {
        self.subject.environment
    }

    /// Holds commits back, or no longer.
    pub(crate) fn hold(&self, held: bool) {
        self.subject.held.send_replace(held);
    }

    /// Of so many transactions one is followed from now on.
    pub(crate) fn follow_one_in(&self, sample: NonZeroU32) {
        self.recorder().follow_one_in(sample);
    }

    /// Has a session watch nothing any more, and closes its socket.
    pub(crate) fn revoke(&self, session: &Session) {
        self.subject.subscriptions.revoke(session);
        session.cut();
    }

    /// How many dependencies a session holds.
    pub(crate) fn watched_by(&self, session: &Session) -> usize {
        self.subject.subscriptions.watched_by(session)
    }

    /// How the app does.
    pub(crate) fn overview(&self) -> Overview {
        let subject = &self.subject;
        let sessions = self.all_sessions();
        let counts = counts(&sessions);
        let sum = |of: fn(&SessionReport) -> u64| sessions.iter().map(|(_, it)| of(it)).sum();
        let (waiting, unconfirmed) = (sum(|it| it.waiting), sum(|it| it.unconfirmed));
        let handed_on = *subject.handed_on.borrow();
        let following = subject.status.borrow().clone();
        let state = match &following {
            Following::Live => "live",
            Following::Starting => "starting",
            Following::Down(_) => "down",
        };
        let mut picture = self.picture();
        let pulses = picture.pulses(self.now());
        let memory = self.memory(&picture);
        drop(picture);
        let stage = |name: &str, told: Told, waiting: Option<u64>| StageReport {
            name: name.to_owned(),
            total: told.total,
            per_second: told.rate,
            p50_us: told.p50,
            p99_us: told.p99,
            waiting,
        };
        Overview {
            app: subject.app.clone(),
            environment: match subject.environment {
                Environment::Development => "development",
                Environment::Production => "production",
            }
            .to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            state: state.to_owned(),
            health: self.health(),
            handed_on: handed_on.to_string(),
            stages: vec![
                stage("visible", pulses.visible, None),
                stage("matched", pulses.matched, None),
                stage("told", pulses.told, None),
                stage("sent", pulses.sent, Some(waiting)),
                stage("confirmed", pulses.confirmed, Some(unconfirmed)),
            ],
            commits_per_second: pulses.commits,
            deliveries_per_second: pulses.deliveries,
            problems: problems(&following, &sessions, &memory),
            recording: self.recording(),
            held: *subject.held.borrow(),
            sessions: counts,
            memory,
        }
    }

    /// How the app follows the log, in a sentence.
    fn health(&self) -> String {
        match &*self.subject.status.borrow() {
            Following::Live => {
                let handed_on = *self.subject.handed_on.borrow();
                format!("Live: every commit up to {handed_on} was told")
            }
            Following::Starting => {
                "The slot is being made, which waits for transactions that are open".to_owned()
            }
            Following::Down(why) => format!("What sessions see is stale: {why}"),
        }
    }

    /// The tables that the app exposes.
    pub(crate) fn schema(&self) -> SchemaReport {
        schema(&self.subject.tables)
    }

    /// How the app stands with Postgres.
    ///
    /// # Errors
    ///
    /// Why that is not known, in a sentence.
    pub(crate) async fn replication(&self) -> Result<ReplicationReport, String> {
        let exposure = self.subject.subscriptions.exposure();
        let said = self.subject.postgres.say(exposure).await?;
        let handed_on = *self.subject.handed_on.borrow();
        Ok(ReplicationReport::of(said, self.health(), handed_on))
    }

    fn memory(&self, picture: &Picture) -> Memory {
        let (bytes, limit) = picture.traces.bytes();
        Memory {
            updates: picture.traces.len() as u64,
            bytes: bytes as u64,
            limit: limit as u64,
            discarded: picture.traces.discarded(),
            lost: self.recorder().lost(),
            sample: self.recorder().sample(),
            passed: picture.passed,
        }
    }

    /// The newest transactions that the filter admits, at most so many, older than `before`.
    pub(crate) fn updates(&self, filter: &Filter, before: Option<u64>, limit: usize) -> Updates {
        let picture = self.picture();
        let traces = picture.traces.newest_first();
        let clock = (self.now(), self.began);
        Updates {
            discarded: picture.traces.discarded(),
            ..self.listed(traces, filter, before, limit, clock)
        }
    }

    /// The same of these transactions, the newest first: as it is now, of moments that began then.
    pub(super) fn listed<'t>(
        &self,
        traces: impl Iterator<Item = &'t Trace>,
        filter: &Filter,
        before: Option<u64>,
        limit: usize,
        (now, began): (Moment, SystemTime),
    ) -> Updates {
        let exposure = self.subject.subscriptions.exposure();
        let mut found = Vec::new();
        let (mut searched, mut next) = (0, None);
        let older = |number: u64| before.is_none_or(|before| number < before);
        for trace in traces.filter(|trace| older(trace.number)) {
            if searched == SEARCHED || found.len() == limit {
                next = Some(trace.number + 1);
                break;
            }
            searched += 1;
            if filter.admits(trace, now.since(trace.commit.times.told), exposure) {
                found.push(update(trace, began, exposure));
            }
        }
        Updates {
            updates: found,
            searched: searched as u64,
            discarded: 0,
            next,
        }
    }

    /// Those that the filter admits, of the newest that one answer looks through, in numbers.
    pub(crate) fn summary(&self, filter: &Filter, by: By) -> Summary {
        let exposure = self.subject.subscriptions.exposure();
        let picture = self.picture();
        let now = self.now();
        let newest = picture.traces.newest_first().take(SEARCHED);
        let admitted =
            newest.filter(|it| filter.admits(it, now.since(it.commit.times.told), exposure));
        Summary::of(admitted, by, exposure)
    }

    /// A transaction and everything that became of it; nothing if it is not remembered.
    pub(crate) fn update(&self, number: u64) -> Option<Path> {
        let picture = self.picture();
        let trace = picture.traces.get(number)?;
        Some(self.path_of(trace, self.began))
    }

    /// A transaction and everything that became of it, by moments that began then.
    pub(super) fn path_of(&self, trace: &Trace, began: SystemTime) -> Path {
        let exposure = self.subject.subscriptions.exposure();
        let committed = trace.commit.transaction.committed_at;
        let read = std::time::Duration::from_micros(trace.commit.times.decoded.0);
        // Two clocks: what is negative is not known.
        let lag = (began + read).duration_since(committed).ok();
        let lag = lag.and_then(|lag| u64::try_from(lag.as_micros()).ok());
        path(trace, began, lag, exposure, self.values)
    }

    /// Keeps a transaction as long as possible, or no longer. False if it is gone or too many are kept.
    pub(crate) fn pin(&self, number: u64, pinned: bool) -> bool {
        self.picture().traces.pin(number, pinned)
    }

    pub(super) fn all_sessions(&self) -> Vec<(Arc<Session>, SessionReport)> {
        let all = self.subject.subscriptions.connections().all();
        let picture = self.picture();
        let report = |session: Arc<Session>| {
            let course = picture.course(session.label());
            let report = report(&session, course, self.began);
            (session, report)
        };
        all.into_iter().map(report).collect()
    }

    /// Those of the sessions, at most so many, that are to be kept.
    pub(crate) fn sessions(
        &self,
        keep: impl Fn(&Session, &SessionReport) -> bool,
        limit: usize,
    ) -> Sessions {
        let all = self.all_sessions();
        let counts = counts(&all);
        let mut sessions = all;
        sessions.retain(|(session, report)| keep(session, report));
        let place = |session: &SessionReport| match session.state.as_str() {
            "behind" => 0,
            "offline" => 1,
            _ => 2,
        };
        sessions.sort_by(|(_, a), (_, b)| {
            let worst = b.outbox_bytes.cmp(&a.outbox_bytes);
            let order = place(a).cmp(&place(b)).then(worst);
            order.then_with(|| a.session.cmp(&b.session))
        });
        sessions.truncate(limit);
        let watched = |session: &Session| self.subject.subscriptions.watched_by(session) as u64;
        let sessions = sessions.into_iter().map(|(session, report)| SessionReport {
            subscriptions: watched(&session),
            ..report
        });
        Sessions {
            sessions: sessions.collect(),
            counts,
        }
    }

    /// The session with this label.
    pub(super) fn find(&self, label: SessionLabel) -> Option<Arc<Session>> {
        let all = self.subject.subscriptions.connections().all();
        all.into_iter().find(|session| session.label() == label)
    }

    /// One session with what it watches; nothing if there is none of that label.
    pub(crate) fn session(&self, label: SessionLabel) -> Option<SessionDetail> {
        let session = self.find(label)?;
        let suffered = session.mischief();
        let subscriptions = &self.subject.subscriptions;
        let reads = subscriptions.views(&session).into_iter();
        let reads = reads.map(|(object, _, view)| self.read_report(&object, &view));
        let reads = reads.collect();
        let picture = self.picture();
        let report = report(&session, picture.course(label), self.began);
        drop(picture);
        let session = SessionReport {
            subscriptions: subscriptions.watched_by(&session) as u64,
            ..report
        };
        Some(SessionDetail {
            session,
            reads,
            mischief: suffered.into(),
        })
    }

    /// A read and what it watches, in words.
    pub(super) fn read_report(&self, object: &ObjectId, view: &View) -> ReadReport {
        let dependencies = view.iter().map(|(role, dependency)| DependencyReport {
            words: self.subject.tables.in_words(dependency),
            role: role_of(*role).to_owned(),
            tier: tier(dependency).0.to_owned(),
        });
        ReadReport {
            object: name_of(self.subject.subscriptions.exposure(), object),
            dependencies: dependencies.collect(),
        }
    }

    /// What sessions watch, by shape.
    pub(crate) fn subscriptions(&self) -> Subscriptions {
        let subscriptions = &self.subject.subscriptions;
        let mut sessions = subscriptions.connections().all();
        let of = sessions.len();
        sessions.truncate(COUNTED);
        let mut shapes: HashMap<(String, Role), (ShapeReport, u32)> = HashMap::new();
        for session in &sessions {
            for (_, _, view) in subscriptions.views(session) {
                for (role, dependency) in view {
                    let shape = self.shape(&dependency);
                    let (tier, cost) = tier(&dependency);
                    let new = || {
                        let report = ShapeReport {
                            shape: shape.clone(),
                            tier: tier.to_owned(),
                            role: role_of(role).to_owned(),
                            dependencies: 0,
                            sessions: 0,
                            cost: cost.to_owned(),
                        };
                        (report, u32::MAX)
                    };
                    let (report, last) = shapes.entry((shape.clone(), role)).or_insert_with(new);
                    report.dependencies += 1;
                    report.sessions += u64::from(*last != session.number());
                    *last = session.number();
                }
            }
        }
        let mut shapes: Vec<ShapeReport> = shapes.into_values().map(|(report, _)| report).collect();
        shapes.sort_by(|a, b| {
            let most = b.dependencies.cmp(&a.dependencies);
            most.then_with(|| a.shape.cmp(&b.shape))
        });
        Subscriptions {
            shapes,
            sessions: sessions.len() as u64,
            of: of as u64,
            dependencies: subscriptions.subscriptions() as u64,
        }
    }

    /// A dependency without its values: `GameEvent where player_id and kind`.
    fn shape(&self, dependency: &Dependency) -> String {
        let exposure = self.subject.subscriptions.exposure();
        match dependency {
            Dependency::Everything => "everything".to_owned(),
            Dependency::Table(table) => exposure.table(*table).entity.clone(),
            Dependency::Row(table, _) => format!("{} by key", exposure.table(*table).entity),
            Dependency::Equal {
                table,
                column,
                residual,
                ..
            } => {
                let table = exposure.table(*table);
                let rest = residual.equalities().iter().map(|one| one.column);
                let columns = std::iter::once(*column).chain(rest);
                let names: Vec<&str> = columns
                    .filter_map(|column| table.columns.get(column as usize))
                    .map(|column| column.name.as_str())
                    .collect();
                format!("{} where {}", table.entity, names.join(" and "))
            }
        }
    }
}

pub(super) fn role_of(role: Role) -> &'static str {
    match role {
        Role::Declared => "declared",
        Role::Derived => "derived",
    }
}

/// How precisely a dependency is matched, and what that costs.
pub(super) fn tier(dependency: &Dependency) -> (&'static str, &'static str) {
    match dependency {
        Dependency::Everything => (
            "everything",
            "every commit of any table asks it to read again",
        ),
        Dependency::Table(_) => ("table", "every change of the table reaches it"),
        Dependency::Row(..) => (
            "row",
            "found by one look-up, and only by changes of its row",
        ),
        Dependency::Equal { .. } => ("value", "found by one look-up of a column's value"),
    }
}

fn report(session: &Session, course: Option<&Course>, began: SystemTime) -> SessionReport {
    let attached = session.is_attached();
    let waiting = session.outbox_waiting();
    let unconfirmed = session.outbox_unconfirmed();
    let state = match (attached, waiting + unconfirmed) {
        (false, _) => "offline",
        (true, 0) => "live",
        (true, _) => "behind",
    };
    let viewer = match session.viewer().is_anonymous() {
        true => "anonymous",
        false => "known",
    };
    SessionReport {
        session: session.label().to_string(),
        viewer: viewer.to_owned(),
        state: state.to_owned(),
        since_at_ms: course.map(|course| course.since.unix_ms(began)),
        subscriptions: 0,
        waiting: waiting as u64,
        unconfirmed: unconfirmed as u64,
        outbox_bytes: session.outbox_bytes() as u64,
        confirmed_up_to: course.map_or(0, |course| course.confirmed_up_to),
        sent_updates: course.map_or(0, |course| course.updates),
        sent_bytes: course.map_or(0, |course| course.bytes),
        resets: course.map_or(0, |course| course.resets),
    }
}

fn counts(sessions: &[(Arc<Session>, SessionReport)]) -> SessionCounts {
    let mut counts = SessionCounts::default();
    for (_, session) in sessions {
        counts.all += 1;
        match session.state.as_str() {
            "live" => counts.live += 1,
            "behind" => counts.behind += 1,
            _ => counts.offline += 1,
        }
    }
    counts
}

/// What is wrong, the worst first.
fn problems(
    following: &Following,
    sessions: &[(Arc<Session>, SessionReport)],
    memory: &Memory,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut add = |sentence: String, action: &str| {
        problems.push(Problem {
            sentence,
            action: action.to_owned(),
        });
    };
    if let Following::Down(why) = following {
        add(
            format!("No commit arrives: {why}"),
            "look at the server, and at blazelink doctor",
        );
    }
    let heavy = sessions
        .iter()
        .filter(|(_, session)| session.outbox_bytes as usize > HEAVY);
    let heavy: Vec<&SessionReport> = heavy.map(|(_, session)| session).collect();
    if let Some(session) = heavy.iter().max_by_key(|session| session.outbox_bytes) {
        add(
            format!(
                "{} of {} sessions take what they are told too slowly, {} the most",
                heavy.len(),
                sessions.len(),
                session.session
            ),
            "beyond the limit such a session is told to read everything anew: see its updates",
        );
    }
    let reset = sessions.iter().filter(|(_, session)| session.resets > 0);
    let reset = reset.count();
    if reset > 0 {
        add(
            format!("{reset} sessions were told to read everything anew, since too much waited"),
            "blazelink debug sessions, and what their clients do",
        );
    }
    if memory.lost > 0 {
        add(
            format!(
                "{} records found no room on their way to the debugger",
                memory.lost
            ),
            "nothing of the app is affected; answers may say that something was not recorded",
        );
    }
    problems.truncate(PROBLEMS);
    problems
}

impl Inspector {
    /// Since when there is a recording, in microseconds.
    pub(super) fn recorded_for(&self) -> u64 {
        self.now().0
    }

    /// What the limits of the memory have let go, as the end of a sentence; nothing if they have not.
    pub(super) fn let_go(&self, picture: &Picture) -> Option<String> {
        let memory = self.memory(picture);
        if memory.discarded > 0 {
            let mebibytes = memory.limit >> 20;
            return Some(format!(
                "{} older updates were let go, since {mebibytes} MiB are kept ([debugger] bytes)",
                memory.discarded
            ));
        }
        if memory.passed > 0 {
            return Some(format!(
                "of {} updates one is followed, and {} were not ([debugger] sample)",
                memory.sample, memory.passed
            ));
        }
        (memory.lost > 0).then(|| {
            let room = limits::DEBUGGER_RECORDS;
            format!(
                "{} records found no room among the {room} that may wait",
                memory.lost
            )
        })
    }

    /// How far the app is, in a sentence.
    pub(super) fn how_far(&self) -> String {
        let handed_on = *self.subject.handed_on.borrow();
        let for_now = span(self.recorded_for());
        format!("Every commit up to {handed_on} was told; the debugger began {for_now} ago")
    }
}
