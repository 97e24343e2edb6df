//! The port that the app will listen on.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use blazelink_codes::{Code, Error, ErrorKind, Result};

/// Ports tried, beginning with the one asked for, before giving up.
const TRIED: u16 = 100;

/// The first free port from `wanted` on.
///
/// # Errors
/// [`Code::Listen`] when none of the next is free, or the system does not let us have it.
pub(crate) fn free(wanted: u16) -> Result<u16> {
    let last = wanted.saturating_add(TRIED - 1);
    for port in wanted..=last {
        match is_free(port) {
            Ok(true) => return Ok(port),
            Ok(false) => {}
            Err(error) => {
                return Err(Error::new(
                    ErrorKind::Setup,
                    Code::Listen,
                    format!("Port {port} cannot be listened on"),
                )
                .with_source(error)
                .with_hint("blazelink dev --port 8000"));
            }
        }
    }
    Err(Error::new(
        ErrorKind::Setup,
        Code::Listen,
        format!("Every port from {wanted} to {last} is taken"),
    )
    .with_hint("blazelink dev --port PORT, with a free one"))
}

/// Free on both loopbacks: `localhost` may mean either, and whoever opens it must find the app.
pub(crate) fn is_free(port: u16) -> io::Result<bool> {
    let loopbacks: [SocketAddr; 2] = [
        (Ipv4Addr::LOCALHOST, port).into(),
        (Ipv6Addr::LOCALHOST, port).into(),
    ];
    for address in loopbacks {
        match TcpListener::bind(address) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Ok(false),
            // A machine without IPv6 has nobody listening there.
            Err(_) if address.is_ipv6() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn taken_port_is_passed_over() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert!(!is_free(port).unwrap());
        assert_ne!(free(port).unwrap(), port);
    }
}
