//! Tables: what an entity says of itself, the registry of all of them, and the names they get.
//!
//! `#[derive(blazelink::Table)]` writes a [`Declaration`]; [`TableDef::of`] is the only code that
//! is generic over entities; everything after it works on plain [`TableDef`]s in a
//! [`TableManager`].

mod call;
mod computed;
mod definition;
mod entity;
mod field;
mod field_type;
mod manager;
mod naming;
mod policies;
mod relations;
mod virtual_table;
mod writes;

pub use call::{Call, Identified, Window};
pub(crate) use call::{Subject, Surroundings, row_dependency};
pub(crate) use computed::value_page_type;
pub use definition::{Column, Hop, Read, Relation, Shape, TableDef};
pub use entity::{Declaration, Link, Path, Registration, Table, Through};
pub use field::{ArgumentType, Carried, Extension, Field, FieldError};
pub use field_type::{
    FieldType, Member, Output, Page, RowRef, Scalar, Struct, StructType, ValueType, VirtualRef,
    VirtualType,
};
pub use manager::{TableManager, TableManagerBuilder};
pub use virtual_table::{Parameter, VirtualTable};
pub(crate) use writes::Problem;
pub use writes::{Draft, Invalid, Operation, Writes};

// The derive's paths.
#[doc(hidden)]
pub use {inventory, sea_orm};
