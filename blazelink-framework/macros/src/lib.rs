//! Derive macros of Blazelink. Users reach them through the `blazelink` crate.
//!
//! A macro reads attributes into a plain struct and writes calls of ordinary functions with
//! `::blazelink::` paths; what is decided, is decided there. Errors point at the user's token and
//! say what to write instead.

mod table;

use proc_macro::TokenStream;

/// Exposes a SeaORM entity as a table of the live GraphQL schema.
///
/// Goes on the entity's `Model`, in the dense format (`#[sea_orm::model]`) beside
/// `DeriveEntityModel`, or on a classic entity. Nothing else is needed: the columns, the key and
/// the relations are the entity's.
///
/// ```text
/// #[sea_orm::model]
/// #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
/// #[sea_orm(table_name = "user")]
/// pub struct Model {
///     #[sea_orm(primary_key)]
///     pub id: i32,
///     pub name: String,
///     #[blazelink(hide)]
///     pub password_hash: String,
///     #[sea_orm(has_many)]
///     pub events: HasMany<super::game_event::Entity>,
/// }
/// ```
///
/// Attributes:
/// - `#[blazelink(name = "Player")]` on the struct: the type's name in GraphQL and on the wire,
///   instead of the table's name in upper camel case.
/// - `#[blazelink(writes)]` on the struct, or `#[blazelink(writes(create, update, delete))]` with
///   some of them: it has these mutations. Who may use them the app's builder says.
/// - `#[blazelink(hide)]` on a column or relation: not in the schema, never sent.
#[proc_macro_derive(Table, attributes(blazelink, sea_orm))]
pub fn derive_table(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    table::expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
