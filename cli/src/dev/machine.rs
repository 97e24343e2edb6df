//! What the loop does next, decided without a process, a file or a clock.
//!
//! `driver` tells it what has happened and carries out what it answers. One thing is worked on at a
//! time, in the order build, migrate, compare, seed, start; what has failed waits for the next change. What
//! must stay true: the app that serves goes on until the next one answers, whatever fails; and a
//! migration that runs is never cut off.

use super::change::Changes;
use super::comparison::Settled;
use super::question::Answer;

/// Names one run of the app.
pub(crate) type AppId = u32;

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Files were saved.
    Changed(Changes),
    /// cargo has ended.
    Built(Built),
    /// The migrations are applied, or one has failed.
    Migrated(bool),
    /// Entities and database were compared: whether somebody has to decide what is to be done.
    Compared(bool),
    /// Somebody has decided.
    Answered(Answer),
    /// What was decided is done; or it failed.
    Settled(Option<Settled>),
    /// The seed has run, or has failed.
    Seeded(bool),
    /// An app answers.
    Ready(AppId),
    /// An app has ended, whoever ended it.
    Ended(AppId),
    /// The person at the terminal asks for something.
    Asked(Ask),
}

/// How a build went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Built {
    Failed,
    Done {
        /// Whether the app's program is another one than before.
        app: bool,
        /// Whether the migration's is.
        migration: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Rebuild,
    Migrate,
    Seed,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Build,
    CancelBuild,
    Migrate,
    /// Compare entities and database.
    Compare,
    /// Ask what is to be done about the differences.
    Ask,
    /// Ask no more.
    Withdraw,
    /// Do that.
    Settle(Answer),
    Seed,
    /// Start the app under this name.
    Start(AppId),
    /// This app answers from now on.
    Live(AppId),
    /// Have an app give way to the one that answers now.
    Retire(AppId),
    /// Stop an app that is not needed any more before it was ready.
    Stop(AppId),
    /// Answer in the app's place, or stop doing so.
    Stand(bool),
    /// Have open pages load again.
    Reload,
    /// Have open pages take these style sheets anew.
    Restyle(Vec<String>),
    /// Nothing is left to do until something happens, because something failed.
    Stuck,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Nothing,
    Building,
    Migrating,
    Comparing,
    /// Somebody has to decide.
    Asking,
    Settling,
    Seeding,
    Starting(AppId),
}

/// What still has to be done before the app that serves is the one on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Due {
    build: bool,
    migrate: bool,
    compare: bool,
    seed: bool,
    start: bool,
}

/// Where the loop is.
#[derive(Debug)]
pub(crate) struct Machine {
    work: Work,
    due: Due,
    live: Option<AppId>,
    started: AppId,
}

impl Machine {
    /// A loop that has done nothing yet, and what it does first.
    pub(crate) fn begin(seed: bool) -> (Machine, Vec<Action>) {
        let mut machine = Machine {
            work: Work::Nothing,
            due: Due {
                build: true,
                migrate: true,
                compare: true,
                seed,
                start: true,
            },
            live: None,
            started: 0,
        };
        let mut actions = vec![Action::Stand(true)];
        machine.go_on(&mut actions);
        (machine, actions)
    }

    /// The app that answers.
    pub(crate) fn live(&self) -> Option<AppId> {
        self.live
    }

    /// Whether the app that answers is the one on disk.
    pub(crate) fn is_settled(&self) -> bool {
        self.work == Work::Nothing && self.live.is_some() && self.due == Due::default()
    }

    /// Whether cargo is at work.
    pub(crate) fn builds(&self) -> bool {
        self.work == Work::Building
    }

    /// Whether somebody has to decide something.
    pub(crate) fn asks(&self) -> bool {
        self.work == Work::Asking
    }

    /// The app that is being started.
    pub(crate) fn starts(&self) -> Option<AppId> {
        match self.work {
            Work::Starting(id) => Some(id),
            _ => None,
        }
    }

