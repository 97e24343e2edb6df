//! Chains of relations, as SeaORM's `Linked`: over a junction and back, over a key of two columns and
//! back, and up only.

use sea_orm::{Linked, RelationDef, RelationTrait};

use super::{account, category, membership, post, shelf, warehouse};

/// Who is in a team with somebody, themselves included.
#[derive(Debug)]
pub struct Teammates;

impl Linked for Teammates {
    type FromEntity = account::Entity;
    type ToEntity = account::Entity;

    fn link(&self) -> Vec<RelationDef> {
        vec![
            membership::Relation::Account.def().rev(),
            membership::Relation::Team.def(),
            membership::Relation::Team.def().rev(),
            membership::Relation::Account.def(),
        ]
    }
}

/// The shelves of a shelf's warehouse.
#[derive(Debug)]
pub struct Neighbours;

impl Linked for Neighbours {
    type FromEntity = shelf::Entity;
    type ToEntity = shelf::Entity;

    fn link(&self) -> Vec<RelationDef> {
        vec![
            shelf::Relation::Warehouse.def(),
            shelf::Relation::Warehouse.def().rev(),
        ]
    }
}

/// The category of which a post's category is a part.
#[derive(Debug)]
pub struct WiderCategory;

impl Linked for WiderCategory {
    type FromEntity = post::Entity;
    type ToEntity = category::Entity;

    fn link(&self) -> Vec<RelationDef> {
        vec![
            post::Relation::Category.def(),
            category::Relation::Parent.def(),
        ]
    }
}

/// What stands in a warehouse: a chain of one relation, over a key of two columns.
#[derive(Debug)]
pub struct Shelves;

impl Linked for Shelves {
    type FromEntity = warehouse::Entity;
    type ToEntity = shelf::Entity;

    fn link(&self) -> Vec<RelationDef> {
        vec![shelf::Relation::Warehouse.def().rev()]
    }
}

/// Exposes them all; the builder of an app and that of a registry have the same words.
#[macro_export]
macro_rules! with_chains {
    ($builder:expr) => {
        $builder
            .linked("teammates", $crate::kitchen::chains::Teammates)
            .linked("neighbours", $crate::kitchen::chains::Neighbours)
            .linked("wider_category", $crate::kitchen::chains::WiderCategory)
            .linked("all_shelves", $crate::kitchen::chains::Shelves)
    };
}
