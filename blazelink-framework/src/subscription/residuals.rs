//! The residuals in use, each kept once, however many points it narrows: a million players whose
//! kills are watched share "and their kind is kill". For `points`.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::pool::{NONE, Pool};
use super::residual::Residual;

/// One residual, and how many points it narrows.
#[derive(Debug, Default)]
struct Entry {
    residual: Residual,
    points: u32,
}

/// All residuals that narrow a point.
#[derive(Debug, Default)]
pub(super) struct Residuals {
    pool: Pool<Entry>,
    by_value: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Residuals {
    /// The number of a residual that narrows one point more; [`NONE`] of the one that narrows
    /// nothing.
    pub(super) fn intern(&mut self, residual: Residual) -> u32 {
        if residual.is_none() {
            return NONE;
        }
        let hash = self.hasher.hash_one(&residual);
        let same = |&at: &u32| self.pool[at].residual == residual;
        if let Some(&at) = self.by_value.find(hash, same) {
            self.pool[at].points += 1;
            return at;
        }
        let points = 1;
        let at = self.pool.insert(Entry { residual, points });
        let (pool, hasher) = (&self.pool, &self.hasher);
        self.by_value
            .insert_unique(hash, at, |&other| hasher.hash_one(&pool[other].residual));
        at
    }

    /// A residual narrows one point less.
    pub(super) fn release(&mut self, at: u32) {
        if at == NONE {
            return;
        }
        self.pool[at].points -= 1;
        if self.pool[at].points > 0 {
            return;
        }
        let hash = self.hasher.hash_one(&self.pool[at].residual);
        if let Ok(entry) = self.by_value.find_entry(hash, |&other| other == at) {
            entry.remove();
        }
        self.pool.remove(at);
        if self.pool.len() == 0 {
            self.by_value = HashTable::new();
        }
    }

    /// The residual of this number.
    pub(super) fn get(&self, at: u32) -> &Residual {
        match at {
            NONE => &Residual::NONE,
            at => &self.pool[at].residual,
        }
    }

    /// Number of residuals.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.pool.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object_id::Atom;

    #[test]
    fn a_residual_is_kept_once_while_it_narrows_a_point() {
        let mut residuals = Residuals::default();
        let of = |number| Residual::of([(1, vec![Atom::Int(number)])]);
        assert_eq!(residuals.intern(Residual::NONE), NONE);
        let one = residuals.intern(of(1));
        assert_eq!(residuals.intern(of(1)), one);
        let other = residuals.intern(of(2));
        assert_eq!(residuals.len(), 2);
        assert_eq!((residuals.get(one), residuals.get(other)), (&of(1), &of(2)));

        residuals.release(one);
        assert_eq!(residuals.len(), 2);
        residuals.release(one);
        residuals.release(NONE);
        assert_eq!(residuals.len(), 1);
        assert_eq!(residuals.intern(of(2)), other);
    }
}
