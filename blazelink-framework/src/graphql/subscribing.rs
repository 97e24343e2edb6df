//! Asks the app before a session begins to watch an object that its client names: a root, or what
//! stands in a root's identifier as a dependency. What an answer needs besides is not asked for: of
//! that only the root is told. Nothing is locked meanwhile, and nothing is watched yet: an answer
//! that is refused leaves no trace.

use std::sync::Arc;

use super::computed_call::guarded;
use super::load::Loader;
use crate::capture::{FieldName, InCall};
use crate::object_id::{Key, ObjectId, TableId};
use crate::subscription::{Reading, Unwatched};
use crate::table::{FieldError, TableDef};

impl Loader<'_> {
    /// Whether the object may be watched.
    ///
    /// # Errors
    ///
    /// The message for the root's error.
    pub(super) async fn ask(
        &self,
        table: &TableDef,
        object: &ObjectId,
        selection: u64,
    ) -> Result<(), String> {
        if table.on_subscribe.is_empty() || !self.watch.is_new(object, selection) {
            return Ok(());
        }
        // What the app looks at to decide is not part of the answer.
        let unwatched: Arc<dyn Reading> = Arc::new(Unwatched);
        let asking = FieldName {
            table: table.id,
            field: "on_subscribe",
            declared: false,
        };
        let (reads, captures) = (self.reads.clone(), Arc::clone(self.captures));
        let within = InCall::new(reads, captures, asking, &unwatched);
        let context = self.context.in_call(Arc::new(within));
        for ask in &table.on_subscribe {
            let asked = guarded(self.field_timeout, async { ask(&context, object).await });
            asked.await.map_err(|error| self.told(table, &error))?;
        }
        Ok(())
    }

    /// The same of everything that a client names with a root.
    ///
    /// # Errors
    ///
    /// As [`Loader::ask`].
    pub(super) async fn ask_named<'n>(
        &self,
        named: impl Iterator<Item = (TableId, Option<&'n Key>)> + Send,
        selection: u64,
    ) -> Result<(), String> {
        for (table, key) in named {
            let object = match key {
                Some(key) => ObjectId::row(table, key.clone()),
                None => ObjectId::table(table),
            };
            self.ask(self.manager.table(table), &object, selection)
                .await?;
        }
        Ok(())
    }

    fn told(&self, table: &TableDef, error: &FieldError) -> String {
        if let Some(source) = error.source() {
            let entity = &table.entity;
            tracing::error!(%entity, error = %format_args!("{source:#}"), "on_subscribe failed");
        }
        error.message().to_owned()
    }
}
