//! What pages answer to a question: those that the tool serves itself say it to `front`, those of an app
//! to the app, which writes it down among its events.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Answers that wait. One is enough for a question; more than these are of nobody who waits.
const WAITING: usize = 8;

/// How often the events of apps are looked at while a question is open.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// An answer, and to which question.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Heard {
    pub(crate) id: u32,
    pub(crate) choice: String,
}

/// The ear of the loop.
#[derive(Debug)]
pub(crate) struct Hearing {
    sender: mpsc::Sender<Heard>,
    heard: mpsc::Receiver<Heard>,
    looking: Option<JoinHandle<()>>,
}

impl Hearing {
    pub(crate) fn new() -> Hearing {
        let (sender, heard) = mpsc::channel(WAITING);
        Hearing {
            sender,
            heard,
            looking: None,
        }
    }

    /// What an answer is said to. One that finds no room is lost, and the page asks again.
    pub(crate) fn mouth(&self) -> mpsc::Sender<Heard> {
        self.sender.clone()
    }

    /// Also hears what is told in these files from now on, and in no others.
    pub(crate) fn of_apps(&mut self, files: impl Iterator<Item = PathBuf>) {
        if let Some(looking) = self.looking.take() {
            looking.abort();
        }
        let files: Vec<PathBuf> = files.collect();
        if !files.is_empty() {
            self.looking = Some(tokio::spawn(look(files, self.sender.clone())));
        }
    }

    /// The next answer. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Heard {
        match self.heard.recv().await {
            Some(heard) => heard,
            // We hold a sender ourselves.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Hearing {
    fn drop(&mut self) {
        if let Some(looking) = &self.looking {
            looking.abort();
        }
    }
}

async fn look(files: Vec<PathBuf>, sender: mpsc::Sender<Heard>) {
    let mut known = vec![0; files.len()];
    loop {
        for (file, known) in files.iter().zip(&mut known) {
            let text = tokio::fs::read_to_string(file).await.unwrap_or_default();
            let answers = answers(&text);
            for heard in answers.into_iter().skip(*known) {
                *known += 1;
                if sender.send(heard).await.is_err() {
                    return;
                }
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The answers among events. A line that has no end yet is still being written.
fn answers(text: &str) -> Vec<Heard> {
    #[derive(Deserialize)]
    struct Event {
        event: String,
        #[serde(flatten)]
        heard: Heard,
    }
    text.split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .filter_map(|line| serde_json::from_str::<Event>(line).ok())
        .filter(|event| event.event == "answer")
        .map(|event| event.heard)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_from_other_events_once_they_are_whole() {
        let text = "{\"event\":\"ready\",\"url\":\"\"}\n\
                    {\"event\":\"answer\",\"id\":3,\"choice\":\"apply\"}\nnoise\n\
                    {\"event\":\"answer\",\"id\":4,\"choice\":\"sync\"}";
        let heard = Heard {
            id: 3,
            choice: "apply".to_owned(),
        };
        assert_eq!(answers(text), [heard]);
    }
}
