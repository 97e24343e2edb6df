//! `Executor`: answers documents. The one way from a request to an answer.
//!
//! document (parsed, validated, kept) -> variables -> plan -> load, root by root -> write.

use std::sync::Arc;

use async_graphql::Name;
use async_graphql::parser::types::OperationDefinition;
use blazelink_codes::limits;
use sea_orm::DatabaseConnection;

use super::document::{self, Document, Documents};
use super::introspection::Introspection;
use super::load::Loader;
use super::loaded::LoadedRoot;
use super::plan::{Plan, Root};
use super::planner;
use super::request::Request;
use super::response::{Fault, Response};
use super::variables::Variables;
use super::write;
use crate::context::BlazeContext;
use crate::data::DataAccessor;
use crate::error::Result;
use crate::subscription::Watch;
use crate::table::TableManager;

/// Answers GraphQL requests from the tables of a registry.
#[derive(Debug)]
pub struct Executor {
    manager: Arc<TableManager>,
    database: DatabaseConnection,
    documents: Documents,
    introspection: Introspection,
}

impl Executor {
    /// An executor that reads through this connection.
    ///
    /// # Errors
    ///
    /// If the registry makes no valid schema.
    pub fn new(manager: Arc<TableManager>, database: DatabaseConnection) -> Result<Executor> {
        Ok(Executor {
            documents: Documents::new(&manager)?,
            introspection: Introspection::new(&manager)?,
            database,
            manager,
        })
    }

    /// Answers a request in the name of whom `context` says. Roots are read in document order; each
    /// says to `watch` what it depends on before it reads it.
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
        let data = DataAccessor::new(&self.database, &self.manager, context.viewer());
        let mut loader = Loader {
            manager: &self.manager,
            data: &data,
            variables: &variables,
            context,
            watch,
            allowance: limits::ANSWER_ROWS,
        };
        let mut roots = Vec::with_capacity(plan.roots.len());
        for field in &plan.roots {
            roots.push(match &field.what {
                Root::Typename => LoadedRoot::Typename,
                Root::Row(root) => loader.row(root).await,
                Root::Page(root) => loader.page(root).await,
                Root::Virtual(root) => loader.virtual_table(root).await,
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
