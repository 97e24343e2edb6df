//! What the original did wrong, proved gone: each numbered defect of `original/defects.toml` names
//! the tests that the original would fail. Those that belong nowhere else are here.

mod changes;
mod growth;
mod list;
mod secrets;
