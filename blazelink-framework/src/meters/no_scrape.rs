//! Nothing is read: the program is built without the feature `metrics`, and says so where its settings
//! ask for them.

use std::sync::Arc;

use blazelink_codes::Code;
use poem::{Endpoint, Request, Response};

use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::health::Pulse;
use crate::pools::Pools;
use crate::subscription::SubscriptionManager;

/// What would answer with metrics: there never is one.
#[derive(Debug)]
pub(crate) enum Scrape {}

impl Scrape {
    /// None.
    ///
    /// # Errors
    ///
    /// If the settings say where metrics are served.
    pub(crate) fn of(
        config: &Config,
        _subscriptions: &Arc<SubscriptionManager>,
        _pulse: &Pulse,
        _pools: &Pools,
    ) -> Result<Option<Scrape>> {
        if config.metrics.is_none() {
            return Ok(None);
        }
        let sentence = "Metrics are asked for, and this program is built without them";
        Err(Error::new(ErrorKind::Setup, Code::ConfigInvalid, sentence).with_hint(
            "add the feature: cargo add blazelink-framework --features metrics; or take [server] metrics away",
        ))
    }
}

impl Endpoint for Scrape {
    type Output = Response;

    async fn call(&self, _: Request) -> poem::Result<Response> {
        match *self {}
    }
}
