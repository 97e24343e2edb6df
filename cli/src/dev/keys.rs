//! Keys, as they are typed: a terminal that gives them without waiting for a line.
//!
//! Ctrl-C stays a signal. The terminal is as it was once this is dropped.

use std::io::{IsTerminal, Read};

use rustix::process::getpgrp;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use tokio::sync::mpsc;

use super::machine::Ask;

/// Keys that wait. More than a person types while the loop is busy are dropped.
const WAITING: usize = 16;

/// What each key does, as `?` shows it.
pub(crate) const HELP: &str =
    "r rebuild  m migrate  o open  d debugger  s seed  l logs  c clear  q quit  ? help";

/// What a key asks for, while no question is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Ask(Ask),
    Open,
    Debugger,
    Logs,
    Clear,
    Quit,
    Help,
}

/// The keyboard, while this lives.
#[derive(Debug)]
pub(crate) struct Keys {
    keys: mpsc::Receiver<u8>,
    /// How the terminal was, if there is one.
    before: Option<Termios>,
}

impl Keys {
    /// Listens to the keyboard, if there is a terminal and `wanted`.
    pub(crate) fn listen(wanted: bool) -> Keys {
        let (sender, keys) = mpsc::channel(WAITING);
        let input = std::io::stdin();
        let visible = input.is_terminal() && std::io::stderr().is_terminal();
        // Who changes a terminal from the background is stopped by the system.
        let ours = tcgetpgrp(&input).is_ok_and(|group| group == getpgrp());
        let before = (wanted && visible && ours)
            .then(|| tcgetattr(&input).ok())
            .flatten();
        let Some(before) = before else {
            return Keys { keys, before: None };
        };
        let mut direct = before.clone();
        direct
            .local_modes
            .remove(LocalModes::ICANON | LocalModes::ECHO);
        if tcsetattr(&input, OptionalActions::Now, &direct).is_err() {
            return Keys { keys, before: None };
        }
        // A thread that ends with the process: nothing else can give up waiting for a key.
        std::thread::spawn(move || {
            let mut byte = [0];
            while matches!(std::io::stdin().lock().read(&mut byte), Ok(1)) {
                let _ = sender.try_send(byte[0]);
            }
        });
        Keys {
            keys,
            before: Some(before),
        }
    }

    /// Whether there is a keyboard.
    pub(crate) fn present(&self) -> bool {
        self.before.is_some()
    }

    /// The next key; never without a keyboard. Cancel-safe.
    pub(crate) async fn next(&mut self) -> u8 {
        match self.keys.recv().await {
            Some(key) => key,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // There is nothing else to do about a terminal that is gone.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}

impl Key {
    /// What this key asks for, if it is one of ours.
    pub(crate) fn of(byte: u8) -> Option<Key> {
        Some(match byte {
            b'r' => Key::Ask(Ask::Rebuild),
            b'm' => Key::Ask(Ask::Migrate),
            b's' => Key::Ask(Ask::Seed),
            b'o' => Key::Open,
            b'd' => Key::Debugger,
            b'l' => Key::Logs,
            b'c' => Key::Clear,
            b'q' => Key::Quit,
            b'?' | b'h' => Key::Help,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_in_the_help_does_something() {
        let keys = HELP.split("  ").map(|entry| entry.as_bytes()[0]);
        let asked: Vec<Option<Key>> = keys.map(Key::of).collect();
        assert_eq!(asked.len(), 9);
        assert!(asked.iter().all(Option::is_some), "{asked:?}");
        assert_eq!(Key::of(b'x'), None);
    }
}
