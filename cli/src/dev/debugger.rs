//! Where the app's debugger answers: a socket that the tool holds for as long as it runs, like the app's
//! own, and the key for whoever asks. Both are in `run.json`, which only this user may read.

use std::net::{IpAddr, Ipv4Addr};

use blazelink_codes::Result;

use super::socket::Socket;

/// The first port that is tried.
const PORT: u16 = 9000;

/// The socket and the key.
#[derive(Debug)]
pub(crate) struct Debugger {
    pub(crate) socket: Socket,
    pub(crate) key: String,
}

impl Debugger {
    /// On the first free port of this machine's own address, with a new key.
    ///
    /// # Errors
    /// As [`Socket::bind`].
    pub(crate) fn bind() -> Result<Debugger> {
        Ok(Debugger {
            socket: Socket::bind(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT)?,
            key: format!("{:032x}", rand::random::<u128>()),
        })
    }

    /// The address that opens its pages. The key stands behind the `#`, which browsers send to nobody.
    pub(crate) fn page(&self) -> String {
        format!("{}/#key={}", self.socket.url(), self.key)
    }
}
