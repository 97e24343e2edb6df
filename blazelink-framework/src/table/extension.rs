//! `Extension`: what an app adds to the table of an entity, in a file that no generator touches.
//!
//! Written by `#[blazelink::fields]`, or by hand; the registry applies it.

use std::any::TypeId;
use std::fmt;
use std::str::FromStr;

use futures_util::future::BoxFuture;
use sea_orm::EntityTrait;
use sea_orm::sea_query::Iden;

use super::entity::Table;
use super::field::Field;
use super::field_error::FieldError;
use crate::context::BlazeContext;
use crate::object_id::ObjectId;
use crate::viewer::Viewer;
use crate::visibility::Access;

/// Computed fields for an entity, and what else is said of its table.
#[derive(Clone, Copy)]
pub struct Extension {
    pub(crate) entity: fn() -> TypeId,
    pub(crate) rust_name: fn() -> &'static str,
    /// The name in Postgres of the column that the entity calls so.
    pub(crate) column: fn(&str) -> Option<String>,
    pub(crate) fields: fn() -> Vec<Field>,
    pub(crate) carried: fn() -> Vec<Carried>,
    /// What tells two extensions apart, so that one that is found and given counts once.
    pub(crate) name: Option<&'static str>,
    pub(crate) hidden: &'static [&'static str],
    pub(crate) renamed: &'static [(&'static str, &'static str)],
    pub(crate) visible: Option<fn(&Viewer) -> Access>,
    pub(crate) on_subscribe: Option<OnSubscribe>,
}

/// What is asked before a session begins to watch.
pub type OnSubscribe = for<'a> fn(&'a BlazeContext, &'a ObjectId) -> Asked<'a>;

/// What comes of asking: an error refuses.
pub type Asked<'a> = BoxFuture<'a, Result<(), FieldError>>;

/// An entry of the list that [`discover`](super::TableManagerBuilder::discover) reads;
/// `#[blazelink::fields]` submits one for each block.
#[derive(Debug)]
pub struct ExtensionRegistration {
    /// The block's module.
    pub module: &'static str,
    /// What it says.
    pub extension: Extension,
}

inventory::collect!(ExtensionRegistration);

impl Extension {
    /// These fields for this entity.
    pub const fn of<E: Table>(fields: fn() -> Vec<Field>) -> Extension {
        Extension {
            entity: TypeId::of::<E>,
            rust_name: std::any::type_name::<E>,
            column: column::<E>,
            fields,
            carried: Vec::new,
            name: None,
            hidden: &[],
            renamed: &[],
            visible: None,
            on_subscribe: None,
        }
    }

    /// The `ObjectId`s of its rows have these `dependencies`, so that a client which asks with them
    /// watches these too. A row needs none for what is read of it: this is for what a client should
    /// hear of besides.
    #[must_use]
    pub const fn carrying(mut self, carried: fn() -> Vec<Carried>) -> Extension {
        self.carried = carried;
        self
    }

    /// Tells it apart from others; an extension with a name counts once, however often it is given.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Extension {
        self.name = Some(name);
        self
    }

    /// Leaves these fields of the entity, columns or relations, out of the schema.
    #[must_use]
    pub const fn hiding(mut self, fields: &'static [&'static str]) -> Extension {
        self.hidden = fields;
        self
    }

    /// Gives columns other names in GraphQL and on the wire, as pairs of the entity's field and the
    /// new name.
    #[must_use]
    pub const fn renaming(mut self, fields: &'static [(&'static str, &'static str)]) -> Extension {
        self.renamed = fields;
        self
    }

    /// Says who sees what of the table; as [`Builder::visible`](crate::Builder::visible).
    #[must_use]
    pub const fn visible(mut self, access: fn(&Viewer) -> Access) -> Extension {
        self.visible = Some(access);
        self
    }

    /// Asked before a session begins to watch an object of the table because its client names it: as
    /// a root, or among the `dependencies` of a root's identifier. An error is that root's, and
    /// nothing is watched.
    ///
    /// Rows that an answer only leads to (`player { row { .. } }`, items of pages) are not asked for:
    /// of a change of theirs a session hears that its root is to be read again, and nothing of them.
    /// Who may read them is said by what is [visible](crate::Builder::visible).
    #[must_use]
    pub const fn on_subscribe(mut self, ask: OnSubscribe) -> Extension {
        self.on_subscribe = Some(ask);
        self
    }
}

fn column<E: EntityTrait>(field: &str) -> Option<String> {
    let column = E::Column::from_str(field).ok()?;
    Some(Iden::unquoted(&column).to_owned())
}

/// What an `ObjectId` carries as a dependency.
#[derive(Clone, Copy, Debug)]
pub struct Carried {
    pub(crate) entity: TypeId,
    pub(crate) rust_name: &'static str,
}

impl Carried {
    /// All rows of this entity, which must be exposed.
    pub fn whole<E: Table>() -> Carried {
        Carried {
            entity: TypeId::of::<E>(),
            rust_name: std::any::type_name::<E>(),
        }
    }
}

impl fmt::Debug for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extension({})", (self.rust_name)())
    }
}
