//! The whole wiring, in reading order.

use blazelink::Builder;

use crate::{api, seed};

/// The app: every entity and the players' statistics live under `/graphql/`, the JSON endpoint under `/api`, one page at `/`.
pub fn app(blaze: Builder) -> Builder {
    blaze
        .discover("shooter")
        .seed(seed::run)
        .route("/api", api::routes)
        .files("/static", "static")
        .page("/", "index.html")
}
