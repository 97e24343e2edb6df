//! `CapturedStatements`: the shapes of all statements that computed fields have sent, and what was
//! told of them. One for the executor, shared by all requests; its mutexes are held for a look-up.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use blazelink_codes::{Code, limits};
use sea_orm::Statement;

use super::analyse::analyse;
use super::in_call::{Captures, FieldName};
use super::shape::Shape;
use crate::error::{Error, ErrorKind, Result};
use crate::subscription::Dependency;
use crate::table::TableManager;

/// What statements read, for the tables of a registry.
#[derive(Debug)]
pub(crate) struct CapturedStatements {
    manager: Arc<TableManager>,
    shapes: Mutex<HashMap<Box<str>, Arc<Shape>>>,
    told: Mutex<HashSet<(FieldName, String)>>,
}

impl CapturedStatements {
    pub(crate) fn new(manager: Arc<TableManager>) -> CapturedStatements {
        CapturedStatements {
            manager,
            shapes: Mutex::default(),
            told: Mutex::default(),
        }
    }

    /// The shape of a text: the kept one, or a new one.
    fn shape(&self, sql: &str) -> Arc<Shape> {
        let kept = self
            .shapes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(sql)
            .cloned();
        if let Some(shape) = kept {
            return shape;
        }
        let shape = Arc::new(analyse(sql, self.manager.catalog(), self.manager.tables()));
        if sql.len() <= limits::CAPTURED_KEPT_BYTES {
            let mut shapes = self.shapes.lock().unwrap_or_else(PoisonError::into_inner);
            if shapes.len() >= limits::CAPTURED_SHAPES {
                shapes.clear();
            }
            shapes.insert(sql.into(), Arc::clone(&shape));
        }
        shape
    }

    /// Tells once per field what cannot be live, or costs more than its author may think.
    fn tell(&self, shape: &Shape, field: FieldName) {
        let of = &self.manager.table(field.table).entity;
        let field_name = field.field;
        for lost in &shape.lost {
            if self.is_new(field, lost.to_string()) {
                tracing::warn!(
                    "`{of}.{field_name}` reads {lost}, so nobody is told when it changes: expose \
                     the table, or say with `on = \"..\"` what the field depends on"
                );
            }
        }
        if let Some(reason) = &shape.opaque
            && self.is_new(field, reason.clone())
        {
            tracing::warn!(
                "`{of}.{field_name}` is told of every commit, because a statement of it cannot be \
                 looked through: {reason}; say with `on = \"..\"` what the field depends on"
            );
        }
        if let Some(function) = &shape.timely
            && self.is_new(field, format!("{function}()"))
        {
            tracing::info!(
                "`{of}.{field_name}` calls `{function}`, so its value changes without a commit, \
                 and nobody is told of that"
            );
        }
    }

    fn is_new(&self, field: FieldName, sentence: String) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.len() < limits::CAPTURED_WARNINGS && told.insert((field, sentence))
    }
}

impl Captures for CapturedStatements {
    fn dependencies(&self, statement: &Statement, field: FieldName) -> Result<Vec<Dependency>> {
        let shape = self.shape(&statement.sql);
        if let Some(reason) = shape.refused {
            return Err(refused(reason));
        }
        if !shape.lost.is_empty() || shape.opaque.is_some() || shape.timely.is_some() {
            self.tell(&shape, field);
        }
        let bound = statement.values.as_ref().map(|values| values.0.as_slice());
        Ok(shape.bind(self.manager.tables(), bound.unwrap_or_default()))
    }

    fn check(&self, statement: &Statement) -> Result<()> {
        self.shape(&statement.sql)
            .refused
            .map_or(Ok(()), |reason| Err(refused(reason)))
    }
}

fn refused(reason: &str) -> Error {
    Error::new(
        ErrorKind::Setup,
        Code::StatementRefused,
        format!("A computed field only reads, and this statement was not sent: {reason}"),
    )
    .with_hint("send one SELECT, and write in a route of the app's own")
}
