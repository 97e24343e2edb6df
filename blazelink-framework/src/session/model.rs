//! The test that an outbox loses nothing, whatever is pushed, taken, confirmed and broken off.
//!
//! The model is a client that knows, per object, how many pushes the frames it confirmed stand
//! for. What it has not confirmed is lost when its socket breaks.

use std::collections::HashMap;
use std::sync::Arc;

use blazelink_codes::limits;
use proptest::collection::vec;
use proptest::prelude::*;

use super::outbox::{Entry, Outbox};
use super::update::{Update, UpdateKind, open};
use crate::exposure::ExposedTable;
use crate::object_id::{Atom, Key, ObjectId, Scope, TableId};

#[derive(Clone, Debug)]
enum Step {
    /// As many pushes, over as many objects, the first being this one.
    Push(i64, i64, i64),
    Take(usize),
    /// Confirms the frame at this place among those taken from the socket.
    Confirm(usize),
    Reconnect,
    Reset,
}

fn step() -> impl Strategy<Value = Step> {
    let objects = prop_oneof![1..5_i64, 1_000..40_000_i64];
    prop_oneof![
        4 => (0..9_000_i64, objects, 0..100_i64).prop_map(|(n, of, at)| Step::Push(n, of, at)),
        4 => (0..300_000_usize).prop_map(Step::Take),
        3 => (0..4_000_usize).prop_map(Step::Confirm),
        2 => Just(Step::Reconnect),
        1 => Just(Step::Reset),
    ]
}

#[derive(Default)]
struct Client {
    outbox: Outbox,
    /// Per key: pushes so far.
    pushed: HashMap<i64, u64>,
    /// Per key: pushes that the confirmed frames stand for.
    handled: HashMap<i64, u64>,
    /// Frames of this socket: message id, key, pushes that the frame stands for.
    taken: Vec<(u64, i64, u64)>,
}

impl Client {
    fn push(&mut self, key: i64, at: i64) {
        let kind = [UpdateKind::Create, UpdateKind::Update, UpdateKind::Delete][at as usize % 3];
        let table = ExposedTable {
            id: TableId(0),
            schema: "public".into(),
            table: "t".into(),
            entity: "T".into(),
            columns: Vec::new(),
            key: Vec::new(),
        };
        let update = Update::row(&table, &Key::from(key), open(None));
        self.outbox.push(kind, &Arc::new(update));
        *self.pushed.entry(key).or_default() += 1;
    }

    fn take(&mut self, bytes: usize) {
        if self.outbox.begin_reset() {
            let keys = self.pushed.keys();
            let objects = keys.map(|&key| ObjectId::row(TableId(0), Key::from(key)));
            self.outbox.refill(objects.collect());
        }
        let mut entries = Vec::new();
        self.outbox.take(bytes, &mut entries);
        for entry in entries {
            let last = self.taken.last().map_or(0, |(id, ..)| *id);
            assert!(entry.msg_id > last, "ids only grow");
            self.receive(&entry);
        }
    }

    fn receive(&mut self, entry: &Entry) {
        let Scope::Row(key) = &entry.update.object.scope else {
            panic!("only rows were pushed");
        };
        let Atom::Int(key) = key.atoms()[0] else {
            panic!("only numbers were pushed");
        };
        self.taken.push((entry.msg_id, key, self.pushed[&key]));
    }

    fn confirm(&mut self, at: usize) {
        let Some(&(msg_id, ..)) = self.taken.get(at) else {
            return;
        };
        self.outbox.confirm(msg_id);
        // A client may confirm an older frame after a newer one: that takes nothing back.
        for (_, key, pushes) in &self.taken[..=at] {
            let handled = self.handled.entry(*key).or_default();
            *handled = (*handled).max(*pushes);
        }
    }

    fn check(&self) {
        let sent = limits::UNCONFIRMED_FRAMES;
        let waiting = limits::OUTBOX_ENTRIES + self.pushed.len();
        assert!(self.outbox.len() <= sent + waiting);
        assert_eq!(self.outbox.bytes(), self.outbox.weigh());
    }
}

/// Takes everything that waits, over one last socket, and compares.
fn finish(mut client: Client) {
    client.outbox.rewind();
    client.taken.clear();
    client.take(usize::MAX);
    assert_eq!(client.outbox.waiting(), 0);
    let mut handled = client.handled;
    for (_, key, pushes) in client.taken {
        handled.insert(key, pushes);
    }
    for (key, pushes) in client.pushed {
        assert_eq!(handled.get(&key), Some(&pushes), "object {key}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_push_reaches_the_client_or_a_later_word_on_its_object(
        steps in vec(step(), 1..30)
    ) {
        let mut client = Client::default();
        for step in steps {
            match step {
                Step::Push(pushes, objects, first) => {
                    for at in 0..pushes {
                        client.push((first + at) % objects, at);
                    }
                }
                Step::Take(bytes) => client.take(bytes),
                Step::Confirm(at) => client.confirm(at),
                Step::Reconnect => {
                    client.outbox.rewind();
                    client.taken.clear();
                }
                Step::Reset => client.outbox.reset(),
            }
            client.check();
        }
        finish(client);
    }
}
