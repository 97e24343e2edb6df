//! Every path the app answers, in one place.
//!
//! `/graphql/` and `/ws/connect` are the original's; `/blazelink/client.js` is the browser's
//! client; `/blazelink/dev/..` is there while `blazelink dev` runs the app; `/health` and `/ready`
//! are for those who keep it running, and `/metrics` where the settings say so; everything else is the app's own: pages, folders, endpoints.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use blazelink_codes::Code;
use poem::endpoint::{BoxEndpoint, make_sync};
use poem::error::RouteError;
use poem::http::{StatusCode, header};
use poem::{Endpoint, EndpointExt, IntoEndpoint, Response, Route};
use sea_orm::DatabaseConnection;
use url::Host;

use crate::auth::Authority;
use crate::config::{Config, Environment};
use crate::debugger::{self, Gate, Inspector, Lookers};
use crate::dev;
use crate::embedded::Embedded;
use crate::error::{Error, ErrorKind, Result};
use crate::files;
use crate::graphql::{Executor, GraphqlEndpoint};
use crate::health::{self, HEALTH, Pulse, READY};
use crate::meters::{METRICS, Scrape};
use crate::observed::Observed;
use crate::pages::Pages;
use crate::request_cause::Causes;
use crate::subscription::SubscriptionManager;
use crate::transport::{Doors, Doorway, WebSocketTransport};

/// Where documents are answered.
const GRAPHQL: &str = "/graphql/";

/// The browser's client: the built module of `client/`, which a test keeps equal to its source.
const CLIENT: &str = include_str!("../client/dist/blazelink.js");

/// Makes an endpoint of the app's own, once the pool is there.
pub(crate) type MakeEndpoint = Box<dyn FnOnce(DatabaseConnection) -> BoxEndpoint<'static> + Send>;

/// What the app declared besides its tables.
#[derive(Default)]
pub(crate) struct Declared {
    /// Path and template.
    pub(crate) pages: Vec<(String, String)>,
    /// Path and folder of the project.
    pub(crate) folders: Vec<(String, PathBuf)>,
    /// Files of the project that are in the program.
    pub(crate) embedded: Embedded,
    /// Path prefix and endpoint.
    pub(crate) endpoints: Vec<(String, MakeEndpoint)>,
    /// Path prefix of the debugger, and for whom it is there.
    pub(crate) debugger: Option<(String, Lookers)>,
}

/// What answers requests and sockets.
pub(crate) struct Served {
    pub(crate) executor: Arc<Executor>,
    pub(crate) subscriptions: Arc<SubscriptionManager>,
    pub(crate) authority: Arc<Authority>,
    /// What the app's own endpoints are given.
    pub(crate) database: DatabaseConnection,
    /// What is known of the app's health.
    pub(crate) pulse: Pulse,
    /// What answers with metrics, if that is to be here.
    pub(crate) metrics: Option<Scrape>,
    /// What the debugger's pages are answered from, if there is one.
    pub(crate) inspector: Option<Arc<Inspector>>,
}

/// Whom an app lets in, by its settings.
///
/// # Errors
///
/// If a host or an origin of the settings is none.
pub(crate) fn doors(config: &Config) -> Result<Doors> {
    let listen = match config.listen.ip() {
        IpAddr::V4(address) => Host::Ipv4(address),
        IpAddr::V6(address) => Host::Ipv6(address),
    };
    let local_pages = config.environment == Environment::Development;
    Doors::new(listen, &config.hosts, &config.origins, local_pages)
}

