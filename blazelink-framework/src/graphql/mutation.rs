//! Answers the fields of `Mutation`: from a client's input to a row that was written, and back to
//! what is selected of it. Called by the executor, one field after the other.
//!
//! What must stay true: each field is a transaction of its own, made in document order; what a
//! field answers is read after its commit, as its viewer sees it, and nothing of it is watched.

use std::collections::BTreeMap;

use async_graphql_value::ConstValue;

use super::identifier::Identifier;
use super::load::{Loader, Read, tell};
use super::loaded::{LoadedRoot, LoadedRows, LoadedWritten};
use super::plan::{WriteRoot, WrittenField};
use super::response::Problem;
use super::variables::into_json;
use crate::data::{Intent, Refusal, write};
use crate::object_id::{Key, ObjectId};
use crate::table::{Operation, TableDef};

impl Loader<'_> {
    pub(super) async fn write(&mut self, root: &WriteRoot) -> LoadedRoot {
        let table = self.manager.table(root.table);
        let key = match root.operation {
            Operation::Create => None,
            Operation::Update | Operation::Delete => {
                let identifier = self.variables.resolve(root.identifier.as_ref());
                match Identifier::read(self.manager, table, identifier.as_ref()) {
                    Ok(identifier) => Some(identifier.key),
                    Err(message) => return LoadedRoot::Failed(message),
                }
            }
        };
        let input = self.variables.resolve(root.input.as_ref());
        let intent = Intent {
            table,
            operation: root.operation,
            key,
            values: values(table, root.operation, input),
            cause: self
                .context
                .cause(|| format!("mutation {}", table.mutation(root.operation))),
        };
        let written = match write(self.data, self.context.viewer(), intent).await {
            Ok(written) => written,
            Err(refused) => return LoadedRoot::Refused(problems(table, refused)),
        };
        let rows = self.written(table, root, &written.key).await;
        LoadedRoot::Written(Box::new(LoadedWritten {
            key: written.key,
            version: written.version,
            rows,
        }))
    }

    /// The row as the viewer sees it now.
    ///
    /// # Errors
    ///
    /// The message for the error of the fields that select of it: it is written all the same.
    async fn written(
        &mut self,
        table: &TableDef,
        root: &WriteRoot,
        key: &Key,
    ) -> Result<LoadedRows, String> {
        let Some(statement) = &root.statement else {
            return Ok(LoadedRows::default());
        };
        let object = ObjectId::row(table.id, key.clone());
        let mut read = Read::begin(self, self.watch, object, 0);
        let batch = match read.loader.data.by_key(statement, key).await {
            Ok(batch) => batch,
            Err(error) => return Err(tell(&error)),
        };
        let rows = WriteRoot::rows(&root.fields);
        let selections = read.selections(&batch, statement, rows).await;
        let selections = selections.map_err(|error| tell(&error))?;
        Ok(LoadedRows { batch, selections })
    }
}

impl WriteRoot {
    /// The selections of the row, in the order of their numbers.
    pub(super) fn rows(
        fields: &[super::plan::Field<WrittenField>],
    ) -> impl Iterator<Item = &super::plan::RowSelection> {
        fields.iter().filter_map(|field| match &field.what {
            WrittenField::Row { selection, .. } => Some(selection),
            _ => None,
        })
    }
}

/// An input's values by the positions of their columns. What an input has not is refused by
/// validation, and passed over here.
fn values(
    table: &TableDef,
    operation: Operation,
    input: Option<ConstValue>,
) -> BTreeMap<usize, serde_json::Value> {
    let Some(ConstValue::Object(mut fields)) = input else {
        return BTreeMap::new();
    };
    let mut take = |(at, column): (usize, &crate::table::Column)| {
        let value = fields.swap_remove(column.field())?;
        Some((at, into_json(value)))
    };
    match operation {
        Operation::Create => table.creatable().filter_map(&mut take).collect(),
        Operation::Update => table.updatable().filter_map(&mut take).collect(),
        Operation::Delete => BTreeMap::new(),
    }
}

/// The refusals as errors, each with the path to its value in the arguments.
fn problems(table: &TableDef, refused: Vec<Refusal>) -> Vec<Problem> {
    let problem = |refusal: Refusal| Problem {
        message: refusal.sentence,
        code: refusal.code,
        input: match refusal.column {
            Some(at) => vec!["input".to_owned(), table.columns[at].field().to_owned()],
            None => Vec::new(),
        },
    };
    refused.into_iter().map(problem).collect()
}
