//! Who may ask: by which names this server is asked, and which pages may ask from elsewhere.
//!
//! `doorway` asks before every route. A browser tells in `Host` by which name it found the server:
//! a name that nobody listed means that some page had its own name lead here (DNS rebinding). In
//! `Origin` it tells whose page asks. Who is no browser sends no `Origin` and is not stopped here.
//!
//! What must stay true: a page of an origin that is not listed opens no websocket and sends no
//! request that changes anything, in development too; only listed origins can read an answer.

use blazelink_codes::Code;
use poem::http::{HeaderMap, Method, Uri, header, uri::Authority};
use url::{Host, Url};

use crate::error::{Error, ErrorKind, Result};

/// The allow-lists of an app.
#[derive(Clone, Debug)]
pub struct Doors {
    /// Whether the server listens on every address that the machine has.
    every_address: bool,
    hosts: Vec<Host>,
    origins: Vec<Origin>,
    /// Whether pages of other ports of this machine may ask.
    local_pages: bool,
}

/// What is done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is answered.
    Admit,
    /// It is answered, and the page of its origin may read the answer.
    Share,
    /// A browser asks whether a page of a listed origin may send a request; it may.
    Preflight,
    /// It is refused.
    Refuse(Refusal),
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It names the server by a name that is not listed.
    Host,
    /// It comes from a page of an origin that is not listed.
    Origin,
}

impl Refusal {
    /// What whoever asked is told.
    pub fn sentence(self) -> &'static str {
        match self {
            Refusal::Host => {
                "This server is not known by the name in the request's Host: list the name in \
                 [server] hosts of Blazelink.toml, or in BLAZELINK_HOSTS"
            }
            Refusal::Origin => {
                "Pages of this Origin may not use this server: list the origin in [server] \
                 origins of Blazelink.toml, or in BLAZELINK_ORIGINS"
            }
        }
    }
}

impl Doors {
    /// The doors of a server that listens on the address `listen`. `local_pages` admits pages from
    /// every port of the machine itself, as development needs them.
    ///
    /// # Errors
    ///
    /// [`Code::ConfigInvalid`] if one of `hosts` is not a name or an address without port, or one
    /// of `origins` not a scheme, a host and perhaps a port.
    pub fn new(
        listen: Host,
        hosts: &[String],
        origins: &[String],
        local_pages: bool,
    ) -> Result<Doors> {
        let every_address = match &listen {
            Host::Ipv4(address) => address.is_unspecified(),
            Host::Ipv6(address) => address.is_unspecified(),
            Host::Domain(_) => false,
        };
        let mut known = vec![listen];
        for text in hosts {
            known.push(listed_host(text).ok_or_else(|| {
                invalid(format!("`{text}` in [server] hosts is no name of a server"))
                    .with_hint("write a name or an address, without port: \"app.example.com\"")
            })?);
        }
        let parsed = origins.iter().map(|text| {
            let origin = Origin::parse(text.strip_suffix('/').unwrap_or(text));
            // A pattern would be taken as the name that it spells.
            origin.filter(|_| !text.contains('*')).ok_or_else(|| {
                invalid(format!("`{text}` in [server] origins is no origin"))
                    .with_hint("write scheme, host and port: \"https://app.example.com\"")
            })
        });
        Ok(Doors {
            every_address,
            hosts: known,
            origins: parsed.collect::<Result<_>>()?,
            local_pages,
        })
    }

    /// What is done with a request. Which of several `Host` or `Origin` headers counts is not
    /// for us to guess: every `Host` must be listed, and two origins are none.
    pub fn judge(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Verdict {
        let named = headers.get_all(header::HOST).into_iter();
        let named = named.map(|host| Authority::try_from(host.as_bytes()).ok());
        let named: Vec<Option<(Host, Option<u16>)>> = named
            .chain(uri.authority().map(|authority| Some(authority.clone())))
            .map(|authority| host_and_port(&authority?))
            .collect();
        let known = |named: &Option<(Host, Option<u16>)>| {
            named.as_ref().is_some_and(|(host, _)| self.knows(host))
        };
        if !named.iter().all(known) {
            return Verdict::Refuse(Refusal::Host);
        }
        let mut origins = headers.get_all(header::ORIGIN).into_iter();
        let Some(origin) = origins.next() else {
            return Verdict::Admit;
        };
        let origin = origin.to_str().ok().and_then(Origin::parse);
        let origin = origin.filter(|_| origins.next().is_none());
        let same = |origin: &Origin| {
            let named = named.first().and_then(Option::as_ref);
            named.is_some_and(|(host, port)| origin.is_of(host, *port))
        };
        let asks_first = *method == Method::OPTIONS
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        match origin {
            Some(origin) if same(&origin) => Verdict::Admit,
            Some(origin) if self.lists(&origin) && asks_first => Verdict::Preflight,
            Some(origin) if self.lists(&origin) => Verdict::Share,
            _ if asks_first || !method.is_safe() || headers.contains_key(header::UPGRADE) => {
                Verdict::Refuse(Refusal::Origin)
            }
            // The browser lets the page read nothing of the answer.
            _ => Verdict::Admit,
        }
    }

    /// Loopback names, and addresses where the server listens on all of them, cannot be made to
    /// lead here by a stranger: only names can.
    fn knows(&self, host: &Host) -> bool {
        let is_address = !matches!(host, Host::Domain(_));
        is_loopback(host) || (is_address && self.every_address) || self.hosts.contains(host)
    }

    fn lists(&self, origin: &Origin) -> bool {
        let local = self.local_pages && origin.scheme == "http";
        self.origins.contains(origin)
            || (local && Host::parse(&origin.host).is_ok_and(|host| is_loopback(&host)))
    }
}

/// Where a page comes from (Fetch standard, `Origin`).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    /// Explicit or the scheme's; none for schemes without.
    port: Option<u16>,
}