/// Puts all paths of an app together, behind its doors.
///
/// # Errors
///
/// If a path is no path or is declared twice, or if a page's template cannot be used.
pub(crate) fn assemble(
    config: &Config,
    doors: Doors,
    served: Served,
    declared: Declared,
) -> Result<Observed<Doorway<Route>>> {
    let Served {
        executor,
        subscriptions,
        authority,
        database,
        pulse,
        metrics,
        inspector,
    } = served;
    let meters = subscriptions.meters().clone();
    let connections = Arc::clone(subscriptions.connections());
    let websocket = WebSocketTransport::new(Arc::clone(&subscriptions))
        .authority(Arc::clone(&authority))
        .messages_per_second(config.limits.messages_per_second)
        .frame_bytes(config.limits.frame_bytes);
    let debugger = declared.debugger.zip(inspector).map(|(at, inspector)| {
        let (path, lookers) = at;
        let authority = Arc::clone(&authority);
        let gate = Gate::App { authority, lookers };
        let site = debugger::site(&inspector, gate, path.trim_end_matches('/'));
        (path, site)
    });
    let graphql =
        GraphqlEndpoint::new(executor, Arc::clone(&subscriptions), authority, &config.app)
            .body_bytes(config.limits.body_bytes);
    let mut route = Route::new();
    route = at(route, GRAPHQL, graphql)?;
    route = at(
        route,
        GRAPHQL.trim_end_matches('/'),
        make_sync(|_| to_slash()),
    )?;
    route = at(route, "/ws/connect", websocket)?;
    route = at(route, "/blazelink/client.js", make_sync(|_| client()))?;

    route = at(route, HEALTH, make_sync(|request| health::health(&request)))?;
    route = at(
        route,
        READY,
        make_sync(move |request| health::ready(&request, &pulse)),
    )?;

    if let Some(metrics) = metrics {
        route = at(route, METRICS, metrics)?;
    }

    if let Some(channel) = &config.dev {
        let channel = channel.clone();
        route = at(
            route,
            dev::EVENTS,
            make_sync(move |_| dev::events(&channel)),
        )?;
        route = at(route, dev::SCRIPT, make_sync(|_| dev::script()))?;
        if let Some(debugger) = &config.debugger.at {
            route = at(route, dev::BADGE, make_sync(|_| dev::badge()))?;
            if let Some(to_debugger) = dev::ToDebugger::of(debugger, connections) {
                route = at(route, dev::DEBUGGER, poem::get(to_debugger))?;
            }
        }
        if let Some(events) = config.events.clone() {
            let answers = dev::Answers { events };
            route = at(route, dev::ANSWER, poem::post(answers))?;
        }
    }

    let pages = Pages::of(config, declared.embedded);
    let causes = Causes(subscriptions);
    for (path, template) in declared.pages {
        route = at(route, &path, pages.page(&template)?)?;
    }
    for (path, folder) in declared.folders {
        let files = files::folder(config, declared.embedded, &folder);
        route = below(route, &path, files)?;
    }
    for (path, make) in declared.endpoints {
        let endpoint = make(database.clone()).data(causes.clone());
        route = below(route, &path, endpoint)?;
    }
    if let Some((path, site)) = debugger {
        route = below(route, &path, site)?;
    }
    let doorway = Doorway::new(doors, route).open_at(&[HEALTH, READY]);
    Ok(Observed::new(meters, doorway))
}

/// Serves an endpoint under a path and everything below it.
fn below<E>(route: Route, path: &str, endpoint: E) -> Result<Route>
where
    E: IntoEndpoint,
    E::Endpoint: Endpoint + 'static,
{
    // poem takes these in the path of a page only, and panics here.
    if path.contains(['*', ':', '<']) {
        return Err(not_a_path(path, RouteError::InvalidPath(path.to_owned())));
    }
    route
        .try_nest(path, endpoint)
        .map_err(|error| not_a_path(path, error))
}

fn at<E>(route: Route, path: &str, endpoint: E) -> Result<Route>
where
    E: IntoEndpoint,
    E::Endpoint: Endpoint + 'static,
{
    route
        .try_at(path, endpoint)
        .map_err(|error| not_a_path(path, error))
}

fn not_a_path(path: &str, error: RouteError) -> Error {
    Error::new(
        ErrorKind::Setup,
        Code::Route,
        format!("`{path}` cannot be served"),
    )
    .with_source(error)
    .with_hint("give each page, folder and endpoint a path of its own that begins with /")
}

/// The original's answer to its own path without the slash. 307 keeps method and body.
fn to_slash() -> Response {
    Response::builder()
        .status(StatusCode::TEMPORARY_REDIRECT)
        .header(header::LOCATION, GRAPHQL)
        .finish()
}

fn client() -> Response {
    Response::builder()
        .content_type("text/javascript; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-cache")
        .body(CLIENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_of_a_folder_that_holds_a_pattern_is_refused_by_name() {
        for path in ["/files/*", "/files/:name", "/files/<[a-z]+>"] {
            let refused = below(Route::new(), path, make_sync(|_| ()));
            let sentence = refused.err().map(|error| error.sentence().to_owned());
            assert_eq!(sentence, Some(format!("`{path}` cannot be served")));
        }
        assert!(below(Route::new(), "/files", make_sync(|_| ())).is_ok());
    }
}
