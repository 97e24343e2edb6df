//! The whole wiring, in reading order. Yours to edit.

use blazelink::Builder;

use crate::{api, seed};

/// Everything in `entities` and `tables` is found by itself, and lives under `/graphql/`.
pub fn app(blaze: Builder) -> Builder {
    blaze
        .discover("shooter")
        .seed(seed::run)
        .route("/api", api::routes)
        .embed(blazelink::embed!("templates", "static"))
        .files("/static", "static")
        .page("/", "index.html")
}
