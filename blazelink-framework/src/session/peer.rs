//! Where a client's connection comes from, as far as limits count it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use poem::web::RemoteAddr;

/// An IPv4 address, or the /64 network of an IPv6 address: a single host is given a whole one of
/// these (RFC 6177), so its addresses would count nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Peer(IpAddr);

impl Peer {
    /// The peer at this address.
    pub fn new(address: IpAddr) -> Peer {
        Peer(match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = address.to_bits() & !u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from_bits(network))
            }
            address => address,
        })
    }

    /// The peer of a connection. All that come over something else than IP are one.
    pub fn of(remote: &RemoteAddr) -> Peer {
        let address = remote.as_socket_addr().map(|address| address.ip());
        Peer::new(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_one_host_can_have_are_one_peer() {
        let peer = |text: &str| Peer::new(text.parse().unwrap());
        assert_eq!(peer("2001:db8::1"), peer("2001:db8::ffff:1"));
        assert_ne!(peer("2001:db8::1"), peer("2001:db8:0:1::1"));
        assert_eq!(peer("::ffff:192.0.2.1"), peer("192.0.2.1"));
        assert_ne!(peer("192.0.2.2"), peer("192.0.2.1"));
    }
}
