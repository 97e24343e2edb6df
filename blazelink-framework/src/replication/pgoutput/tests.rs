//! Any bytes at all are read to their end or refused.

use proptest::prelude::*;

use super::*;
use crate::replication::testing::{seeds, t};

/// Reads everything that a message holds, so that no part of it is believed unread.
fn read_wholly(message: &Message<'_>) {
    let tuple = |tuple: &Tuple<'_>| {
        assert_eq!(tuple.cells().count(), tuple.len());
    };
    let old = |old: &OldTuple<'_>| match old {
        OldTuple::Key(old) | OldTuple::Full(old) => tuple(old),
    };
    match message {
        Message::Relation { relation, .. } => {
            assert_eq!(relation.columns().count(), usize::from(relation.columns));
        }
        Message::Insert { new, .. } => tuple(new),
        Message::Update {
            old: before, new, ..
        } => {
            before.iter().for_each(old);
            tuple(new);
        }
        Message::Delete { old: before, .. } => old(before),
        Message::Truncate { relations, .. } => {
            relations.iter().for_each(drop);
        }
        _ => {}
    }
}

#[test]
fn every_message_is_read_to_its_end() {
    for (streamed, seed) in seeds() {
        match Message::parse(&seed, streamed) {
            Ok(message) => read_wholly(&message),
            Err(error) => panic!("{error}: {}", seed.escape_ascii()),
        }
    }
}

#[test]
fn every_truncation_is_an_error() {
    for (streamed, seed) in seeds() {
        for length in 0..seed.len() {
            // An abort without position and time is whole as well.
            if seed[0] == b'A' && length == 9 {
                continue;
            }
            let cut = Message::parse(&seed[..length], streamed);
            assert!(cut.is_err(), "{} of {}", length, seed.escape_ascii());
        }
    }
}

#[test]
fn bytes_behind_a_message_are_an_error() {
    for (streamed, mut seed) in seeds() {
        if seed[0] != b'A' {
            seed.push(0);
            assert!(Message::parse(&seed, streamed).is_err());
        }
    }
}

#[test]
fn every_changed_byte_gives_a_message_or_an_error() {
    for (streamed, seed) in seeds() {
        for at in 0..seed.len() {
            for byte in 0..=u8::MAX {
                let mut changed = seed.clone();
                changed[at] = byte;
                for streamed in [streamed, !streamed] {
                    if let Ok(message) = Message::parse(&changed, streamed) {
                        read_wholly(&message);
                    }
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_give_a_message_or_an_error(
        tag in prop::sample::select(b"BCORYIUDTMSEcAbPKrp".to_vec()),
        body in prop::collection::vec(any::<u8>(), 0..200),
        streamed in any::<bool>(),
    ) {
        let _ = Message::parse(&body, streamed).as_ref().map(read_wholly);
        let bytes = [&[tag], &body[..]].concat();
        let _ = Message::parse(&bytes, streamed).as_ref().map(read_wholly);
    }
}

#[test]
fn streamed_messages_carry_their_transaction() {
    let bytes = crate::replication::testing::insert(Some(9), 5, &[t("x")]);
    let Ok(Message::Insert { xid, relation, new }) = Message::parse(&bytes, true) else {
        panic!("an insert was written");
    };
    assert_eq!((xid, relation), (Some(9), 5));
    assert!(new.cells().eq([t("x")]));
}
