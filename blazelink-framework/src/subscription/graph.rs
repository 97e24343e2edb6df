//! Who watches which point, and for which read: sessions, their reads, and the links between
//! reads and points.
//!
//! A read is one object with one selection, asked for by one session. While requests that answer
//! it are open, each link knows what the last complete answer watched (`confirmed`) and what the
//! open ones have asked for so far (`asked`); both count when a change is matched. When the last
//! of them ends, one of the two is dropped: after a success what was not asked for again, after
//! nothing but failures what was asked for the first time.
//!
//! Every list is threaded through the records, so that adding and removing are constant in time
//! and a subscription costs a fixed number of bytes.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::dependency::{Dependency, Role};
use super::points::Points;
use super::pool::{NONE, Pool};
use crate::object_id::ObjectId;

/// Links of a read up to which a repeated dependency is found by walking them. Beyond it the
/// read's links are hashed.
const WALKED_LINKS: u32 = 16;

const DECLARED: u8 = 1;
const DERIVED: u8 = 2;

/// One read's watch on one point.
#[derive(Debug)]
pub(super) struct Link {
    point: u32,
    pub(super) read: u32,
    pub(super) session: u32,
    next_of_point: u32,
    prev_of_point: u32,
    next_of_read: u32,
    confirmed: u8,
    asked: u8,
}

impl Default for Link {
    fn default() -> Self {
        Link {
            point: NONE,
            read: NONE,
            session: NONE,
            next_of_point: NONE,
            prev_of_point: NONE,
            next_of_read: NONE,
            confirmed: 0,
            asked: 0,
        }
    }
}

impl Link {
    pub(super) fn declared(&self) -> bool {
        (self.confirmed | self.asked) & DECLARED != 0
    }

    pub(super) fn derived(&self) -> bool {
        (self.confirmed | self.asked) & DERIVED != 0
    }
}

/// One object with one selection, as one session reads it.
#[derive(Debug)]
pub(super) struct Read {
    session: u32,
    /// The point that is the object.
    pub(super) object: u32,
    selection: u64,
    first: u32,
    links: u32,
    next_of_session: u32,
    prev_of_session: u32,
    /// The commit in which the read was last found out of date.
    pub(super) told: u32,
    /// Twice the number of open answers, plus one if an answer succeeded since the first of them.
    open: u32,
}

impl Default for Read {
    fn default() -> Self {
        Read {
            session: NONE,
            object: NONE,
            selection: 0,
            first: NONE,
            links: 0,
            next_of_session: NONE,
            prev_of_session: NONE,
            told: 0,
            open: 0,
        }
    }
}

/// What one session watches.
#[derive(Clone, Debug)]
pub(super) struct Session {
    first: u32,
    links: u32,
    /// The event of which the session was last told.
    pub(super) told: u32,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Finished,
    Failed,
}

