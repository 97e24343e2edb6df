//! `RequestCause`: what a request of the app's own endpoints says in the log of the transactions that it
//! makes, so that whoever looks learns what has made them. Mutations say it by themselves.
//!
//! `routes` hands each of these endpoints what it is made of. What must stay true: while nobody looks,
//! nothing is written.

use std::sync::Arc;

use poem::{FromRequest, Request, RequestBody};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};

use crate::cause;
use crate::context::BlazeContext;
use crate::session::SessionId;
use crate::subscription::SubscriptionManager;

/// What has made a transaction: a request of an endpoint of the app's own. It is an extractor, so an
/// endpoint takes it as a parameter.
///
/// The debugger then says of the transaction `POST /api/orders`, which session it was, if the request has
/// the header `session_id` of one, and names the request, instead of not knowing.
///
/// ```
/// use blazelink::RequestCause;
/// use poem::web::Data;
/// use poem::{EndpointExt, Route, handler, post};
/// use sea_orm::{ConnectionTrait, DatabaseConnection, TransactionTrait};
///
/// #[handler]
/// async fn clear(cause: RequestCause, db: Data<&DatabaseConnection>) -> poem::Result<()> {
///     let failed = poem::error::ServiceUnavailable;
///     let transaction = db.begin().await.map_err(failed)?;
///     cause.say_in(&transaction).await.map_err(failed)?;
///     transaction.execute_unprepared("DELETE FROM note").await.map_err(failed)?;
///     transaction.commit().await.map_err(failed)?;
///     Ok(())
/// }
///
/// # fn app(blaze: blazelink::Builder) -> blazelink::Builder {
/// blaze.route("/clear", |db| Route::new().at("/", post(clear)).data(db))
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct RequestCause {
    /// Nothing if nobody looks.
    said: Option<(BlazeContext, String)>,
}

impl RequestCause {
    /// The same under this name, instead of the request's method and path.
    #[must_use]
    pub fn named(mut self, operation: &str) -> RequestCause {
        if let Some((_, name)) = &mut self.said {
            operation.clone_into(name);
        }
        self
    }

    /// Has this transaction say in the log what has made it. The default says nothing, and so does a
    /// request while nobody looks.
    ///
    /// # Errors
    ///
    /// If Postgres does not take it: the transaction is broken then, as after any statement that fails.
    pub async fn say_in(&self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        let message = self.said.as_ref();
        let message = message.and_then(|(context, operation)| context.cause(|| operation.clone()));
        if let Some(message) = message {
            transaction.execute_raw(cause::statement(message)).await?;
        }
        Ok(())
    }
}

/// What causes are made of: the endpoints of the app's own find it with their requests.
#[derive(Clone)]
pub(crate) struct Causes(pub(crate) Arc<SubscriptionManager>);

impl Causes {
    fn of(&self, request: &Request) -> RequestCause {
        let recorder = self.0.recorder();
        if !recorder.is_on() {
            return RequestCause::default();
        }
        let context = BlazeContext::anonymous().sealing(recorder.seal().clone());
        let session = request.header("session_id").and_then(SessionId::new);
        let session = session.and_then(|id| self.0.connections().label(&id));
        let context = match session {
            Some(label) => context.in_session(label),
            None => context,
        };
        let path = request.original_uri().path();
        let operation = format!("{} {path}", request.method());
        RequestCause {
            said: Some((context, operation)),
        }
    }
}

impl<'a> FromRequest<'a> for RequestCause {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let causes = request.data::<Causes>();
        Ok(causes.map(|causes| causes.of(request)).unwrap_or_default())
    }
}
