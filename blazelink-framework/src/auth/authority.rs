//! `Authority`: whom the app trusts to say who asks. Asked by the endpoint of documents and by the
//! tasks of websockets; what the app gave is held here, whatever its types.

use std::fmt;
use std::panic::AssertUnwindSafe;

use blazelink_codes::limits;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::authenticator::{Authenticator, AuthorizeEvent, Grant};
use super::factory::{ContextFactory, Refused};
use super::request::ContextRequest;
use crate::viewer::{Viewer, ViewerForm};

/// The app's [`ContextFactory`] and [`Authenticator`]. By default it has neither: everybody is
/// anonymous, and `AuthorizeEvent` is ignored.
#[derive(Default)]
pub struct Authority {
    factory: Option<Box<dyn AnyFactory>>,
    authenticator: Option<Box<dyn AnyAuthenticator>>,
    viewers: ViewerForm,
}

/// What became of an [`AuthorizeEvent`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorized {
    /// Nobody judges it.
    Ignored,
    /// The client is granted nothing.
    Refused,
    /// The client is granted this.
    Granted(Grant),
}

/// Why nobody knows who sends a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// The app refuses it.
    Refused(Refused),
    /// The app has not said in time.
    TooSlow,
}

impl Authority {
    /// From now on asks this factory who sends a request.
    #[must_use]
    pub fn with_context(mut self, factory: impl ContextFactory) -> Authority {
        self.factory = Some(Box::new(factory));
        self
    }

    /// From now on has events judged by this authenticator.
    #[must_use]
    pub fn with_authenticator(mut self, authenticator: impl Authenticator) -> Authority {
        self.authenticator = Some(Box::new(authenticator));
        self
    }

    /// From now on writes viewers into recordings in this form.
    #[must_use]
    pub(crate) fn recording_viewers(mut self, viewers: ViewerForm) -> Authority {
        self.viewers = viewers;
        self
    }

    /// How viewers are written into recordings.
    pub(crate) fn viewer_form(&self) -> ViewerForm {
        self.viewers
    }

    /// Who sends a request.
    ///
    /// # Errors
    ///
    /// If the app refuses the request, or takes longer than [`limits::CONTEXT_TIMEOUT`].
    pub async fn viewer(&self, request: &ContextRequest<'_>) -> Result<Viewer, Unknown> {
        let Some(factory) = &self.factory else {
            return Ok(Viewer::anonymous());
        };
        let asked = tokio::time::timeout(limits::CONTEXT_TIMEOUT, factory.viewer(request));
        match asked.await {
            Ok(answer) => answer.map_err(Unknown::Refused),
            Err(_) => {
                tracing::error!("the app takes too long to say who sends a request: it is refused");
                Err(Unknown::TooSlow)
            }
        }
    }

    /// What a client that says this of itself is granted: nothing if the app's code panics, or
    /// takes longer than [`limits::CONTEXT_TIMEOUT`].
    pub async fn authorize(&self, event: &AuthorizeEvent) -> Authorized {
        let Some(authenticator) = &self.authenticator else {
            return Authorized::Ignored;
        };
        let judged = async { authenticator.authenticate(event).await };
        let judged = AssertUnwindSafe(judged).catch_unwind();
        match tokio::time::timeout(limits::CONTEXT_TIMEOUT, judged).await {
            Ok(Ok(Some(grant))) => Authorized::Granted(grant),
            Ok(Ok(None)) => Authorized::Refused,
            Err(_) => {
                tracing::error!("the authenticator takes too long: its client is refused");
                Authorized::Refused
            }
            Ok(Err(_)) => {
                tracing::error!("the authenticator panicked: its client is refused");
                Authorized::Refused
            }
        }
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("factory", &self.factory.is_some())
            .field("authenticator", &self.authenticator.is_some())
            .finish()
    }
}

trait AnyFactory: Send + Sync {
    fn viewer<'a>(
        &'a self,
        request: &'a ContextRequest<'a>,
    ) -> BoxFuture<'a, Result<Viewer, Refused>>;
}

impl<F: ContextFactory> AnyFactory for F {
    fn viewer<'a>(
        &'a self,
        request: &'a ContextRequest<'a>,
    ) -> BoxFuture<'a, Result<Viewer, Refused>> {
        Box::pin(async move {
            let viewer = ContextFactory::viewer(self, request).await?;
            Ok(viewer.map_or_else(Viewer::anonymous, Viewer::new))
        })
    }
}

trait AnyAuthenticator: Send + Sync {
    fn authenticate<'a>(&'a self, event: &'a AuthorizeEvent) -> BoxFuture<'a, Option<Grant>>;
}

impl<A: Authenticator> AnyAuthenticator for A {
    fn authenticate<'a>(&'a self, event: &'a AuthorizeEvent) -> BoxFuture<'a, Option<Grant>> {
        Box::pin(Authenticator::authenticate(self, event))
    }
}

#[cfg(test)]
mod tests {
    use poem::Request;

    use super::*;

    /// The app's code, when what it asks does not answer.
    struct Stuck;

    impl ContextFactory for Stuck {
        type Viewer = i32;

        async fn viewer(&self, _: &ContextRequest<'_>) -> Result<Option<i32>, Refused> {
            std::future::pending().await
        }
    }

    impl Authenticator for Stuck {
        async fn authenticate(&self, _: &AuthorizeEvent) -> Option<Grant> {
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_without_end_for_the_app_to_say_who_asks() {
        let authority = Authority::default()
            .with_context(Stuck)
            .with_authenticator(Stuck);
        let request = Request::default();
        let viewer = authority.viewer(&ContextRequest::new(&request)).await;
        assert_eq!(viewer.err(), Some(Unknown::TooSlow));
        let event = AuthorizeEvent {
            secret: String::new(),
            handle: String::new(),
        };
        assert_eq!(authority.authorize(&event).await, Authorized::Refused);
    }
}