/// Sessions, reads, links and points.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) points: Points,
    pub(super) reads: Pool<Read>,
    pub(super) links: Pool<Link>,
    pub(super) sessions: Vec<Session>,
    reads_by_name: HashTable<u32>,
    /// Links of reads with more than [`WALKED_LINKS`].
    links_by_ends: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Graph {
    /// Opens an answer to a read, which is made if the session has none of this name.
    pub(super) fn open(&mut self, session: u32, object: ObjectId, selection: u64) -> u32 {
        let object = self.points.intern_object(object);
        let read = self
            .find_read(session, object, selection)
            .unwrap_or_else(|| self.add_read(session, object, selection));
        self.reads[read].open += 2;
        read
    }

    /// Adds a dependency to an open answer. False if the session's `limit` forbids it.
    pub(super) fn ask(
        &mut self,
        read: u32,
        role: Role,
        dependency: Dependency,
        limit: usize,
    ) -> bool {
        let point = self.points.intern(dependency);
        let role = match role {
            Role::Declared => DECLARED,
            Role::Derived => DERIVED,
        };
        if let Some(at) = self.find_link(read, point) {
            let link = &self.links[at];
            self.set_roles(at, link.confirmed, link.asked | role);
            return true;
        }
        let session = self.reads[read].session;
        if self.sessions[session as usize].links as usize >= limit {
            self.points.release(point);
            return false;
        }
        let at = self.add_link(read, point);
        self.set_roles(at, 0, role);
        true
    }

    /// Ends one open answer; the last one to end decides what the read watches from now on.
    /// Whether that is anything else than what was watched when this last was so, or when
    /// somebody looked ([`Graph::dependencies_of`]) since then.
    pub(super) fn close(&mut self, read: u32, ending: Ending) -> bool {
        let record = &mut self.reads[read];
        record.open -= 2;
        if ending == Ending::Finished {
            record.open |= 1;
        }
        let open = record.open;
        let has_new = |link: &Link| link.asked & !link.confirmed != 0;
        match open {
            0 => {
                let changed = self.links_of(read).any(has_new);
                self.settle(read, |confirmed, _| confirmed);
                changed
            }
            1 => {
                self.reads[read].open = 0;
                let changed = self.links_of(read).any(|link| link.asked != link.confirmed);
                self.settle(read, |_, asked| asked);
                changed
            }
            _ => open & 1 == 1 && self.links_of(read).any(has_new),
        }
    }

    /// Lets go what a read watched, except what answers still open have asked for.
    pub(super) fn unsubscribe(&mut self, read: u32) {
        if self.reads[read].open > 1 {
            self.retain(read, |link| (0, link.asked));
        } else {
            self.settle(read, |_, _| 0);
        }
    }

    /// The read of this name.
    pub(super) fn find_read(&self, session: u32, object: u32, selection: u64) -> Option<u32> {
        let hash = self.hasher.hash_one((session, object, selection));
        let same = |&at: &u32| {
            let read = &self.reads[at];
            (read.session, read.object, read.selection) == (session, object, selection)
        };
        self.reads_by_name.find(hash, same).copied()
    }

    /// The reads of a session.
    pub(super) fn reads_of(&self, session: u32) -> impl Iterator<Item = u32> {
        let first = self.sessions.get(session as usize).map(|s| s.first);
        follow(first.unwrap_or(NONE), |at| self.reads[at].next_of_session)
    }

    /// The links of a read.
    pub(super) fn links_of(&self, read: u32) -> impl Iterator<Item = &Link> {
        follow(self.reads[read].first, |at| self.links[at].next_of_read).map(|at| &self.links[at])
    }

    /// The name of a read within its session: its object, and which selection of it.
    pub(super) fn name_of(&self, read: u32) -> Option<(ObjectId, u64)> {
        let read = &self.reads[read];
        Some((self.points[read.object].object()?, read.selection))
    }

    /// What a read watches, in either role.
    pub(super) fn dependencies_of(&self, read: u32) -> Vec<(Role, Dependency)> {
        let mut found = Vec::with_capacity(self.reads[read].links as usize);
        for link in self.links_of(read) {
            let roles = [
                (link.declared(), Role::Declared),
                (link.derived(), Role::Derived),
            ];
            let roles = roles.into_iter().filter(|(has, _)| *has);
            found.extend(roles.map(|(_, role)| (role, self.points.dependency(link.point))));
        }
        found
    }

    /// Number of dependencies that a session holds.
    pub(super) fn watched_by(&self, session: u32) -> usize {
        let session = self.sessions.get(session as usize);
        session.map_or(0, |session| session.links as usize)
    }

    /// The link after this one on the same point.
    pub(super) fn next_of_point(&self, link: u32) -> u32 {
        self.links[link].next_of_point
    }

    /// The object that a link declares: its point, unless that is a column's value.
    pub(super) fn declared_object(&self, link: &Link) -> Option<ObjectId> {
        link.declared()
            .then(|| self.points[link.point].object())
            .flatten()
    }

    /// Settles a read that nobody answers any more: `keep` chooses the roles that stay.
    fn settle(&mut self, read: u32, keep: impl Fn(u8, u8) -> u8) {
        self.retain(read, |link| (keep(link.confirmed, link.asked), 0));
        if self.reads[read].first == NONE {
            self.remove_read(read);
        }
    }

    /// Gives every link of a read new roles, confirmed and asked, and drops those without any.
    fn retain(&mut self, read: u32, roles: impl Fn(&Link) -> (u8, u8)) {
        let mut kept_last = NONE;
        let mut at = self.reads[read].first;
        while at != NONE {
            let next = self.links[at].next_of_read;
            let (confirmed, asked) = roles(&self.links[at]);
            self.set_roles(at, confirmed, asked);
            if confirmed | asked == 0 {
                match kept_last {
                    NONE => self.reads[read].first = next,
                    last => self.links[last].next_of_read = next,
                }
                self.remove_link(at);
            } else {
                kept_last = at;
            }
            at = next;
        }
    }

    fn set_roles(&mut self, at: u32, confirmed: u8, asked: u8) {
        let link = &mut self.links[at];
        let before = link.declared();
        link.confirmed = confirmed;
        link.asked = asked;
        let after = link.declared();
        let point = &mut self.points[link.point];
        point.declared = point.declared + u32::from(after) - u32::from(before);
    }

    fn add_read(&mut self, session: u32, object: u32, selection: u64) -> u32 {
        self.points[object].objects += 1;
        let at = session as usize;
        if self.sessions.len() <= at {
            let empty = Session {
                first: NONE,
                links: 0,
                told: 0,
            };
            self.sessions.resize(at + 1, empty);
        }
        let next = self.sessions[at].first;
        let read = self.reads.insert(Read {
            session,
            object,
            selection,
            next_of_session: next,
            ..Read::default()
        });
        self.sessions[at].first = read;
        if next != NONE {
            self.reads[next].prev_of_session = read;
        }
        let hasher = &self.hasher;
        let hash = hasher.hash_one((session, object, selection));
        self.reads_by_name.insert_unique(hash, read, |&other| {
            let read = &self.reads[other];
            hasher.hash_one((read.session, read.object, read.selection))
        });
        read
    }

    fn remove_read(&mut self, at: u32) {
        let name = {
            let read = &self.reads[at];
            (read.session, read.object, read.selection)
        };
        let hash = self.hasher.hash_one(name);
        if let Ok(entry) = self.reads_by_name.find_entry(hash, |&other| other == at) {
            entry.remove();
        }
        let read = self.reads.remove(at);
        if read.next_of_session != NONE {
            self.reads[read.next_of_session].prev_of_session = read.prev_of_session;
        }
        match read.prev_of_session {
            NONE => self.sessions[read.session as usize].first = read.next_of_session,
            prev => self.reads[prev].next_of_session = read.next_of_session,
        }
        self.points[read.object].objects -= 1;
        self.points.release(read.object);
        if self.reads.len() == 0 {
            self.reads_by_name = HashTable::new();
        }
    }

    fn find_link(&self, read: u32, point: u32) -> Option<u32> {
        if self.reads[read].links <= WALKED_LINKS {
            return follow(self.reads[read].first, |at| self.links[at].next_of_read)
                .find(|&at| self.links[at].point == point);
        }
        let hash = self.hasher.hash_one((read, point));
        let same = |&at: &u32| (self.links[at].read, self.links[at].point) == (read, point);
        self.links_by_ends.find(hash, same).copied()
    }

    fn add_link(&mut self, read: u32, point: u32) -> u32 {
        let session = self.reads[read].session;
        let next_of_point = self.points[point].first;
        let at = self.links.insert(Link {
            point,
            read,
            session,
            next_of_point,
            next_of_read: self.reads[read].first,
            ..Link::default()
        });
        if next_of_point != NONE {
            self.links[next_of_point].prev_of_point = at;
        }
        self.points[point].first = at;
        self.reads[read].first = at;
        self.reads[read].links += 1;
        self.sessions[session as usize].links += 1;
        match self.reads[read].links.saturating_sub(WALKED_LINKS) {
            0 => {}
            1 => self.hash_links_of(read),
            _ => self.hash_link(at),
        }
        at
    }

    fn hash_links_of(&mut self, read: u32) {
        let mut at = self.reads[read].first;
        while at != NONE {
            self.hash_link(at);
            at = self.links[at].next_of_read;
        }
    }

    fn hash_link(&mut self, at: u32) {
        let ends = |at: u32| (self.links[at].read, self.links[at].point);
        let hash = self.hasher.hash_one(ends(at));
        self.links_by_ends
            .insert_unique(hash, at, |&other| self.hasher.hash_one(ends(other)));
    }

    fn unhash_link(&mut self, at: u32) {
        let link = &self.links[at];
        let hash = self.hasher.hash_one((link.read, link.point));
        if let Ok(entry) = self.links_by_ends.find_entry(hash, |&other| other == at) {
            entry.remove();
        }
    }

    /// Frees a link that is no longer in its read's list.
    fn remove_link(&mut self, at: u32) {
        let read = self.links[at].read;
        let links = self.reads[read].links;
        if links > WALKED_LINKS {
            self.unhash_link(at);
        }
        self.reads[read].links = links - 1;
        if links == WALKED_LINKS + 1 {
            let mut rest = self.reads[read].first;
            while rest != NONE {
                self.unhash_link(rest);
                rest = self.links[rest].next_of_read;
            }
        }
        let link = self.links.remove(at);
        if link.next_of_point != NONE {
            self.links[link.next_of_point].prev_of_point = link.prev_of_point;
        }
        match link.prev_of_point {
            NONE => self.points[link.point].first = link.next_of_point,
            prev => self.links[prev].next_of_point = link.next_of_point,
        }
        self.points.release(link.point);
        self.sessions[link.session as usize].links -= 1;
    }
}

fn follow(first: u32, next: impl Fn(u32) -> u32) -> impl Iterator<Item = u32> {
    let some = |at: u32| (at != NONE).then_some(at);
    std::iter::successors(some(first), move |&at| some(next(at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_subscriptions_cost_what_their_records_say() {
        assert_eq!((size_of::<Link>(), size_of::<Read>()), (28, 40));
    }
}
