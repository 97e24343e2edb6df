//! `Residual`: what else must hold of the rows that have one value in one column. A dependency is
//! found by that value, and the residual is checked against what is found: the words for a
//! database's index condition and its filter.
//!
//! What must stay true: leaving an equality out makes a dependency wider, never narrower. So
//! whatever does not fit the limits is left out.

use std::sync::Arc;

use blazelink_codes::limits;

use crate::object_id::Atom;

/// A column, and the values of which a row must have one in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OneOf {
    /// Position of the column among the exposed ones.
    pub column: u32,
    /// The values, ascending; at least one.
    pub values: Box<[Atom]>,
}

/// Equalities that must hold besides the one by which a dependency is found. Two that say the same
/// are equal, in whichever order it was said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Residual(Option<Arc<[OneOf]>>);

impl Residual {
    /// Nothing else must hold.
    pub const NONE: Residual = Residual(None);

    /// These must hold as well, the most important ones first: those beyond
    /// [`limits::DEPENDENCY_EQUALITIES`] are left out, as is one whose values do not fit into
    /// [`limits::DEPENDENCY_VALUES`], and one without any.
    pub fn of(equalities: impl IntoIterator<Item = (u32, Vec<Atom>)>) -> Residual {
        let mut room = limits::DEPENDENCY_VALUES;
        let mut kept: Vec<OneOf> = Vec::new();
        for (column, mut values) in equalities {
            if kept.len() + 1 == limits::DEPENDENCY_EQUALITIES {
                break;
            }
            values.sort_unstable();
            values.dedup();
            if values.is_empty() || values.len() > room {
                continue;
            }
            room -= values.len();
            let values = values.into();
            kept.push(OneOf { column, values });
        }
        kept.sort_unstable();
        kept.dedup();
        Residual((!kept.is_empty()).then(|| kept.into()))
    }

    /// Whether nothing else must hold.
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// What must hold, by ascending columns.
    pub fn equalities(&self) -> &[OneOf] {
        self.0.as_deref().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(column: u32, values: &[i64]) -> (u32, Vec<Atom>) {
        (column, values.iter().copied().map(Atom::Int).collect())
    }

    #[test]
    fn what_says_the_same_is_equal() {
        let residual = Residual::of([one(2, &[3, 1, 3]), one(1, &[7]), one(2, &[1, 3])]);
        assert_eq!(residual, Residual::of([one(1, &[7]), one(2, &[1, 3])]));
        let columns = residual.equalities().iter().map(|one| one.column);
        assert_eq!(columns.collect::<Vec<_>>(), [1, 2]);
        assert_eq!(Residual::of([]), Residual::NONE);
        assert_eq!(Residual::of([one(1, &[])]), Residual::NONE);
    }

    #[test]
    fn what_is_beyond_a_limit_is_left_out() {
        let many = (0..20).map(|column| one(column, &[1]));
        let kept = limits::DEPENDENCY_EQUALITIES - 1;
        assert_eq!(Residual::of(many).equalities().len(), kept);

        let long: Vec<i64> = (0..=limits::DEPENDENCY_VALUES as i64).collect();
        let short = &long[1..];
        assert_eq!(Residual::of([one(0, &long)]), Residual::NONE);
        let residual = Residual::of([one(0, short), one(1, &[1])]);
        assert_eq!(residual, Residual::of([one(0, short)]));
    }
}
