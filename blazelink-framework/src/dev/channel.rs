//! What `blazelink dev` tells open pages: lines of JSON that it writes to the app's standard input.
//!
//! `run` makes the channel and gives it each line; [`events`](super::events) hands them on to
//! pages, which understand them (`overlay.js`). The newest `state` is kept for pages that come
//! later; everything else is for those that are there.

use std::sync::Arc;

use serde::Deserialize;
use tokio::sync::{broadcast, watch};

/// Lines that wait for a page. One that is further behind is told the state again, and nothing of
/// what it missed: at worst it shows an older style sheet.
const WAITING: usize = 32;

/// The ends of a channel: copies tell and hear the same.
#[derive(Clone, Debug)]
pub struct DevChannel {
    /// The newest state; none once the app stops, so that its streams end.
    state: watch::Sender<Option<Arc<str>>>,
    lines: broadcast::Sender<Arc<str>>,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    event: &'a str,
}

impl Default for DevChannel {
    fn default() -> Self {
        DevChannel {
            state: watch::Sender::new(Some(Arc::from(r#"{"event":"state","phase":"live"}"#))),
            lines: broadcast::Sender::new(WAITING),
        }
    }
}

impl DevChannel {
    /// Tells pages a line. What is no event is for nobody.
    pub fn tell(&self, line: &str) {
        let line = line.trim();
        let Ok(Line { event }) = serde_json::from_str(line) else {
            return;
        };
        let text: Arc<str> = Arc::from(line);
        if event == "state" {
            self.state.send_if_modified(|state| match state {
                Some(state) => {
                    *state = Arc::clone(&text);
                    true
                }
                None => false,
            });
        }
        // Nobody may be there.
        let _ = self.lines.send(text);
    }

    /// Ends every stream: pages come back to whoever answers next.
    pub(crate) fn close(&self) {
        self.state.send_replace(None);
    }

    /// What a page hears from now on.
    pub(super) fn listen(&self) -> Listener {
        let lines = self.lines.subscribe();
        let mut state = self.state.subscribe();
        state.mark_changed();
        Listener {
            lines,
            state,
            told: false,
        }
    }
}

/// One page's end.
#[derive(Debug)]
pub(super) struct Listener {
    lines: broadcast::Receiver<Arc<str>>,
    state: watch::Receiver<Option<Arc<str>>>,
    /// Whether the state was told.
    told: bool,
}

impl Listener {
    /// The next line: the state first, then what happens. None once the app stops. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Arc<str>> {
        if !self.told {
            self.told = true;
            return self.state.borrow_and_update().clone();
        }
        let line = tokio::select! {
            biased;
            // An error means that the channel is gone, and the app with it.
            _ = self.state.wait_for(Option::is_none) => return None,
            line = self.lines.recv() => line,
        };
        match line {
            Ok(line) => Some(line),
            Err(broadcast::error::RecvError::Lagged(_)) => self.state.borrow().clone(),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_page_hears_the_newest_state_and_then_what_happens_until_the_app_stops() {
        let channel = DevChannel::default();
        channel.tell(r#"{"event":"state","phase":"failed"}"#);
        channel.tell(r#"{"event":"reload"}"#);
        channel.tell("no event");
        let mut page = channel.listen();
        let state = page.next().await;
        assert_eq!(
            state.as_deref(),
            Some(r#"{"event":"state","phase":"failed"}"#)
        );
        channel.tell("{\"event\":\"css\",\"files\":[\"app.css\"]}\n");
        let css = page.next().await;
        assert_eq!(
            css.as_deref(),
            Some(r#"{"event":"css","files":["app.css"]}"#)
        );
        channel.close();
        channel.tell(r#"{"event":"state","phase":"live"}"#);
        assert_eq!(page.next().await, None);
        assert_eq!(
            channel.listen().next().await,
            None,
            "nor for who comes later"
        );
    }
}
