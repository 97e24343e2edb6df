//! The debugger's own thread: takes in what is recorded, and serves the debugger at an address of its own,
//! if the settings name one.
//!
//! `app` starts it. What must stay true: whatever happens here, the app
//! goes on. An address that is taken or a panic ends the debugger with a line in the log, and nothing
//! else; whoever looks costs none of the threads that answer the app's clients.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use url::Host;

use super::gate::Gate;
use super::inspector::Inspector;
use super::site::site;
use super::unnamed::name_writers;
use crate::config::{DebuggerAt, DebuggerRole};
use crate::replication::on_own_thread;
use crate::transport::{Doors, Doorway, HttpServer};

/// How often what was recorded is taken in.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// How long open answers may take once the app stops.
const DRAIN: Duration = Duration::from_millis(200);

/// Where the debugger is, while it is there.
#[derive(Debug)]
pub(crate) struct Debugger {
    address: watch::Receiver<Option<SocketAddr>>,
    thread: std::thread::JoinHandle<()>,
}

impl Debugger {
    /// Has the inspector take in what is recorded, and, if there is an address, serves it there. Nothing
    /// if that cannot be: it is said in the log.
    pub(crate) fn start(
        at: Option<DebuggerAt>,
        inspector: Arc<Inspector>,
        mut stopping: watch::Receiver<Option<Duration>>,
    ) -> Option<Debugger> {
        let (told, address) = watch::channel(None);
        let thread = on_own_thread("blazelink-debugger", move || async move {
            let closing = Closing(inspector);
            let inspector = &closing.0;
            let stopped = async move {
                // An error means that the app is gone.
                let _ = stopping.wait_for(Option::is_some).await;
            };
            tokio::select! {
                () = look(inspector) => {}
                () = name_writers(inspector) => {}
                () = serve(at, inspector, told) => {}
                () = stopped => {}
            }
        });
        match thread {
            Ok(thread) => Some(Debugger { address, thread }),
            Err(error) => {
                tracing::warn!(%error, "there is no debugger: its thread cannot be started");
                None
            }
        }
    }

    /// Where it listens; nothing if it does not. Waits until that is known.
    pub(crate) async fn address(&self) -> Option<SocketAddr> {
        let mut address = self.address.clone();
        let known = address.wait_for(Option::is_some).await;
        known.ok().and_then(|address| *address)
    }

    /// Waits for its end, which follows that of the app.
    pub(crate) fn join(self) {
        if self.thread.join().is_err() {
            tracing::warn!("the debugger had failed before it was stopped");
        }
    }
}

/// Nothing is recorded once nobody takes it in, however that came to be.
struct Closing(Arc<Inspector>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Takes in what is recorded, for ever.
async fn look(inspector: &Inspector) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        inspector.look();
    }
}

/// Serves the API, for ever; if that cannot be, what is recorded is taken in all the same.
async fn serve(
    at: Option<DebuggerAt>,
    inspector: &Arc<Inspector>,
    told: watch::Sender<Option<SocketAddr>>,
) {
    let Some(at) = at else {
        drop(told);
        return std::future::pending().await;
    };
    let server = match &at.listener {
        Some(listener) => listener.try_clone().and_then(HttpServer::on),
        None => HttpServer::bind(at.listen).await,
    };
    let host = match at.listen.ip() {
        IpAddr::V4(address) => Host::Ipv4(address),
        IpAddr::V6(address) => Host::Ipv6(address),
    };
    let (server, doors) = match (server, Doors::new(host, &[], &[], false)) {
        (Ok(server), Ok(doors)) => (server, doors),
        (Err(error), _) => {
            let address = at.listen;
            tracing::warn!(%error, %address, "the debugger cannot be asked: its address cannot be listened on");
            drop(told);
            return std::future::pending().await;
        }
        (_, Err(error)) => {
            tracing::warn!(%error, "the debugger cannot be asked");
            drop(told);
            return std::future::pending().await;
        }
    };
    told.send_replace(Some(server.address()));
    let usual = || DebuggerRole::usual(inspector.environment());
    let gate = Gate::key(&at.key.0, at.role.unwrap_or_else(usual));
    let endpoint = Doorway::new(doors, site(inspector, gate, ""));
    server.serve(endpoint, std::future::pending(), DRAIN).await;
}
