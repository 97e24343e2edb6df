//! One call of a computed field: within its time, with what panics caught, so that a field that
//! does either fails alone; and the page of what it selects. `computed_load` makes the calls.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use blazelink_codes::Code;
use blazelink_migrations::identifier;
use futures_util::FutureExt;

use crate::data::{SeaOrmAccessor, Selection};
use crate::error::{Error, ErrorKind};
use crate::table::{Answer, Call, Field, FieldError, Output, Selected, TypedRows, Window};

/// A field as it is asked for.
#[derive(Clone, Copy)]
pub(super) struct Called<'a> {
    pub(super) definition: &'a Field,
    pub(super) data: &'a SeaOrmAccessor<'a>,
    /// The time that one call may take.
    pub(super) limit: Duration,
    /// Whether the number of a page's items is asked for.
    pub(super) counted: bool,
    /// Whether the items of a page are asked for.
    pub(super) items: bool,
}

impl Called<'_> {
    /// The value for one row, or for a virtual table.
    pub(super) async fn one(self, call: Call<'_>) -> Result<Output, FieldError> {
        guarded(self.limit, async {
            let (manager, context) = (call.surroundings.manager, call.context());
            let window = call.window;
            match self.definition.resolve(call).await? {
                Answer::Value(value) => Ok(value),
                Answer::Select(selected) => {
                    let Selected { entity, statement } = *selected;
                    let table = manager.by_type(entity).ok_or_else(unfit)?;
                    self.data.refuse_stored(table)?;
                    let sight = self.data.sight(table);
                    let visible = sight.map(|sight| sight.condition(&identifier(&table.table)));
                    let selection = Selection::new(table, statement, visible);
                    self.page(&selection, context, window).await
                }
                Answer::Values(_) => Err(unfit()),
            }
        })
        .await
    }

    /// The values for all rows of a batch.
    pub(super) async fn rows(self, call: Call<'_>) -> Result<Vec<Output>, FieldError> {
        guarded(self.limit, async {
            match self.definition.resolve(call).await? {
                Answer::Values(values) => Ok(values),
                Answer::Value(_) | Answer::Select(_) => Err(unfit()),
            }
        })
        .await
    }

    async fn page(
        self,
        selection: &Selection<'_>,
        context: &crate::BlazeContext,
        window: Window,
    ) -> Result<Output, FieldError> {
        let count = match self.counted {
            true => selection.count(context).await?,
            false => 0,
        };
        let keys = match self.items && window.limit > 0 {
            true => selection.keys(context, window).await?,
            false => Vec::new(),
        };
        Ok(Output::Page {
            items: keys.into_iter().map(Output::Row).collect(),
            count: Some(count),
        })
    }
}

/// What the app's code gives, within its time; a panic of it is an error.
///
/// # Errors
///
/// What it has failed with, or that it panicked or was late.
pub(super) async fn guarded<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, FieldError>>,
) -> Result<T, FieldError> {
    let caught = AssertUnwindSafe(call).catch_unwind();
    match tokio::time::timeout(limit, caught).await {
        Ok(Ok(result)) => result,
        // What it said is in the log by the panic's own hook.
        Ok(Err(_)) => Err(FieldError::panicked(failed(
            Code::FieldPanicked,
            "A computed field panics",
            "let the method return a Result, and an error instead of the panic",
        ))),
        Err(_) => Err(FieldError::late(failed(
            Code::FieldTimeout,
            "A computed field takes longer than it may",
            "let it read less, or raise [limits] field_timeout_ms",
        ))),
    }
}

/// The values of all rows, for each row of a batch.
pub(super) fn by_row(
    rows: &TypedRows,
    count: usize,
    values: Result<Vec<Output>, FieldError>,
) -> Vec<Result<Output, FieldError>> {
    let values = match values {
        Ok(values) => values,
        Err(error) => {
            // Told once in the log, and to clients for each row.
            let message = error.message().to_owned();
            let again = (1..count).map(|_| Err(FieldError::new(message.clone())));
            let again: Vec<_> = again.collect();
            return std::iter::once(Err(error)).chain(again).collect();
        }
    };
    let value = |row| match rows.position(row) {
        Ok(at) => Ok(values.get(at).cloned().unwrap_or(Output::Null)),
        Err(why) => Err(FieldError::new(why.to_owned())),
    };
    (0..count).map(value).collect()
}

fn failed(code: Code, sentence: &'static str, hint: &'static str) -> Error {
    Error::new(ErrorKind::Unavailable, code, sentence).with_hint(hint)
}

fn unfit() -> FieldError {
    FieldError::defect("A field answers what its type does not say")
}
