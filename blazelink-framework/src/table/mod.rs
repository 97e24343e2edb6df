//! Tables: what an entity says of itself, the registry of all of them, and the names they get.
//!
//! `#[derive(blazelink::Table)]` writes a [`Declaration`]; [`TableDef::of`] is the only code that
//! is generic over entities; everything after it works on plain [`TableDef`]s in a
//! [`TableManager`].

mod argument;
mod call;
mod check;
mod computed;
mod data_accessor;
mod ddl;
mod definition;
mod dep;
mod draft;
mod entity;
mod equalities;
mod extension;
mod field;
mod field_error;
mod field_return;
mod field_type;
mod identified;
mod manager;
mod manager_builder;
mod model_key;
mod names;
mod naming;
mod policies;
mod relations;
mod scalar;
mod setup_error;
mod typed_rows;
mod virtual_table;
mod words;
mod writes;

pub use argument::{ArgumentType, InputMember, InputStruct, InputType};
pub use call::{Call, Given, Named, Window};
pub(crate) use call::{Instance, Subject, Surroundings, row_dependency};
pub(crate) use computed::value_page_type;
pub(crate) use data_accessor::Store;
pub use data_accessor::{AccessorError, DataAccessor, RowQuery, StoredRow};
pub use definition::{Column, Hop, Read, Relation, Shape, TableDef};
pub use dep::{Dep, Dependent, Every};
pub(crate) use draft::Problem;
pub use draft::{Draft, Invalid};
pub use entity::{Declaration, Link, Path, Registration, Table, Through};
pub(crate) use equalities::narrowed_to;
pub use extension::{Asked, Carried, Extension, ExtensionRegistration, OnSubscribe};
pub use field::{Answered, Field};
pub use field_error::{FieldError, FieldResult};
pub use field_return::{Answer, BatchReturn, FieldReturn, Selected};
pub use field_type::{
    FieldType, Member, Output, Page, RowRef, RowType, Scalar, Struct, StructType, ValueType,
    VirtualRef, VirtualType,
};
pub use identified::Identified;
pub(crate) use identified::NO_ROW;
pub use manager::TableManager;
pub use manager_builder::TableManagerBuilder;
pub use model_key::KeyOf;
#[doc(hidden)]
pub use model_key::reference;
pub(crate) use typed_rows::{Codec, TypedRows};
pub use virtual_table::{Parameter, VirtualFields, VirtualRegistration, VirtualTable};
pub use writes::{Operation, Writes};

// The derive's paths.
#[doc(hidden)]
pub use async_graphql_value::ConstValue;
#[doc(hidden)]
pub use dep::occurrences;
#[doc(hidden)]
pub use {inventory, sea_orm};
