//! Numbered places for many small records of one kind.
//!
//! The subscription index holds millions of records that name each other by `u32`. A pool costs
//! exactly the record's size for each, which a slab of enums would not.

/// No record.
pub(super) const NONE: u32 = u32::MAX;

/// Records by number; the number of a removed record is given out again.
#[derive(Debug)]
pub(super) struct Pool<T> {
    items: Vec<T>,
    free: Vec<u32>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Pool {
            items: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T: Default> Pool<T> {
    /// Stores a record and returns its number.
    pub(super) fn insert(&mut self, item: T) -> u32 {
        if let Some(at) = self.free.pop() {
            self.items[at as usize] = item;
            return at;
        }
        let at = self.items.len() as u32;
        self.items.push(item);
        at
    }

    /// Takes a record out. Its number must be in use.
    pub(super) fn remove(&mut self, at: u32) -> T {
        let item = std::mem::take(&mut self.items[at as usize]);
        self.free.push(at);
        if self.free.len() == self.items.len() {
            *self = Pool::default();
        }
        item
    }

    /// Number of records.
    pub(super) fn len(&self) -> usize {
        self.items.len() - self.free.len()
    }

    /// Every record and every vacant place.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.items.iter_mut()
    }
}

impl<T> std::ops::Index<u32> for Pool<T> {
    type Output = T;

    fn index(&self, at: u32) -> &T {
        #[cfg(test)]
        count_look_up();
        &self.items[at as usize]
    }
}

impl<T> std::ops::IndexMut<u32> for Pool<T> {
    fn index_mut(&mut self, at: u32) -> &mut T {
        #[cfg(test)]
        count_look_up();
        &mut self.items[at as usize]
    }
}

#[cfg(test)]
thread_local! {
    static LOOKED_UP: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
fn count_look_up() {
    LOOKED_UP.set(LOOKED_UP.get() + 1);
}

/// How many records this thread has looked at by their numbers, in any pool.
#[cfg(test)]
pub(super) fn looked_up() -> usize {
    LOOKED_UP.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_removed_records_are_given_out_again() {
        let mut pool = Pool::default();
        assert_eq!((pool.insert('a'), pool.insert('b')), (0, 1));
        assert_eq!(pool.remove(0), 'a');
        assert_eq!(pool.insert('c'), 0);
        assert_eq!((pool[0], pool[1], pool.len()), ('c', 'b', 2));
    }
}
