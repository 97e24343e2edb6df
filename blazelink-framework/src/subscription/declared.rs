//! What sessions watch, as the objects that their clients know: what they read, and what they
//! declared for it. For resets and for monitors, from the index.

use super::index::SubscriptionIndex;
use crate::object_id::ObjectId;

/// What reads of a session declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// What was read, each with the rows and tables that were declared for it; oldest first.
    pub reads: Vec<(ObjectId, Vec<ObjectId>)>,
    /// Whether that is all.
    pub complete: bool,
}

impl SubscriptionIndex {
    /// The objects that a session watches: those it read, and the rows and tables it declared.
    /// Ascending, without repeats.
    pub fn watched(&self, session: u32) -> Vec<ObjectId> {
        let mut objects = Vec::new();
        for read in self.graph.reads_of(session) {
            let mut links = self.graph.links_of(read).peekable();
            if links.peek().is_none() {
                continue;
            }
            objects.extend(links.filter_map(|link| self.graph.declared_object(link)));
            objects.extend(self.graph.points[self.graph.reads[read].object].object());
        }
        objects.sort_unstable();
        objects.dedup();
        objects
    }

    /// What one read of a session declared, at most `limit` objects with the read's own. The
    /// newest of them, if there are more.
    pub fn declared(
        &self,
        session: u32,
        object: &ObjectId,
        selection: u64,
        limit: usize,
    ) -> Declared {
        let read = self.find(session, object, selection);
        self.declared_by(read.into_iter(), limit)
    }

    /// What all reads of a session declared; see [`SubscriptionIndex::declared`].
    pub fn declarations(&self, session: u32, limit: usize) -> Declared {
        self.declared_by(self.graph.reads_of(session), limit)
    }

    /// `reads` come as the graph has them, newest first.
    fn declared_by(&self, reads: impl Iterator<Item = u32>, limit: usize) -> Declared {
        let mut declared = Declared {
            reads: Vec::new(),
            complete: true,
        };
        let mut room = limit;
        for read in reads {
            let Some((object, _)) = self.graph.name_of(read) else {
                continue;
            };
            let links = self.graph.links_of(read);
            let beside = links.filter_map(|link| self.graph.declared_object(link));
            // One more than there is room for, to see whether there is one.
            let mut beside: Vec<ObjectId> = beside.take(room).collect();
            if beside.len() == room {
                declared.complete = false;
                if beside.pop().is_none() {
                    break;
                }
            }
            room -= 1 + beside.len();
            beside.reverse();
            declared.reads.push((object, beside));
        }
        declared.reads.reverse();
        declared
    }
}
