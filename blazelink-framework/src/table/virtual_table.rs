//! A virtual table: an object that is no row, and computes all of its fields from the rows that
//! its client names as dependencies.

use std::any::TypeId;

use super::definition::TableDef;
use super::entity::Table;
use super::field::Field;
use super::naming;
use crate::object_id::TableId;
use crate::visibility::ReadPolicy;

/// An object with a root of its own, and no rows. Its parameters are the `dependencies` of the
/// identifier that its client asks with. Derive it with
/// [`#[derive(blazelink::VirtualTable)]`](macro@crate::VirtualTable); by hand it is
///
/// ```
/// use blazelink::table::{Field, Parameter, VirtualTable};
///
/// struct Clock;
///
/// impl VirtualTable for Clock {
///     const NAME: &'static str = "Clock";
///
///     fn parameters() -> Vec<Parameter> {
///         Vec::new()
///     }
///
///     fn fields() -> Vec<Field> {
///         vec![Field::new("hands", |_| Ok(2))]
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no virtual table",
    note = "write `#[derive(blazelink::VirtualTable)]` on `struct {Self}`"
)]
pub trait VirtualTable: 'static {
    /// Its name in GraphQL and on the wire; its root is the name with the first letter lower.
    const NAME: &'static str;

    /// The rows without which it has no answer.
    fn parameters() -> Vec<Parameter>;

    /// Its fields.
    fn fields() -> Vec<Field>;
}

/// The fields of a virtual table with a struct, as `#[blazelink::fields(virtual_table)]` writes
/// them.
#[diagnostic::on_unimplemented(
    message = "the virtual table `{Self}` has no fields",
    label = "no fields",
    note = "write `#[blazelink::fields(virtual_table)]` on an `impl {Self} {{ .. }}` with a method \
            for each field"
)]
pub trait VirtualFields {
    /// The fields.
    fn fields() -> Vec<Field>;
}

/// An entry of the list that [`discover`](super::TableManagerBuilder::discover) reads; the derive
/// submits one for each virtual table.
#[derive(Debug)]
pub struct VirtualRegistration {
    /// The struct's module.
    pub module: &'static str,
    /// Makes its definition.
    pub define: fn() -> TableDef,
}

inventory::collect!(VirtualRegistration);

/// A row that a virtual table needs.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    pub(crate) entity: TypeId,
    pub(crate) rust_name: &'static str,
}

impl Parameter {
    /// Those that there are.
    pub fn all(parameters: impl IntoIterator<Item = Option<Parameter>>) -> Vec<Parameter> {
        parameters.into_iter().flatten().collect()
    }

    /// A row of this entity. Its identifier must name one, by key.
    pub fn row<E: Table>() -> Parameter {
        Parameter {
            entity: TypeId::of::<E>(),
            rust_name: std::any::type_name::<E>(),
        }
    }
}

impl TableDef {
    /// The definition of a virtual table: no columns, no key, not in Postgres.
    pub fn of_virtual<V: VirtualTable>() -> TableDef {
        TableDef {
            id: TableId(0),
            rust_type: TypeId::of::<V>(),
            declared_schema: None,
            schema: String::new(),
            table: String::new(),
            entity: V::NAME.to_owned(),
            row_root: naming::row_root(V::NAME),
            page_root: String::new(),
            list: false,
            columns: Vec::new(),
            key: Vec::new(),
            relations: Vec::new(),
            declared: Vec::new(),
            computed: V::fields(),
            carried: Vec::new(),
            parameters: V::parameters(),
            // Its fields are the app's own code, which looks at the viewer itself.
            read: ReadPolicy::Public,
            on_subscribe: Vec::new(),
            partitioned: false,
            store: None,
            ddl: None,
            writes: None,
        }
    }
}
