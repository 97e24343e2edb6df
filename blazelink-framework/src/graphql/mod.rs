//! GraphQL: the schema of all tables, and the executor that answers documents.
//!
//! async-graphql parses, validates, prints the schema and answers introspection. Everything else
//! is ours: plan, load level by level, write. `request` and `response` are the edges.

mod body;
mod check;
mod collect;
mod computed_call;
mod computed_load;
mod computed_planner;
mod computed_values;
mod computed_write;
mod cursor;
mod document;
mod endpoint;
mod executor;
mod identifier;
mod identifier_write;
mod introspection;
mod load;
mod load_page;
mod loaded;
mod locate;
mod measure;
mod mutation;
mod mutation_planner;
mod mutation_schema;
mod mutation_write;
mod order_argument;
mod page_inputs;
mod parents;
mod plan;
mod planner;
mod query_limits;
mod relation_planner;
mod request;
mod response;
mod schema;
mod subscribing;
mod template;
mod types;
mod variables;
mod where_argument;
mod window;
mod write;

pub(crate) use endpoint::GraphqlEndpoint;
pub use executor::Executor;
pub use query_limits::QueryLimits;
pub use request::Request;
pub use response::Response;

/// The GraphQL schema of these tables in GraphQL's schema language; the same with every database,
/// but for the inputs of mutations: what only the database knows of a column (that it has a
/// default, or is computed) is in those of tables that it was asked of (`data::verify`).
///
/// # Errors
///
/// If the registry makes no valid schema.
pub fn sdl(manager: &crate::table::TableManager) -> crate::error::Result<String> {
    Ok(schema::finish(schema::builder(manager, &QueryLimits::default()))?.sdl())
}
