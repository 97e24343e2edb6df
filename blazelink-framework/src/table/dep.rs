//! What a virtual table is made over, as members of its struct: [`Dep`] names a row, [`Every`] a
//! table. `#[derive(blazelink::VirtualTable)]` fills them from the identifier that a client asks
//! with.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::sync::OnceLock;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sea_orm::{Condition, ConnectionTrait, EntityTrait, QueryFilter, Select};

use super::call::Call;
use super::entity::Table;
use super::field_error::FieldError;
use super::identified::NO_ROW;
use super::model_key::{KeyOf, typed_key};
use super::virtual_table::Parameter;
use crate::object_id::Key;

/// A row that a virtual table is made over.
///
/// As a member `Dep<user::Entity>` it must be named by whoever asks, as `Option<Dep<..>>` it may.
/// Of several of one entity the first takes the first that is named, and so on.
///
/// It is a row of an entity, never another virtual table, so virtual tables cannot be made over each
/// other in a circle: that does not compile.
///
/// ```compile_fail,E0277
/// #[derive(blazelink::VirtualTable)]
/// struct Egg {
///     hen: blazelink::Dep<Hen>,
/// }
///
/// #[derive(blazelink::VirtualTable)]
/// struct Hen {
///     egg: blazelink::Dep<Egg>,
/// }
/// #
/// # #[blazelink::fields(virtual_table)]
/// # impl Egg { fn age(&self) -> i32 { 1 } }
/// #
/// # #[blazelink::fields(virtual_table)]
/// # impl Hen { fn age(&self) -> i32 { 2 } }
/// ```
pub struct Dep<E: EntityTrait> {
    key: Key,
    id: KeyOf<E>,
    visible: Option<Condition>,
    /// The row, once it was read.
    read: OnceLock<Option<E::Model>>,
}

/// A table that a virtual table is made over. It may be named by whoever asks, without an
/// `obj_id`, who then also hears of each of its changes; it need not.
pub struct Every<E> {
    visible: Option<Condition>,
    entity: PhantomData<fn() -> E>,
}

/// A member of a virtual table's struct.
#[diagnostic::on_unimplemented(
    message = "a virtual table cannot be made over `{Self}`",
    label = "no dependency",
    note = "a member is `Dep<user::Entity>` for a row, `Option<Dep<user::Entity>>` for one that may \
            be missing, or `Every<user::Entity>` for a table, of an entity with \
            `#[derive(blazelink::Table)]`; a virtual table over another is made over its rows"
)]
pub trait Dependent: Sized {
    /// The parameter of the virtual table, if there must be one.
    fn parameter() -> Option<Parameter>;

    /// The entity.
    fn entity() -> TypeId;

    /// The member, of those of this entity the one with this number.
    ///
    /// # Errors
    ///
    /// If it is not named, or with a key that is none.
    fn named(call: &Call<'_>, number: usize) -> Result<Self, FieldError>;
}

/// How many of these are of this entity, for what `#[derive(VirtualTable)]` writes.
#[doc(hidden)]
pub fn occurrences(earlier: &[TypeId], entity: TypeId) -> usize {
    earlier.iter().filter(|&&it| it == entity).count()
}

impl<E: Table> Dep<E> {
    /// The row's key as the entity types it, such as `i32`, or a tuple for several columns.
    pub fn key(&self) -> KeyOf<E>
    where
        KeyOf<E>: Clone,
    {
        self.id.clone()
    }

    /// The row's key as the framework knows it.
    pub fn identity(&self) -> &Key {
        &self.key
    }

    /// The row. It is read once for all fields of an answer.
    ///
    /// # Errors
    ///
    /// If there is none that whoever asks may see, or the database does not answer.
    pub fn get<'a, C: ConnectionTrait>(
        &'a self,
        cx: &'a C,
    ) -> BoxFuture<'a, Result<E::Model, FieldError>>
    where
        E::Model: Send + Sync,
        KeyOf<E>: Clone + Sync,
    {
        let found = self.find(cx);
        async move {
            let found = found.await?;
            found.ok_or_else(|| FieldError::new(NO_ROW))
        }
        .boxed()
    }

    /// As [`Dep::get`], with nothing if there is no such row.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub fn find<'a, C: ConnectionTrait>(
        &'a self,
        cx: &'a C,
    ) -> BoxFuture<'a, Result<Option<E::Model>, FieldError>>
    where
        E::Model: Send + Sync,
        KeyOf<E>: Clone + Sync,
    {
        async move {
            if let Some(read) = self.read.get() {
                return Ok(read.clone());
            }
            let row = E::find_by_id(self.id.clone());
            let row = narrowed(row, self.visible.as_ref()).one(cx).await?;
            Ok(self.read.get_or_init(|| row).clone())
        }
        .boxed()
    }
}

impl<E: Table> Every<E> {
    /// The rows that whoever asks may see.
    pub fn find(&self) -> Select<E> {
        narrowed(E::find(), self.visible.as_ref())
    }
}

fn narrowed<E: EntityTrait>(select: Select<E>, visible: Option<&Condition>) -> Select<E> {
    match visible {
        Some(condition) => select.filter(condition.clone()),
        None => select,
    }
}

fn dep<E: Table>(call: &Call<'_>, number: usize) -> Result<Option<Dep<E>>, FieldError> {
    let Some(key) = call.named_key(TypeId::of::<E>(), number) else {
        return Ok(None);
    };
    Ok(Some(Dep {
        id: typed_key::<E>(key)?,
        key: key.clone(),
        visible: call.narrowing(TypeId::of::<E>())?,
        read: OnceLock::new(),
    }))
}

impl<E: Table> Dependent for Dep<E> {
    fn parameter() -> Option<Parameter> {
        Some(Parameter::row::<E>())
    }

    fn entity() -> TypeId {
        TypeId::of::<E>()
    }

    fn named(call: &Call<'_>, number: usize) -> Result<Dep<E>, FieldError> {
        let named = dep(call, number)?;
        named.ok_or_else(|| FieldError::new("A dependency that the field needs is missing"))
    }
}

impl<E: Table> Dependent for Option<Dep<E>> {
    fn parameter() -> Option<Parameter> {
        None
    }

    fn entity() -> TypeId {
        TypeId::of::<E>()
    }

    fn named(call: &Call<'_>, number: usize) -> Result<Option<Dep<E>>, FieldError> {
        dep(call, number)
    }
}

impl<E: Table> Dependent for Every<E> {
    fn parameter() -> Option<Parameter> {
        None
    }

    fn entity() -> TypeId {
        TypeId::of::<Every<E>>()
    }

    fn named(call: &Call<'_>, _: usize) -> Result<Every<E>, FieldError> {
        Ok(Every {
            visible: call.narrowing(TypeId::of::<E>())?,
            entity: PhantomData,
        })
    }
}

impl<E: EntityTrait> fmt::Debug for Dep<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dep({:?})", self.key)
    }
}

impl<E> fmt::Debug for Every<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Every")
    }
}
