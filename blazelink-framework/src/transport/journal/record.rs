//! The journal's records: bytes from what sessions watch, and back.
//!
//! After [`HEAD`], which ends in the version of the format, come records: the length of a text
//! (`u32`, little endian), its CRC-32, and the text, which is JSON. A record says all that one read
//! of a session watches by then, in place of what earlier ones said of it, or that a session has
//! ended. Tables and columns are named as on the wire (`NamedView`), because their numbers are another
//! build's.
//!
//! What must stay true: any beginning of a journal restores what its whole records say, and
//! nothing behind the first broken one is believed.

use std::borrow::Cow;

use crc::{CRC_32_ISO_HDLC, Crc, Table};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::exposure::Exposure;
use crate::session::SessionId;
use crate::subscription::{NamedView, View, ViewName};

/// What a journal begins with.
pub(super) const HEAD: &[u8] = b"blazelink sessions 1\n";

/// Bytes of a record before its text.
const PREFIX: usize = 8;

static CHECKSUM: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);

/// What sessions watch, by session and read, in the order in which they are first named.
pub type Sessions = IndexMap<SessionId, IndexMap<ViewName, View>>;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Record<'a> {
    View {
        session: Cow<'a, str>,
        #[serde(flatten)]
        view: NamedView<'a>,
    },
    End {
        session: Cow<'a, str>,
    },
}

/// Appends the record of one read; of one that watches nothing any more, if `view` is empty.
pub(super) fn write_view(
    exposure: &Exposure,
    session: &SessionId,
    name: &ViewName,
    view: &View,
    out: &mut Vec<u8>,
) {
    let record = Record::View {
        session: session.reveal().into(),
        view: NamedView::of(exposure, name, view),
    };
    write(&record, out);
}

/// Appends the record of a session's end.
pub(super) fn write_end(session: &SessionId, out: &mut Vec<u8>) {
    let session = session.reveal().into();
    write(&Record::End { session }, out);
}

/// What the bytes of a journal say, and how many of them are whole records.
pub(super) fn read(bytes: &[u8], exposure: &Exposure) -> (Sessions, usize) {
    let mut sessions = Sessions::new();
    let Some(mut rest) = bytes.strip_prefix(HEAD) else {
        return (sessions, 0);
    };
    while let Some((text, after)) = next(rest) {
        // A text that another version wrote is whole, and says nothing to this one.
        if let Ok(record) = serde_json::from_slice(text) {
            enter(record, exposure, &mut sessions);
        }
        rest = after;
    }
    (sessions, bytes.len() - rest.len())
}

/// The text of the first record, and what follows it; nothing if it is torn or corrupt.
fn next(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (checksum, rest) = rest.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    // An empty text is what a file system leaves of a page that it did not write.
    let sound = !text.is_empty() && CHECKSUM.checksum(text).to_le_bytes() == *checksum;
    sound.then_some((text, rest))
}

fn write(record: &Record<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend([0; PREFIX]);
    let written = serde_json::to_writer(&mut *out, record);
    let text = &out[start + PREFIX..];
    let (Ok(()), Ok(length)) = (written, u32::try_from(text.len())) else {
        // No record rather than a broken one.
        out.truncate(start);
        return;
    };
    let checksum = CHECKSUM.checksum(text);
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    out[start + 4..start + PREFIX].copy_from_slice(&checksum.to_le_bytes());
}

