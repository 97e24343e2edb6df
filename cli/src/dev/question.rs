//! What the loop asks about the database, in the terminal and on pages: what the differences are, and
//! what can be done about them. Pure.

use super::page::{Asked, Choice};
use crate::difference::{Difference, Drift, Known, text_of};

/// What is asked about.
#[derive(Debug)]
pub(crate) enum Subject {
    /// Entities say what the database has not.
    Entities {
        list: Vec<Difference>,
        /// What entities and database agree on once that is done.
        known: Known,
        /// Whether the project has a place for migrations.
        migrations: bool,
    },
    /// The database is not what its migrations make.
    Drift(Drift),
}

/// What a person wants to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Write a migration, which is then applied like any other.
    Apply,
    /// Change the database alone.
    Sync,
    /// Make the database as its migrations make it.
    Repair,
    /// Write a migration of what was done by hand.
    Adopt,
    /// Leave it, and do not ask again.
    Ignore,
}

impl Answer {
    /// The key that means it.
    fn key(self) -> u8 {
        match self {
            Answer::Apply | Answer::Adopt => b'a',
            Answer::Sync => b's',
            Answer::Repair => b'r',
            Answer::Ignore => b'i',
        }
    }

    /// The word that pages and scripts know it by.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Answer::Apply => "apply",
            Answer::Sync => "sync",
            Answer::Repair => "repair",
            Answer::Adopt => "adopt",
            Answer::Ignore => "ignore",
        }
    }

    /// What it means. Begins with the word.
    fn label(self) -> &'static str {
        match self {
            Answer::Apply => "apply and write a migration",
            Answer::Sync => "sync only",
            Answer::Repair => "repair the database",
            Answer::Adopt => "adopt into a migration",
            Answer::Ignore => "ignore",
        }
    }
}

/// One question. Answers name it, so that one of a page that is late answers no other.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) id: u32,
    pub(crate) subject: Subject,
}

impl Question {
    /// The differences that are told.
    pub(crate) fn list(&self) -> &[Difference] {
        match &self.subject {
            Subject::Entities { list, .. } => list,
            Subject::Drift(drift) => &drift.repair,
        }
    }

    fn answers(&self) -> &'static [Answer] {
        match &self.subject {
            Subject::Entities {
                migrations: true, ..
            } => &[Answer::Apply, Answer::Sync, Answer::Ignore],
            Subject::Entities { .. } => &[Answer::Sync, Answer::Ignore],
            Subject::Drift(_) => &[Answer::Repair, Answer::Adopt, Answer::Ignore],
        }
    }

    pub(crate) fn title(&self) -> &'static str {
        match &self.subject {
            Subject::Entities { .. } => "The entities say what the database has not",
            Subject::Drift(_) => "The database was changed by hand; this would undo it",
        }
    }

    /// The SQL, with what there is to know as comments.
    pub(crate) fn text(&self) -> String {
        text_of(self.list())
    }

    /// `[a]pply and write a migration  [s]ync only  [i]gnore`
    pub(crate) fn choices(&self) -> String {
        let labels = self.answers().iter().map(|answer| {
            let (key, rest) = answer.label().split_at(1);
            format!("[{key}]{rest}")
        });
        labels.collect::<Vec<_>>().join("  ")
    }

    /// What a key means.
    pub(crate) fn typed(&self, key: u8) -> Option<Answer> {
        let mut answers = self.answers().iter().copied();
        answers.find(|answer| answer.key() == key)
    }

    /// What a page has answered, if it was asked this.
    pub(crate) fn answered(&self, id: u32, word: &str) -> Option<Answer> {
        let mut answers = self.answers().iter().copied();
        answers.find(|answer| id == self.id && answer.word() == word)
    }

    /// As pages are asked it.
    pub(crate) fn shown(&self) -> Asked {
        Asked {
            id: self.id,
            title: self.title().to_owned(),
            text: self.text(),
            choices: self
                .answers()
                .iter()
                .map(|answer| Choice {
                    word: answer.word(),
                    label: answer.label(),
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_words_and_labels_of_a_question_mean_the_same() {
        let question = Question {
            id: 7,
            subject: Subject::Entities {
                list: Vec::new(),
                known: Known::default(),
                migrations: true,
            },
        };
        assert_eq!(
            question.choices(),
            "[a]pply and write a migration  [s]ync only  [i]gnore"
        );
        for answer in question.answers() {
            assert_eq!(question.typed(answer.key()), Some(*answer));
            assert_eq!(question.answered(7, answer.word()), Some(*answer));
            assert_eq!(answer.label().as_bytes()[0], answer.key());
            assert!(answer.label().starts_with(answer.word()));
        }
        assert_eq!(question.typed(b'r'), None);
        assert_eq!(question.answered(6, "apply"), None, "of another question");
        assert_eq!(question.answered(7, "repair"), None);
    }
}
