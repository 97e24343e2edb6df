//! `Executor`: answers documents. The one way from a request to an answer.
//!
//! document (parsed, validated, kept) -> variables -> plan -> load, root by root -> write.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::Name;
use async_graphql::parser::types::{OperationDefinition, OperationType};
use sea_orm::DatabaseConnection;

use super::document::{self, Document, Documents};
use super::introspection::Introspection;
use super::load::Loader;
use super::loaded::LoadedRoot;
use super::plan::{Plan, Root};
use super::planner;
use super::query_limits::QueryLimits;
use super::request::Request;
use super::response::{Fault, Response};
use super::variables::Variables;
use super::write;
use crate::capture::{CapturedStatements, Captures};
use crate::context::BlazeContext;
use crate::data::SeaOrmAccessor;
use crate::error::Result;
use crate::subscription::{Unwatched, Watch};
use crate::table::TableManager;

/// Answers GraphQL requests from the tables of a registry.
#[derive(Debug)]
pub struct Executor {
    manager: Arc<TableManager>,
    database: DatabaseConnection,
    reads: DatabaseConnection,
    captures: Arc<dyn Captures>,
    documents: Documents,
    introspection: Introspection,
    field_timeout: Duration,
    limits: QueryLimits,
}

impl Executor {
    /// An executor that reads through this connection.
    ///
    /// # Errors
    ///
    /// If the registry makes no valid schema.
    pub fn new(manager: Arc<TableManager>, database: DatabaseConnection) -> Result<Executor> {
        Executor::with_limits(manager, database, QueryLimits::default())
    }

    /// The same, whose requests are bounded otherwise.
    ///
    /// # Errors
    ///
    /// As [`Executor::new`].
    pub fn with_limits(
        manager: Arc<TableManager>,
        database: DatabaseConnection,
        limits: QueryLimits,
    ) -> Result<Executor> {
        Ok(Executor {
            documents: Documents::new(&manager, limits)?,
            introspection: Introspection::new(&manager, &limits)?,
            limits,
            captures: Arc::new(CapturedStatements::new(Arc::clone(&manager))),
            reads: database.clone(),
            database,
            manager,
            field_timeout: blazelink_codes::limits::FIELD_TIMEOUT,
        })
    }

    /// The same with another time that one call of a computed field may take.
    #[must_use]
    pub fn with_field_timeout(mut self, limit: Duration) -> Executor {
        self.field_timeout = limit;
        self
    }

    /// Has computed fields read through this connection instead, which should not be able to do
    /// anything else.
    #[must_use]
    pub fn reading_through(mut self, reads: DatabaseConnection) -> Executor {
        self.reads = reads;
        self
    }

    /// Answers a request in the name of whom `context` says. Roots are read in document order; each
    /// says to `watch` what it depends on before it reads it. The fields of a mutation are written
    /// in document order too, each in a transaction of its own; one that fails keeps none of the
    /// others back.
    ///
    /// Never fails: what goes wrong is told in the answer, in words that hold no SQL.
    pub async fn execute(
        &self,
        request: Request,
        context: &BlazeContext,
        watch: &dyn Watch,
    ) -> Response {
        match self.answer(request, context, watch).await {
            Ok(response) | Err(response) => response,
        }
    }

    async fn answer(
        &self,
        request: Request,
        context: &BlazeContext,
        watch: &dyn Watch,
    ) -> Result<Response, Response> {
        let name = request.operation_name.as_deref();
        let (document, keys) = self.documents.get(&request.query, name).await?;
        let failed = |fault: Fault| Response::failed(&[fault]);
        let (name, operation) = document::operation(&document.parsed, name).map_err(failed)?;
        let operation = &operation.node;
        let types = self.documents.types();
        let variables = Variables::coerce(types, operation, request.variables)
            .map_err(|faults| Response::failed(&faults))?
            .with_keys(keys);
        let plan = self.plan(&document, name, operation, &variables);
        let data = SeaOrmAccessor::new(&self.database, &self.manager, context.viewer())
            .within(self.field_timeout);
        // What a mutation answers is no object that its client watches.
        let watch = match operation.ty {
            OperationType::Mutation => &Unwatched,
            OperationType::Query | OperationType::Subscription => watch,
        };
        let mut loader = Loader {
            manager: &self.manager,
            data: &data,
            variables: &variables,
            context,
            watch,
            reads: &self.reads,
            captures: &self.captures,
            field_timeout: self.field_timeout,
            limits: &self.limits,
            allowance: self.limits.answer_rows,
        };
        let mut roots = Vec::with_capacity(plan.roots.len());
        for field in &plan.roots {
            roots.push(match &field.what {
                Root::Typename(_) => LoadedRoot::Typename,
                Root::Row(root) => loader.row(root).await,
                Root::Page(root) => loader.page(root).await,
                Root::Virtual(root) => loader.virtual_table(root).await,
                Root::Write(root) => loader.write(root).await,
                Root::Introspection(fields) => {
                    let introspection = &self.introspection;
                    introspection
                        .answer(&document.parsed, operation, fields, &variables)
                        .await
                        .map_or_else(LoadedRoot::Failed, LoadedRoot::Introspection)
                }
            });
        }
        Ok(Response::json(
            200,
            write::body(&self.manager, &plan, &roots),
        ))
    }

    /// The operation's plan: the kept one, or a new one, kept if it fits all variables.
    fn plan(
        &self,
        document: &Document,
        name: Option<&Name>,
        operation: &OperationDefinition,
        variables: &Variables,
    ) -> Arc<Plan> {
        let kept = document.plans.get(&name.cloned());
        if let Some(plan) = kept.and_then(|kept| kept.get()) {
            return Arc::clone(plan);
        }
        let (plan, fits_all) = planner::plan(&self.manager, &document.parsed, operation, variables);
        let plan = Arc::new(plan);
        match kept {
            Some(kept) if fits_all => Arc::clone(kept.get_or_init(|| plan)),
            _ => plan,
        }
    }
}
