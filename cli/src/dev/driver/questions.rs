//! What the driver does about the database's differences: has them found, asks whoever is there, and
//! has done what is answered.

use std::time::Instant;

use blazelink_codes::Result;
use serde_json::json;

use super::{Done, Driver, Migrate, Until};
use crate::dev::app::App;
use crate::dev::comparison::{self, Compared, Comparison, Found, Settled};
use crate::dev::hearing::Heard;
use crate::dev::machine::Event;
use crate::dev::programs;
use crate::dev::question::{Answer, Question, Subject};
use crate::difference::Difference;

impl Driver<'_> {
    pub(super) fn compare(&mut self) -> Result<()> {
        self.begin("compare", "comparing entities and database");
        let programs = self.programs.as_ref().ok_or_else(programs::not_built)?;
        let all = std::mem::take(&mut self.wanted);
        let comparison = Comparison {
            project: self.world.project,
            database: self.world.database,
            programs: programs.clone(),
            before: self.compared.take().filter(|_| !all),
            memory: self.memory.clone(),
            all,
            screen: self.screen.clone(),
        };
        self.work = Some(Box::pin(async move {
            Done::Compared(comparison.run().await.map(Box::new))
        }));
        Ok(())
    }

    /// Takes in what a comparison came to.
    pub(super) fn found(&mut self, compared: Compared) -> Event {
        let Compared { ddl, found } = compared;
        let subject = match found {
            Found::Nothing => {
                self.compared = Some(ddl);
                return Event::Compared(false);
            }
            Found::Ignored => {
                self.compared = Some(ddl);
                self.screen
                    .said("differs", "as before, which is to be ignored; m asks again");
                return Event::Compared(false);
            }
            Found::Agreement(known) => {
                self.compared = Some(ddl);
                if let Err(error) = self.memory.agree(known) {
                    self.screen.error(&error);
                }
                return Event::Compared(false);
            }
            Found::Difference(subject) => subject,
        };
        self.questions += 1;
        let id = self.questions;
        let question = Question { id, subject };
        self.screen.said("differs", question.title());
        for line in question.text().lines() {
            self.screen.words(&format!("  {:<11}{line}", ""));
        }
        let asked = self.world.until == Until::Stopped && self.world.migrate != Migrate::Never;
        if !asked {
            let hint = "blazelink migrate diff, which writes it as a migration too";
            self.screen.said("", hint);
            return Event::Compared(false);
        }
        self.question = Some(question);
        Event::Compared(true)
    }

    /// What nobody has to decide, though entities and database differ.
    pub(super) fn decided(&self) -> Option<Answer> {
        let Subject::Entities {
            list, migrations, ..
        } = &self.question.as_ref()?.subject
        else {
            return None;
        };
        let auto = self.world.migrate == Migrate::Auto;
        (auto && list.iter().all(Difference::is_harmless)).then_some(match migrations {
            true => Answer::Apply,
            false => Answer::Sync,
        })
    }

    pub(super) fn ask(&mut self) {
        let Some(question) = &self.question else {
            return;
        };
        let shown = question.shown();
        let choices = question.choices();
        let told = serde_json::to_value(&shown).unwrap_or_default();
        // Whoever reads the terminal finds it on the page.
        self.hearing.of_apps(self.apps.iter().map(App::events));
        self.teller.page().send_modify(|state| state.ask(shown));
        self.screen.event("question", told);
        self.screen.said("", &choices);
        self.screen.status("asks", &choices);
    }

    pub(super) fn withdraw(&mut self) {
        self.question = None;
        self.hearing.of_apps(std::iter::empty());
    }

    /// A page has answered.
    pub(super) async fn page_answered(&mut self, heard: Heard) {
        let question = self.question.as_ref();
        let answer = question.and_then(|it| it.answered(heard.id, &heard.choice));
        if let Some(answer) = answer {
            self.answered(answer).await;
        }
    }

    pub(super) async fn answered(&mut self, answer: Answer) {
        if !self.machine.asks() {
            return;
        }
        self.screen.said("answer", answer.word());
        self.screen
            .event("answer", json!({"choice": answer.word()}));
        self.hearing.of_apps(std::iter::empty());
        if answer == Answer::Ignore
            && let Some(question) = self.question.take()
            && let Err(error) = self.memory.ignore(question.list())
        {
            self.screen.error(&error);
        }
        self.since = Instant::now();
        self.tell(Event::Answered(answer)).await;
    }

    pub(super) fn settle(&mut self, answer: Answer) {
        self.begin("change", answer.word());
        let Some(question) = self.question.take() else {
            return;
        };
        let (project, database) = (self.world.project, self.world.database);
        let screen = self.screen.clone();
        self.work = Some(Box::pin(async move {
            let done = comparison::settle(project, database, &question, answer, &screen).await;
            Done::Settled(done, question)
        }));
    }

    pub(super) fn settled(&mut self, done: Result<Settled>, question: Question) -> Event {
        match done {
            Ok(settled) => {
                self.screen.step("change", "done", self.step.elapsed());
                // What was taken out of an entity is not to be taken out of the database again.
                if let Subject::Entities { known, .. } = question.subject
                    && let Err(error) = self.memory.agree(known)
                {
                    self.screen.error(&error);
                }
                Event::Settled(Some(settled))
            }
            Err(error) => {
                self.failed("The database was not changed", error, &[]);
                Event::Settled(None)
            }
        }
    }
}
