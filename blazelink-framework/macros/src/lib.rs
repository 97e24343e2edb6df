//! Derive macros of Blazelink. Users reach them through the `blazelink` crate.
//!
//! A macro reads attributes into a plain struct and writes calls of ordinary functions with
//! `::blazelink::` paths; what is decided, is decided there. Errors point at the user's token and
//! say what to write instead.

mod attributes;
mod embed;
mod fields;
mod method;
mod structs;
mod table;
mod virtual_table;

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

/// Makes a struct an object of the schema, which computed fields may return, and an input that
/// they may take.
///
/// Its members are scalars, other such structs, `Model`s and references of exposed entities, and
/// `Option` and `Vec` of these, to any depth. Where all of them can be arguments, so can the
/// struct; its input type has the struct's name with `Input` after it.
///
/// ```text
/// #[derive(blazelink::Struct)]
/// pub struct Streak {
///     pub best: i64,
///     #[blazelink(name = "in_game")]
///     pub game: Option<game::Model>,
///     pub marks: Vec<Mark>,
/// }
/// ```
///
/// Attributes:
/// - `#[blazelink(name = "..")]` on the struct or a member: its name in GraphQL.
/// - `#[blazelink(hide)]` on a member: not in the schema.
#[proc_macro_derive(Struct, attributes(blazelink))]
pub fn derive_struct(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    structs::expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes a struct a virtual table: an object with a root of its own, over the rows that its client
/// names.
///
/// ```text
/// #[derive(blazelink::VirtualTable)]
/// pub struct PlayerStats {
///     pub user: Dep<user::Entity>,
/// }
///
/// #[blazelink::fields(virtual_table)]
/// impl PlayerStats {
///     async fn name(&self, cx: &BlazeContext) -> FieldResult<String> {
///         Ok(self.user.get(cx).await?.name)
///     }
/// }
/// ```
///
/// A member is `Dep<E>` for a row that must be named, `Option<Dep<E>>` for one that may be, or
/// `Every<E>` for a table; never another virtual table, so that none is made over itself.
/// `#[blazelink(name = "..")]` on the struct gives the type another name.
#[proc_macro_derive(VirtualTable, attributes(blazelink))]
pub fn derive_virtual_table(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    virtual_table::expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Adds computed fields to the table of an entity, or gives a virtual table its fields: each method
/// of the block is one.
///
/// ```text
/// #[blazelink::fields(hide(email), rename(kind = "type"), read = only_visible)]
/// impl UserFields for user::Model {
///     async fn kills(
///         &self,
///         cx: &BlazeContext,
///         #[arg(default = "kill")] kind: String,
///     ) -> FieldResult<u64> {
///         let events = game_event::Entity::find()
///             .filter(game_event::Column::PlayerId.eq(self.id))
///             .filter(game_event::Column::Kind.eq(kind));
///         Ok(events.count(cx).await?)
///     }
/// }
/// ```
///
/// The block stays as it is. Beside it the macro writes the trait `UserFields`, so that the methods
/// can be called as methods, and a constant of the same name, an `Extension` for
/// `.extend(UserFields)`; `.discover("..")` finds it by itself.
///
/// A method takes `&self`, or nothing; then no row is read for it. `&BlazeContext` may stand
/// anywhere, and is the connection to read through: what is read is watched. All else are
/// arguments of the field, by value; `Option<..>` may be missing, and so may one with
/// `#[arg(default = ..)]`. What it may return, `FieldReturn` says.
///
/// On a method:
/// - `#[batch]`: called once for all rows, which it takes as `&[user::Model]`; it returns a
///   `HashMap` by their keys, or a `Vec` in their order.
/// - `#[computed(name = "..")]`: the field's name in GraphQL.
/// - `#[computed(on = "game_event(player_id = id, kind = 'kill')")]`: what it depends on, instead of
///   what it reads; all that stands in parentheses must hold of a row, before or after a change.
///
/// On the block, for entities:
/// - `hide(email, events)`: columns and relations that are not in the schema.
/// - `rename(kind = "type")`: other names of columns in GraphQL and on the wire.
/// - `read = only_visible`: a `fn(&Viewer) -> Access` that says who sees what.
/// - `carry(user::Entity)`: tables that the `ObjectId`s of its rows carry as dependencies.
/// - `on_subscribe = ask`: an `async fn(&BlazeContext, &ObjectId) -> FieldResult<()>`, asked before
///   a session begins to watch an object of the table that its client names: as a root, or among the
///   `dependencies` of a root's identifier; a dependency at each request. Rows that an answer only
///   leads to (`player { row { name } }`, items of pages) are not asked for, since of their changes
///   only the root is told. So it says what may be watched; what may be read, `read = ..` says.
#[proc_macro_attribute]
pub fn fields(attributes: TokenStream, block: TokenStream) -> TokenStream {
    fields::expand(attributes.into(), block.into()).into()
}

/// The files of folders of the project, inside of the program where it is built for release, so that
/// it runs without them; for the builder's `embed`.
///
/// ```text
/// blaze.embed(blazelink::embed!("templates", "static"))
/// ```
///
/// Folders are named from the package's own folder on. Where debug assertions are on, as in a debug
/// build, nothing is embedded and files are read from disk. A file that is added is embedded when the
/// package is compiled next: cargo sees changes of files that it knows.
#[proc_macro]
pub fn embed(input: TokenStream) -> TokenStream {
    let folders = syn::parse_macro_input!(input as embed::Folders);
    // Cargo sets it for whatever it compiles.
    let project = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    embed::expand(&folders, project.as_ref())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
