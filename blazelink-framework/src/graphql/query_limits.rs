//! How much one request may ask for. Words; the app takes them from its settings.

use blazelink_codes::{Code, limits};

/// What bounds one GraphQL request; by default as [`limits`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryLimits {
    /// Levels of fields within fields.
    pub depth: usize,
    /// Fields, with fragments opened.
    pub fields: usize,
    /// Fields under another name than their own, with fragments opened.
    pub aliases: usize,
    /// Rows of one page.
    pub page_size: i64,
    /// Rows of all pages of an answer, each counted at its full size.
    pub answer_rows: usize,
}

impl Default for QueryLimits {
    fn default() -> Self {
        QueryLimits {
            depth: limits::QUERY_DEPTH,
            fields: limits::QUERY_COMPLEXITY,
            aliases: limits::QUERY_ALIASES,
            page_size: limits::PAGE_SIZE,
            answer_rows: limits::ANSWER_ROWS,
        }
    }
}

/// The message of a request that is beyond a limit: with the limit's code, by which it is found.
pub(super) fn beyond(code: Code, sentence: impl std::fmt::Display) -> String {
    format!("{sentence} ({code})")
}
