//! The socket that the tool holds for as long as it runs, whichever app answers on it.
//!
//! Bound before anything else, so that whoever opens the page early waits for the app instead of
//! being refused. Apps are passed a copy; the tool answers on it while there is none.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use blazelink_codes::{Code, Error, ErrorKind, Result};

use super::holder;

/// Ports tried, beginning with the one asked for, before giving up.
const TRIED: u16 = 100;

/// A socket that listens.
#[derive(Debug)]
pub(crate) struct Socket {
    listener: TcpListener,
    address: SocketAddr,
    /// Who has the port that was asked for, in words, if that was not to be had.
    pub(crate) taken_by: Option<String>,
}

impl Socket {
    /// Listens on `host`, on the first free port from `wanted` on.
    ///
    /// # Errors
    /// [`Code::Listen`] when none of the next is free, or the system does not let us have it.
    pub(crate) fn bind(host: IpAddr, wanted: u16) -> Result<Socket> {
        let last = wanted.saturating_add(TRIED - 1);
        let mut taken_by = None;
        for port in wanted..=last {
            match listen(host, port) {
                Ok(Some(listener)) => {
                    let address = listener
                        .local_addr()
                        .map_err(|error| refused(port, error))?;
                    return Ok(Socket {
                        listener,
                        address,
                        taken_by,
                    });
                }
                Ok(None) if port == wanted => {
                    taken_by = Some(holder::of(port).unwrap_or_else(|| "another process".into()));
                }
                Ok(None) => {}
                Err(error) => return Err(refused(port, error)),
            }
        }
        Err(Error::new(
            ErrorKind::Setup,
            Code::Listen,
            format!("Every port from {wanted} to {last} is taken"),
        )
        .with_hint("blazelink dev --port PORT, with a free one"))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A copy: the same socket, with the connections that wait on it.
    ///
    /// # Errors
    /// [`Code::System`] when the process has too many files open.
    pub(crate) fn copy(&self) -> Result<TcpListener> {
        self.listener.try_clone().map_err(|error| {
            let sentence = "The socket cannot be passed on";
            Error::new(ErrorKind::Setup, Code::System, sentence).with_source(error)
        })
    }

    /// What to open in a browser.
    pub(crate) fn url(&self) -> String {
        match self.address.ip() {
            ip if ip.is_unspecified() => format!("http://localhost:{}", self.address.port()),
            _ => format!("http://{}", self.address),
        }
    }
}

fn refused(port: u16, error: io::Error) -> Error {
    let sentence = format!("Port {port} cannot be listened on");
    Error::new(ErrorKind::Setup, Code::Listen, sentence)
        .with_source(error)
        .with_hint("blazelink dev --port 8000")
}

/// Nothing if somebody else listens there. `localhost` may mean either loopback, and whoever opens
/// it must find the app.
fn listen(host: IpAddr, port: u16) -> io::Result<Option<TcpListener>> {
    let others: &[IpAddr] = match host {
        IpAddr::V4(_) => &[IpAddr::V6(Ipv6Addr::LOCALHOST)],
        IpAddr::V6(_) => &[IpAddr::V4(Ipv4Addr::LOCALHOST)],
    };
    for other in others.iter().filter(|_| port != 0) {
        match TcpListener::bind((*other, port)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Ok(None),
            // A machine without it has nobody listening there.
            Ok(_) | Err(_) => {}
        }
    }
    match TcpListener::bind((host, port)) {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn taken_port_is_passed_over_and_its_holder_told() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let socket = Socket::bind(Ipv4Addr::LOCALHOST.into(), port).unwrap();
        assert_ne!(socket.address().port(), port);
        let holder = socket.taken_by.unwrap();
        if cfg!(target_os = "linux") {
            let id = std::process::id().to_string();
            assert!(holder.contains(&format!("process {id}")), "{holder}");
        }
    }
}