impl Origin {
    /// Nothing for `null` and for what holds more than an origin.
    fn parse(text: &str) -> Option<Origin> {
        let url = Url::parse(text).ok()?;
        let origin = Origin {
            scheme: url.scheme().to_owned(),
            host: url.host_str()?.to_owned(),
            port: url.port_or_known_default(),
        };
        let more = text.ends_with('/')
            || !matches!(url.path(), "" | "/")
            || url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some();
        (!more).then_some(origin)
    }

    /// Whether the page comes from the server of this name. The scheme is the page's: a proxy that
    /// ends TLS says nothing of it.
    fn is_of(&self, host: &Host, port: Option<u16>) -> bool {
        let default = match self.scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return false,
        };
        self.host == host.to_string() && self.port == Some(port.unwrap_or(default))
    }
}

fn host_and_port(authority: &Authority) -> Option<(Host, Option<u16>)> {
    let text = authority.as_str();
    let rest = text.strip_prefix(authority.host())?;
    let port = match rest.strip_prefix(':') {
        None if rest.is_empty() => None,
        Some("") => None,
        Some(port) => Some(port.parse().ok()?),
        None => return None,
    };
    Some((Host::parse(authority.host()).ok()?, port))
}

fn listed_host(text: &str) -> Option<Host> {
    let bare_v6 = text.parse().ok().map(Host::Ipv6);
    let host = bare_v6.or_else(|| Host::parse(text).ok());
    host.filter(|_| !text.contains('*'))
}

fn is_loopback(host: &Host) -> bool {
    match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.octets() == [127, 0, 0, 1],
        Host::Ipv6(address) => address.is_loopback(),
    }
}

