//! `BlazeContext` as a connection of SeaORM's: what a computed field reads through it is watched
//! before the statement is sent. It only reads.

use blazelink_codes::Code;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};

use super::in_call::{InCall, outside};
use crate::context::BlazeContext;
use crate::data::Running;
use crate::error::{Error, ErrorKind};

#[async_trait::async_trait]
impl ConnectionTrait for BlazeContext {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, _: Statement) -> Result<ExecResult, DbErr> {
        Err(writes())
    }

    async fn execute_unprepared(&self, _: &str) -> Result<ExecResult, DbErr> {
        Err(writes())
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let call = self.watch(&statement)?;
        let running = Running::begin(&statement.sql);
        let row = call.database.query_one_raw(statement).await;
        running.end(row.iter().flatten().count());
        row
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let call = self.watch(&statement)?;
        let running = Running::begin(&statement.sql);
        let rows = call.database.query_all_raw(statement).await;
        running.end(rows.as_ref().map_or(0, Vec::len));
        rows
    }
}

impl BlazeContext {
    fn watch(&self, statement: &Statement) -> Result<&InCall, DbErr> {
        let call = self.call().ok_or_else(|| refused(outside()))?;
        call.watch(statement).map_err(refused)?;
        Ok(call)
    }
}

fn writes() -> DbErr {
    refused(
        Error::new(
            ErrorKind::Setup,
            Code::StatementRefused,
            "A computed field only reads",
        )
        .with_hint("read with query_one or query_all, and write in a route of the app's own"),
    )
}

fn refused(error: Error) -> DbErr {
    DbErr::Custom(format!("{error:#}"))
}
