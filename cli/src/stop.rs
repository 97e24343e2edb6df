//! Being told to stop: Ctrl-C, SIGTERM, or the terminal's end.

use blazelink_codes::{Code, Error, ErrorKind, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that stop the tool. From its making on, none of them ends the process by itself.
#[derive(Debug)]
pub(crate) struct Stop {
    signals: [Signal; 3],
}

impl Stop {
    /// Begins to listen.
    pub(crate) fn listen() -> Result<Stop> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                let sentence = "Signals cannot be listened to";
                Error::new(ErrorKind::Setup, Code::System, sentence).with_source(error)
            })
        };
        Ok(Stop {
            signals: [
                listen(SignalKind::interrupt())?,
                listen(SignalKind::terminate())?,
                listen(SignalKind::hangup())?,
            ],
        })
    }

    /// The work's result, unless the tool is told to stop first. The work is dropped then, and
    /// with it what it started.
    ///
    /// # Errors
    /// [`Code::Interrupted`], or the work's own.
    pub(crate) async fn during<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            done = work => done,
            () = self.asked() => Err(Error::new(
                ErrorKind::Setup,
                Code::Interrupted,
                "Stopped before it was done",
            )),
        }
    }

    /// Waits for the next signal.
    pub(crate) async fn asked(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
