//! Everything that the debugger answers, put together: its pages and their files for anybody, and its
//! API for whom a gate lets in.
//!
//! `service` serves one at an address of its own, `routes` one below a path of the app's.

use std::sync::Arc;

use poem::{Endpoint, EndpointExt, Response, Route};
use poem_openapi::OpenApiService;

use super::api::Api;
use super::gate::{Gate, Gated};
use super::inspector::Inspector;
use super::mischief_api::MischiefApi;
use super::operator_api::OperatorApi;
use super::pages::Pages;
use super::recordings_api::RecordingsApi;
use super::watch::Watch;

/// The debugger for whom the gate lets in. `base` is the path below which it is; empty if that is the
/// root.
pub(crate) fn site(
    inspector: &Arc<Inspector>,
    gate: Gate,
    base: &str,
) -> impl Endpoint<Output = Response> + use<> {
    let inspector = || Arc::clone(inspector);
    let api = OpenApiService::new(
        (
            Api {
                inspector: inspector(),
            },
            RecordingsApi {
                inspector: inspector(),
            },
            OperatorApi {
                inspector: inspector(),
            },
            MischiefApi {
                inspector: inspector(),
            },
        ),
        "Blazelink's debugger",
        env!("CARGO_PKG_VERSION"),
    );
    let pages = Pages::of(&inspector().subject.app, base, &api.spec());
    let spec = api.spec_endpoint();
    let api = Arc::new(Route::new().nest_no_strip("/api", api).map_to_response());
    let answers = Route::new()
        .at("/api/openapi.json", spec)
        .at("/api/watch", Watch::new(Arc::clone(&api)))
        .nest_no_strip("/api", api)
        .map_to_response();
    Route::new()
        .nest_no_strip("/api", Gated::new(gate, answers))
        .nest("/", pages)
        .map_to_response()
}
