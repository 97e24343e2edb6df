//! `ContextFactory`: the app's own code that says who sends a request.

use super::request::ContextRequest;

/// Says who sends a request. Given to [`Builder::context`](crate::Builder::context) and asked for
/// every `POST /graphql/`, before anything is read.
///
/// ```
/// use blazelink::{ContextFactory, ContextRequest, Refused};
///
/// struct Keys;
///
/// impl ContextFactory for Keys {
///     /// The id of a user.
///     type Viewer = i32;
///
///     async fn viewer(&self, request: &ContextRequest<'_>) -> Result<Option<i32>, Refused> {
///         match request.authorization() {
///             None => Ok(None),
///             Some("key of Ann") => Ok(Some(1)),
///             Some(_) => Err(Refused::new("The key is not known")),
///         }
///     }
/// }
///
/// # fn app(blaze: blazelink::Builder) -> blazelink::Builder {
/// blaze.context(Keys)
/// # }
/// ```
pub trait ContextFactory: Send + Sync + 'static {
    /// What the app knows a viewer by. Rules of visibility and computed fields find it again with
    /// [`Viewer::get`](crate::Viewer::get).
    type Viewer: Clone + Eq + Send + Sync + 'static;

    /// The viewer; nothing for nobody in particular.
    ///
    /// # Errors
    ///
    /// The request is answered with status 401 and the refusal's sentence, and nothing is read. One
    /// for which this takes longer than
    /// [`limits::CONTEXT_TIMEOUT`](crate::codes::limits::CONTEXT_TIMEOUT) is answered with 503.
    fn viewer(
        &self,
        request: &ContextRequest<'_>,
    ) -> impl Future<Output = Result<Option<Self::Viewer>, Refused>> + Send;
}

/// Why a request is refused, in words for its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(String);

impl Refused {
    /// A refusal with this sentence. The client reads it: no secrets, nothing of other users.
    pub fn new(sentence: impl Into<String>) -> Refused {
        Refused(sentence.into())
    }

    /// The sentence.
    pub fn sentence(&self) -> &str {
        &self.0
    }
}
