//! The original's browser client over the server's deaths: it reads again what it is told of, and
//! nothing else; when its socket ends it comes back under its session id and says nothing.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::client::{Client, Received};

/// Something that a browser shows: a document, and the object as which the server tells of it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The type's name.
    pub entity: &'static str,
    /// The row's key; none for a table.
    pub obj_id: Option<i64>,
    /// What reads it.
    pub document: String,
}

/// A browser with its screen.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    screen: Vec<(Shown, Value)>,
    told: usize,
}

impl Browser {
    /// Opens a page that shows all this.
    pub async fn open(address: SocketAddr, shown: Vec<Shown>) -> Browser {
        let client = Client::connect(address).await;
        let mut screen = Vec::new();
        for shown in shown {
            let data = client.read(&shown.document).await;
            screen.push((shown, data));
        }
        Browser {
            client,
            screen,
            told: 0,
        }
    }

    /// Follows the server, wherever it is, until it is told to settle; then handles what is on its
    /// way already.
    pub async fn follow(
        &mut self,
        mut server: watch::Receiver<SocketAddr>,
        mut settle: watch::Receiver<bool>,
        frames: &watch::Sender<usize>,
    ) {
        server.mark_unchanged();
        loop {
            let received = tokio::select! {
                received = self.client.receive() => received,
                _ = settle.wait_for(|settle| *settle) => break,
            };
            match received {
                Received::Frame(frame) => {
                    self.handle(&frame).await;
                    frames.send_modify(|count| *count += 1);
                }
                Received::Closed(_) => self.come_back(&mut server).await,
            }
        }
        for frame in self.client.frames_so_far().await {
            self.handle(&frame).await;
        }
    }

    /// What is shown differs from what a fresh page would show: the first of it, as (shown, stored).
    pub async fn stale(&self, address: SocketAddr) -> Option<(Value, Value)> {
        let fresh = Client::without_socket(address);
        for (shown, data) in &self.screen {
            let stored = fresh.read(&shown.document).await;
            if stored != *data {
                return Some((data.clone(), stored));
            }
        }
        None
    }

    /// Number of updates that it was told of.
    pub fn told(&self) -> usize {
        self.told
    }

    /// Confirms, then reads again what the frame tells of. A read that fails leaves what is shown.
    async fn handle(&mut self, frame: &Value) {
        self.told += 1;
        self.client.confirm(frame).await;
        let identifier = &frame["data"]["identifier"];
        for (shown, data) in &mut self.screen {
            let same = shown.obj_id.is_none() || json!(shown.obj_id) == identifier["obj_id"];
            if identifier["entity"] == shown.entity
                && same
                && let Some(read) = self.client.try_read(&shown.document).await
            {
                *data = read;
            }
        }
    }

    async fn come_back(&mut self, server: &mut watch::Receiver<SocketAddr>) {
        loop {
            server
                .changed()
                .await
                .expect("the test starts the server again");
            let address = *server.borrow_and_update();
            self.client.move_to(address);
            if self.client.try_open().await {
                return;
            }
        }
    }
}