fn invalid(sentence: String) -> Error {
    Error::new(ErrorKind::Setup, Code::ConfigInvalid, sentence)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const REFUSED: Verdict = Verdict::Refuse(Refusal::Origin);

    fn doors(listen: &str, local_pages: bool) -> Doors {
        let hosts = ["App.example.com".to_owned(), "::2".to_owned()];
        let origins = ["https://app.example.org".to_owned(), "app://x/".to_owned()];
        Doors::new(Host::parse(listen).unwrap(), &hosts, &origins, local_pages).unwrap()
    }

    fn judge(doors: &Doors, method: Method, lines: &[(header::HeaderName, &str)]) -> Verdict {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, value.parse().unwrap());
        }
        doors.judge(&method, &Uri::from_static("/graphql/"), &headers)
    }

    fn post(doors: &Doors, host: &str, origin: &str) -> Verdict {
        let lines = [(header::HOST, host), (header::ORIGIN, origin)];
        judge(doors, Method::POST, &lines)
    }

    #[test]
    fn only_listed_names_lead_to_the_server() {
        let asked = |doors: &Doors, host| judge(doors, Method::GET, &[(header::HOST, host)]);
        let one = doors("192.0.2.1", false);
        for host in [
            "192.0.2.1:8000",
            "192.0.2.1",
            "localhost:8000",
            "LOCALHOST",
            "127.0.0.1:1",
            "[::1]:8000",
            "app.example.com",
            "APP.example.com:443",
            "[::2]",
        ] {
            assert_eq!(asked(&one, host), Verdict::Admit, "{host}");
        }
        for host in [
            "evil.example",
            "192.0.2.2",
            "localhost.evil.example",
            "app.example.com.evil.example",
            "127.0.0.1.evil.example",
            "evil.example@localhost",
            "localhost:8000:9",
            "localhost:99999",
            "",
            "a b",
        ] {
            let refused = Verdict::Refuse(Refusal::Host);
            assert_eq!(asked(&one, host), refused, "{host}");
        }
        let every = doors("0.0.0.0", false);
        assert_eq!(asked(&every, "198.51.100.7:8000"), Verdict::Admit);
        assert_eq!(asked(&every, "[2001:db8::1]"), Verdict::Admit);
        let refused = Verdict::Refuse(Refusal::Host);
        assert_eq!(asked(&every, "evil.example"), refused);
    }

    #[test]
    fn every_name_of_a_request_must_be_listed() {
        let doors = doors("127.0.0.1", true);
        let two = [(header::HOST, "localhost"), (header::HOST, "evil.example")];
        let refused = Verdict::Refuse(Refusal::Host);
        assert_eq!(judge(&doors, Method::GET, &two), refused);
        let uri = Uri::from_static("http://evil.example/graphql/");
        let mut headers = HeaderMap::new();
        assert_eq!(doors.judge(&Method::GET, &uri, &headers), refused);
        headers.insert(header::HOST, "localhost".parse().unwrap());
        assert_eq!(doors.judge(&Method::GET, &uri, &headers), refused);
        assert_eq!(judge(&doors, Method::GET, &[]), Verdict::Admit);
    }

    #[test]
    fn pages_of_the_server_itself_and_whoever_is_no_browser_are_answered() {
        let doors = doors("127.0.0.1", false);
        for (host, origin) in [
            ("localhost:8000", "http://localhost:8000"),
            ("[::1]:8000", "http://[::1]:8000"),
            ("localhost", "http://localhost"),
            // Behind a proxy that ends TLS.
            ("app.example.com", "https://app.example.com"),
            ("app.example.com:443", "https://app.example.com"),
        ] {
            assert_eq!(post(&doors, host, origin), Verdict::Admit, "{origin}");
        }
        let native = [(header::HOST, "localhost:8000")];
        assert_eq!(judge(&doors, Method::POST, &native), Verdict::Admit);
        let native = [native[0].clone(), (header::UPGRADE, "websocket")];
        assert_eq!(judge(&doors, Method::GET, &native), Verdict::Admit);
    }

    #[test]
    fn listed_origins_are_compared_whole() {
        let doors = doors("127.0.0.1", false);
        for origin in [
            "https://app.example.org",
            "https://APP.example.org:443",
            "app://x",
        ] {
            assert_eq!(post(&doors, "localhost", origin), Verdict::Share);
        }
        for origin in [
            "http://app.example.org",
            "https://app.example.org:8443",
            "https://app.example.org.evil.example",
            "https://evil-app.example.org",
            "https://app.example.org/",
            "https://app.example.org@evil.example",
            "https://evil.example?https://app.example.org",
            "app://y",
            "null",
            "",
            "*",
        ] {
            assert_eq!(post(&doors, "localhost", origin), REFUSED, "{origin}");
        }
        let two = [
            (header::HOST, "localhost"),
            (header::ORIGIN, "https://app.example.org"),
            (header::ORIGIN, "https://evil.example"),
        ];
        assert_eq!(judge(&doors, Method::POST, &two), REFUSED);
    }

    #[test]
    fn other_ports_of_the_machine_are_listed_in_development_only() {
        let (development, production) = (doors("127.0.0.1", true), doors("127.0.0.1", false));
        for origin in [
            "http://localhost:5173",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
        ] {
            let asked = |doors| post(doors, "127.0.0.1:8000", origin);
            assert_eq!(asked(&development), Verdict::Share, "{origin}");
            assert_eq!(asked(&production), REFUSED, "{origin}");
        }
        for origin in ["http://localhost.evil.example", "http://127.0.0.2:80"] {
            assert_eq!(post(&development, "localhost", origin), REFUSED);
        }
    }

    #[test]
    fn unlisted_pages_open_no_websocket_and_change_nothing() {
        let doors = doors("127.0.0.1", true);
        let foreign = (header::ORIGIN, "https://evil.example");
        let methods = [Method::POST, Method::PUT, Method::DELETE, Method::CONNECT];
        for method in methods {
            assert_eq!(
                judge(&doors, method, std::slice::from_ref(&foreign)),
                REFUSED
            );
        }
        let socket = [foreign.clone(), (header::UPGRADE, "websocket")];
        assert_eq!(judge(&doors, Method::GET, &socket), REFUSED);
        let first = (header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
        let asked = [foreign.clone(), first.clone()];
        assert_eq!(judge(&doors, Method::OPTIONS, &asked), REFUSED);
        assert_eq!(judge(&doors, Method::GET, &[foreign]), Verdict::Admit);
        let asked = [(header::ORIGIN, "https://app.example.org"), first];
        assert_eq!(judge(&doors, Method::OPTIONS, &asked), Verdict::Preflight);
    }

    #[test]
    fn what_is_no_host_or_origin_is_refused_by_name() {
        let new = |host: &str, origin: &str| {
            let listed = |text: &str| match text {
                "" => Vec::new(),
                text => vec![text.to_owned()],
            };
            let listen = Host::parse("127.0.0.1").unwrap();
            Doors::new(listen, &listed(host), &listed(origin), false)
        };
        for host in ["a.example:80", "http://a.example", "*", "a b"] {
            let error = new(host, "").unwrap_err();
            assert!(error.sentence().contains("[server] hosts"), "{error}");
        }
        for origin in [
            "a.example",
            "https://a.example/path",
            "null",
            "*",
            "https://*.a.example",
        ] {
            let error = new("", origin).unwrap_err();
            assert!(error.sentence().contains("[server] origins"), "{error}");
        }
    }
}