/// Lets a record take effect.
fn enter(record: Record<'_>, exposure: &Exposure, sessions: &mut Sessions) -> Option<()> {
    match record {
        Record::End { session } => {
            sessions.swap_remove(&SessionId::new(&session)?);
        }
        Record::View { session, view } => {
            let session = SessionId::new(&session)?;
            let (name, view) = view.to_view(exposure)?;
            if !view.is_empty() {
                sessions.entry(session).or_default().insert(name, view);
            } else if let Some(views) = sessions.get_mut(&session) {
                views.swap_remove(&name);
                if views.is_empty() {
                    sessions.swap_remove(&session);
                }
            }
        }
    }
    Some(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::exposure::{ExposedColumn, ExposedTable};
    use crate::object_id::{Atom, Key, ObjectId, TableId};
    use crate::subscription::{Dependency, Residual, Role};
    use crate::value::Kind;

    fn table(id: u32, entity: &str, columns: &[(&str, Kind)], key: &[usize]) -> ExposedTable {
        let column = |(name, kind): &(&str, Kind)| ExposedColumn {
            renamed: None,
            name: (*name).into(),
            kind: kind.clone(),
        };
        ExposedTable {
            id: TableId(id),
            schema: "public".into(),
            table: entity.to_lowercase(),
            entity: entity.into(),
            columns: columns.iter().map(column).collect(),
            key: key.into(),
        }
    }

    fn exposure() -> Exposure {
        let stock = [("shop", Kind::Int), ("code", Kind::Text)];
        Exposure::new(vec![
            table(0, "User", &[("id", Kind::Int), ("team", Kind::Text)], &[0]),
            table(1, "Stock", &stock, &[0, 1]),
        ])
    }

    #[derive(Clone, Debug)]
    enum Step {
        View(u8, ViewName, View),
        End(u8),
    }

    fn id(number: u8) -> SessionId {
        SessionId::new(&format!("session \"{number}\"")).unwrap()
    }

    fn row() -> impl Strategy<Value = (TableId, Key)> {
        let stock = (any::<i64>(), ".{0,4}");
        let stock = stock.prop_map(|(shop, code)| [Atom::Int(shop), Atom::Text(code.into())]);
        prop_oneof![
            any::<i64>().prop_map(|id| (TableId(0), Key::from(id))),
            stock.prop_map(|atoms| (TableId(1), Key::Many(atoms.into()))),
        ]
    }

    fn dependency() -> impl Strategy<Value = Dependency> {
        prop_oneof![
            Just(Dependency::Everything),
            (0..2_u32).prop_map(|table| Dependency::Table(TableId(table))),
            row().prop_map(|(table, key)| Dependency::Row(table, key)),
            (".{0,4}", vec(any::<i64>(), 0..3)).prop_map(|(value, ids)| Dependency::Equal {
                table: TableId(0),
                column: 1,
                value: Atom::Text(value.into()),
                residual: Residual::of([(0, ids.into_iter().map(Atom::Int).collect())]),
            }),
        ]
    }

    fn step() -> impl Strategy<Value = Step> {
        let role = prop_oneof![Just(Role::Declared), Just(Role::Derived)];
        let view = vec((role, dependency()), 0..4);
        let name = (0..3_i64, 0..2_u64).prop_map(|(key, selection)| ViewName {
            object: ObjectId::row(TableId(0), Key::from(key)),
            selection,
        });
        prop_oneof![
            6 => (0..3_u8, name, view).prop_map(|(id, name, mut view)| {
                view.sort_by_key(|(role, _)| *role == Role::Derived);
                Step::View(id, name, view)
            }),
            1 => (0..3_u8).prop_map(Step::End),
        ]
    }

    fn written(steps: &[Step]) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = HEAD.to_vec();
        let mut ends = Vec::new();
        for step in steps {
            match step {
                Step::View(at, name, view) => {
                    write_view(&exposure(), &id(*at), name, view, &mut bytes);
                }
                Step::End(at) => write_end(&id(*at), &mut bytes),
            }
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    fn meant(steps: &[Step]) -> Sessions {
        let mut sessions = Sessions::new();
        for step in steps {
            match step {
                Step::View(at, name, view) => {
                    let views = sessions.entry(id(*at)).or_default();
                    views.insert(name.clone(), view.clone());
                }
                Step::End(at) => {
                    sessions.swap_remove(&id(*at));
                }
            }
        }
        for views in sessions.values_mut() {
            views.retain(|_, view| !view.is_empty());
        }
        sessions.retain(|_, views| !views.is_empty());
        sessions
    }

    proptest! {
        #[test]
        fn any_beginning_restores_what_its_whole_records_say(
            steps in vec(step(), 0..12),
            cut in any::<proptest::sample::Index>(),
        ) {
            let (bytes, ends) = written(&steps);
            let cut = cut.index(bytes.len() + 1);
            let whole = ends.iter().filter(|end| **end <= cut).count();
            let (sessions, understood) = read(&bytes[..cut], &exposure());
            prop_assert_eq!(sessions, meant(&steps[..whole]));
            prop_assert!(understood <= cut);
        }

        #[test]
        fn nothing_from_a_corrupt_record_on_is_believed(
            steps in vec(step(), 1..12),
            at in any::<proptest::sample::Index>(),
            bit in 0..8_u8,
        ) {
            let (mut bytes, ends) = written(&steps);
            let at = HEAD.len() + at.index(bytes.len() - HEAD.len());
            bytes[at] ^= 1 << bit;
            let whole = ends.iter().filter(|end| **end <= at).count();
            prop_assert_eq!(read(&bytes, &exposure()).0, meant(&steps[..whole]));
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in vec(any::<u8>(), 0..200)) {
            read(&bytes, &exposure());
            read(&[HEAD, &bytes].concat(), &exposure());
        }
    }

    #[test]
    fn names_survive_another_build_and_what_it_has_not_is_passed_over() {
        let object = ObjectId::row(TableId(0), Key::from(1));
        let name = ViewName {
            object,
            selection: 7,
        };
        let team = |table, column, residual| Dependency::Equal {
            table: TableId(table),
            column,
            value: Atom::Text("red".into()),
            residual,
        };
        let and_id = |column, id| Residual::of([(column, vec![Atom::Int(id)])]);
        let view = vec![
            (Role::Declared, Dependency::Row(TableId(0), Key::from(1))),
            (Role::Derived, Dependency::Table(TableId(1))),
            (Role::Derived, team(0, 1, Residual::NONE)),
            (Role::Derived, team(0, 1, and_id(0, 7))),
        ];
        let mut bytes = HEAD.to_vec();
        write_view(&exposure(), &id(0), &name, &view, &mut bytes);

        let columns = [("team", Kind::Text), ("id", Kind::BigInt)];
        let later = Exposure::new(vec![
            table(0, "Game", &[("id", Kind::Int)], &[0]),
            table(1, "User", &columns, &[1]),
        ]);
        let (sessions, understood) = read(&bytes, &later);
        assert_eq!(understood, bytes.len());
        let (name, view) = sessions[0].get_index(0).unwrap();
        assert_eq!(name.object, ObjectId::row(TableId(1), Key::from(1)));
        let row = Dependency::Row(TableId(1), Key::from(1));
        let expected = [
            (Role::Declared, row),
            (Role::Derived, team(1, 0, Residual::NONE)),
            (Role::Derived, team(1, 0, and_id(1, 7))),
        ];
        assert_eq!(*view, expected);

        let by_text = table(0, "User", &[("id", Kind::Text)], &[0]);
        let (sessions, _) = read(&bytes, &Exposure::new(vec![by_text]));
        assert!(sessions.is_empty(), "keys are texts by now");
    }

    #[test]
    fn an_equality_that_another_build_has_not_narrows_no_more() {
        let object = ObjectId::table(TableId(0));
        let name = ViewName {
            object,
            selection: 7,
        };
        let team = |rest| Dependency::Equal {
            table: TableId(0),
            column: 1,
            value: Atom::Text("red".into()),
            residual: Residual::of(rest),
        };
        let view = vec![(Role::Derived, team(vec![(0, vec![Atom::Int(7)])]))];
        let mut bytes = HEAD.to_vec();
        write_view(&exposure(), &id(0), &name, &view, &mut bytes);
        for other in [("id", Kind::Text), ("number", Kind::Int)] {
            let later = table(0, "User", &[other, ("team", Kind::Text)], &[0]);
            let (sessions, _) = read(&bytes, &Exposure::new(vec![later]));
            let view = &sessions[0][&name];
            assert_eq!(*view, [(Role::Derived, team(Vec::new()))]);
        }
    }

    #[test]
    fn another_version_and_a_page_of_zeros_restore_nothing() {
        let (bytes, _) = written(&[Step::End(0)]);
        let newer = String::from_utf8_lossy(HEAD).replace('1', "2");
        let other = [newer.as_bytes(), &bytes[HEAD.len()..]].concat();
        assert_eq!(read(&other, &exposure()).1, 0);
        let zeros = [HEAD, &[0; 100]].concat();
        assert_eq!(read(&zeros, &exposure()).1, HEAD.len());
    }
}