    /// Takes in what has happened, and says what is to be done.
    pub(crate) fn on(&mut self, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Changed(changes) => self.changed(changes, &mut actions),
            Event::Asked(ask) => self.asked(ask, &mut actions),
            Event::Built(built) if self.work == Work::Building => {
                if let Built::Done { app, migration } = built {
                    self.due.build = false;
                    self.due.migrate |= migration;
                    // What the database looks like is checked when an app starts.
                    self.due.start |= app || self.due.migrate;
                    self.due.compare |= self.due.start;
                }
                self.done(built != Built::Failed, &mut actions);
            }
            Event::Migrated(done) if self.work == Work::Migrating => {
                self.due.migrate &= !done;
                self.done(done, &mut actions);
            }
            Event::Compared(differs) if self.work == Work::Comparing => {
                self.due.compare = false;
                if differs {
                    self.work = Work::Asking;
                    actions.push(Action::Ask);
                } else {
                    self.done(true, &mut actions);
                }
            }
            Event::Answered(answer) if self.work == Work::Asking => match answer {
                Answer::Ignore => self.done(true, &mut actions),
                answer => {
                    self.work = Work::Settling;
                    actions.push(Action::Settle(answer));
                }
            },
            Event::Settled(settled) if self.work == Work::Settling => {
                // What was written is built, and applied like any other migration.
                self.due.build |= settled == Some(Settled::Written);
                self.due.compare = true;
                self.done(settled.is_some(), &mut actions);
            }
            Event::Seeded(done) if self.work == Work::Seeding => {
                self.due.seed &= !done;
                self.done(done, &mut actions);
            }
            Event::Ready(id) if self.work == Work::Starting(id) => {
                match self.live.replace(id) {
                    Some(before) => actions.extend([Action::Live(id), Action::Retire(before)]),
                    None => actions.extend([Action::Stand(false), Action::Live(id)]),
                }
                self.due.start = false;
                self.done(true, &mut actions);
            }
            Event::Ended(id) if self.work == Work::Starting(id) => self.done(false, &mut actions),
            Event::Ended(id) if self.live == Some(id) => {
                self.live = None;
                self.due.start = true;
                actions.push(Action::Stand(true));
                // It would end again: whoever reads why it did changes something, or asks.
                if self.work == Work::Nothing {
                    actions.push(Action::Stuck);
                }
            }
            Event::Built(_)
            | Event::Migrated(_)
            | Event::Compared(_)
            | Event::Answered(_)
            | Event::Settled(_)
            | Event::Seeded(_)
            | Event::Ready(_)
            | Event::Ended(_) => {}
        }
        actions
    }

    fn changed(&mut self, changes: Changes, actions: &mut Vec<Action>) {
        if self.live.is_some() {
            if changes.pages {
                actions.push(Action::Reload);
            } else if !changes.styles.is_empty() {
                actions.push(Action::Restyle(changes.styles));
            }
        }
        if changes.code || changes.settings {
            self.due.build |= changes.code;
            self.due.start |= changes.settings;
            self.begin_anew(actions);
        }
    }

    fn asked(&mut self, ask: Ask, actions: &mut Vec<Action>) {
        match ask {
            Ask::Rebuild => {
                self.due.build = true;
                self.due.start = true;
            }
            Ask::Migrate => {
                self.due.migrate = true;
                self.due.compare = true;
                self.due.start = true;
            }
            Ask::Seed => self.due.seed = true,
        }
        self.begin_anew(actions);
    }

    /// Gives up what has become pointless, and goes on with what is due.
    fn begin_anew(&mut self, actions: &mut Vec<Action>) {
        match self.work {
            Work::Building if self.due.build => {
                actions.push(Action::CancelBuild);
                self.work = Work::Nothing;
            }
            Work::Starting(id) => {
                actions.push(Action::Stop(id));
                self.due.start = true;
                self.work = Work::Nothing;
            }
            Work::Asking => {
                actions.push(Action::Withdraw);
                self.due.compare = true;
                self.work = Work::Nothing;
            }
            Work::Nothing
            | Work::Building
            | Work::Migrating
            | Work::Comparing
            | Work::Settling
            | Work::Seeding => {}
        }
        self.go_on(actions);
    }

    fn done(&mut self, well: bool, actions: &mut Vec<Action>) {
        let before = std::mem::replace(&mut self.work, Work::Nothing);
        // A change that came meanwhile may have mended what failed.
        let changed_since = self.due.build && before != Work::Building;
        if well || changed_since {
            self.go_on(actions);
        } else {
            actions.push(Action::Stuck);
        }
    }

    fn go_on(&mut self, actions: &mut Vec<Action>) {
        if self.work != Work::Nothing {
            return;
        }
        let (work, action) = if self.due.build {
            (Work::Building, Action::Build)
        } else if self.due.migrate {
            (Work::Migrating, Action::Migrate)
        } else if self.due.compare {
            (Work::Comparing, Action::Compare)
        } else if self.due.seed {
            (Work::Seeding, Action::Seed)
        } else if self.due.start {
            self.started += 1;
            (Work::Starting(self.started), Action::Start(self.started))
        } else {
            return;
        };
        self.work = work;
        actions.push(action);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Event = Event::Built(Built::Done {
        app: true,
        migration: true,
    });
    const APP: Event = Event::Built(Built::Done {
        app: true,
        migration: false,
    });
    const SAME: Event = Event::Built(Built::Done {
        app: false,
        migration: false,
    });
    const FAILED: Event = Event::Built(Built::Failed);

    fn code() -> Event {
        Event::Changed(Changes {
            code: true,
            ..Changes::default()
        })
    }

    /// What follows an event, once it has turned out that entities and database agree.
    fn agreed(machine: &mut Machine, event: Event) -> Vec<Action> {
        assert_eq!(machine.on(event), [Action::Compare]);
        machine.on(Event::Compared(false))
    }

    /// A loop whose first app is live.
    fn live() -> Machine {
        let mut machine = Machine::begin(false).0;
        machine.on(BOTH);
        agreed(&mut machine, Event::Migrated(true));
        machine.on(Event::Ready(1));
        assert_eq!(machine.live(), Some(1));
        machine
    }

    #[test]
    fn the_first_app_is_built_migrated_seeded_and_then_takes_our_place() {
        let (mut machine, first) = Machine::begin(true);
        assert_eq!(first, [Action::Stand(true), Action::Build]);
        assert_eq!(machine.on(BOTH), [Action::Migrate]);
        assert_eq!(agreed(&mut machine, Event::Migrated(true)), [Action::Seed]);
        assert_eq!(machine.on(Event::Seeded(true)), [Action::Start(1)]);
        assert_eq!(
            machine.on(Event::Ready(1)),
            [Action::Stand(false), Action::Live(1)]
        );
    }

    #[test]
    fn a_changed_app_is_retired_only_when_the_next_one_answers() {
        let mut machine = live();
        assert_eq!(machine.on(code()), [Action::Build]);
        assert_eq!(agreed(&mut machine, APP), [Action::Start(2)]);
        assert_eq!(
            machine.on(Event::Ready(2)),
            [Action::Live(2), Action::Retire(1)]
        );
        assert_eq!(machine.on(Event::Ended(1)), [], "as it was told to");
    }

    #[test]
    fn errors_leave_the_running_app_alone_and_wait_for_the_next_change() {
        let mut machine = live();
        machine.on(code());
        assert_eq!(machine.on(FAILED), [Action::Stuck]);
        assert_eq!(machine.live(), Some(1));
        assert_eq!(machine.on(code()), [Action::Build]);
        assert_eq!(agreed(&mut machine, APP), [Action::Start(2)]);
        assert_eq!(machine.on(Event::Ended(2)), [Action::Stuck]);
        assert_eq!(machine.live(), Some(1));
        // Mended by what is no code.
        let settings = Event::Changed(Changes {
            settings: true,
            ..Changes::default()
        });
        assert_eq!(machine.on(settings), [Action::Start(3)]);
    }

    #[test]
    fn a_build_that_changes_nothing_starts_nothing() {
        let mut machine = live();
        machine.on(code());
        assert!(!machine.is_settled());
        assert_eq!(machine.on(SAME), []);
        assert!(machine.is_settled());
    }

    #[test]
    fn a_save_in_between_cancels_what_it_makes_pointless() {
        let mut machine = live();
        machine.on(code());
        assert_eq!(machine.on(code()), [Action::CancelBuild, Action::Build]);
        assert_eq!(agreed(&mut machine, APP), [Action::Start(2)]);
        assert_eq!(machine.on(code()), [Action::Stop(2), Action::Build]);
        assert_eq!(machine.on(Event::Ended(2)), []);
        assert_eq!(machine.on(Event::Ready(2)), [], "it was too late");
        assert_eq!(
            agreed(&mut machine, SAME),
            [Action::Start(3)],
            "it never served"
        );
    }

    #[test]
    fn a_migration_is_not_cut_off_and_a_failed_one_is_tried_again_after_a_change() {
        let mut machine = live();
        machine.on(code());
        assert_eq!(machine.on(BOTH), [Action::Migrate]);
        assert_eq!(machine.on(code()), []);
        assert_eq!(machine.on(Event::Migrated(false)), [Action::Build]);
        assert_eq!(machine.on(SAME), [Action::Migrate]);
        assert_eq!(machine.on(Event::Migrated(false)), [Action::Stuck]);
        assert_eq!(machine.live(), Some(1), "the old app goes on");
        machine.on(code());
        assert_eq!(machine.on(SAME), [Action::Migrate]);
        assert_eq!(
            agreed(&mut machine, Event::Migrated(true)),
            [Action::Start(2)]
        );
    }

    #[test]
    fn an_app_that_ends_by_itself_is_stood_in_for_until_something_changes() {
        let mut machine = live();
        assert_eq!(
            machine.on(Event::Ended(1)),
            [Action::Stand(true), Action::Stuck]
        );
        machine.on(code());
        assert_eq!(agreed(&mut machine, SAME), [Action::Start(2)]);
        assert_eq!(
            machine.on(Event::Ready(2)),
            [Action::Stand(false), Action::Live(2)]
        );
    }

    #[test]
    fn templates_and_styles_are_shown_at_once_and_build_nothing() {
        let mut machine = live();
        let styles = Changes {
            styles: vec!["app.css".into()],
            ..Changes::default()
        };
        assert_eq!(
            machine.on(Event::Changed(styles.clone())),
            [Action::Restyle(vec!["app.css".into()])]
        );
        let pages = Changes {
            pages: true,
            ..styles
        };
        assert_eq!(machine.on(Event::Changed(pages)), [Action::Reload]);
    }

    #[test]
    fn keys_ask_for_what_nothing_has_changed_for() {
        let mut machine = live();
        assert_eq!(machine.on(Event::Asked(Ask::Seed)), [Action::Seed]);
        assert_eq!(machine.on(Event::Seeded(true)), []);
        assert_eq!(machine.on(Event::Asked(Ask::Migrate)), [Action::Migrate]);
        assert_eq!(
            agreed(&mut machine, Event::Migrated(true)),
            [Action::Start(2)]
        );
        machine.on(Event::Ready(2));
        assert_eq!(machine.on(Event::Asked(Ask::Rebuild)), [Action::Build]);
        assert_eq!(agreed(&mut machine, SAME), [Action::Start(3)]);
    }

    #[test]
    fn differences_wait_for_an_answer_while_the_app_goes_on() {
        let mut machine = live();
        machine.on(code());
        assert_eq!(machine.on(APP), [Action::Compare]);
        assert_eq!(machine.on(Event::Compared(true)), [Action::Ask]);
        assert!(machine.asks() && machine.live() == Some(1));
        let apply = Answer::Apply;
        assert_eq!(machine.on(Event::Answered(apply)), [Action::Settle(apply)]);
        assert_eq!(machine.on(code()), [], "it is not cut off");
        let written = Event::Settled(Some(Settled::Written));
        assert_eq!(machine.on(written), [Action::Build]);
        assert_eq!(machine.on(BOTH), [Action::Migrate]);
        assert_eq!(
            agreed(&mut machine, Event::Migrated(true)),
            [Action::Start(2)]
        );
    }

    #[test]
    fn a_question_goes_when_the_code_changes_and_ignoring_it_goes_on() {
        let mut machine = live();
        machine.on(code());
        machine.on(APP);
        machine.on(Event::Compared(true));
        assert_eq!(machine.on(code()), [Action::Withdraw, Action::Build]);
        assert_eq!(machine.on(SAME), [Action::Compare], "the app never served");
        assert_eq!(machine.on(Event::Compared(true)), [Action::Ask]);
        let ignore = Event::Answered(Answer::Ignore);
        assert_eq!(machine.on(ignore), [Action::Start(2)]);
        assert_eq!(machine.on(Event::Answered(Answer::Sync)), [], "too late");
    }

    #[test]
    fn a_change_is_compared_again_and_one_that_failed_waits() {
        let mut machine = live();
        machine.on(code());
        machine.on(APP);
        machine.on(Event::Compared(true));
        machine.on(Event::Answered(Answer::Sync));
        let failed = machine.on(Event::Settled(None));
        assert_eq!(failed, [Action::Stuck]);
        machine.on(code());
        machine.on(SAME);
        machine.on(Event::Compared(true));
        machine.on(Event::Answered(Answer::Sync));
        let changed = Event::Settled(Some(Settled::Changed));
        assert_eq!(agreed(&mut machine, changed), [Action::Start(2)]);
    }
}
