//! Where an app says who asks: [`ContextFactory`] for requests, [`Authenticator`] for websockets.
//!
//! What both may see of a client, a secret above all, is in no log.

mod authenticator;
mod authority;
mod factory;
mod request;

pub use authenticator::{Authenticator, AuthorizeEvent, Grant, Monitoring};
pub use authority::{Authority, Authorized, Unknown};
pub use factory::{ContextFactory, Refused};
pub use request::ContextRequest;
