//! Messages of pgoutput for tests, written as the server writes them.

use super::pgoutput::WireCell;

/// A message being written.
#[derive(Clone, Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn tag(tag: u8, xid: Option<u32>) -> Writer {
        let writer = Writer(vec![tag]);
        match xid {
            Some(xid) => writer.u32(xid),
            None => writer,
        }
    }

    fn u8(mut self, value: u8) -> Writer {
        self.0.push(value);
        self
    }

    fn u32(mut self, value: u32) -> Writer {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    fn u64(mut self, value: u64) -> Writer {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    fn text(mut self, text: &str) -> Writer {
        self.0.extend_from_slice(text.as_bytes());
        self.u8(0)
    }

    fn tuple(mut self, kind: u8, cells: &[WireCell<'_>]) -> Writer {
        self.0.push(kind);
        self.0
            .extend_from_slice(&(cells.len() as u16).to_be_bytes());
        for cell in cells {
            let (kind, value) = match cell {
                WireCell::Null => (b'n', None),
                WireCell::Unchanged => (b'u', None),
                WireCell::Text(value) => (b't', Some(value)),
                WireCell::Binary(value) => (b'b', Some(value)),
            };
            self.0.push(kind);
            if let Some(value) = value {
                self.0
                    .extend_from_slice(&(value.len() as u32).to_be_bytes());
                self.0.extend_from_slice(value);
            }
        }
        self
    }
}

/// A cell of text.
pub(super) fn t(text: &str) -> WireCell<'_> {
    WireCell::Text(text.as_bytes())
}

/// A NULL.
pub(super) const N: WireCell<'static> = WireCell::Null;

/// A cell that the statement left alone.
pub(super) const U: WireCell<'static> = WireCell::Unchanged;

pub(super) fn begin(xid: u32) -> Vec<u8> {
    Writer::tag(b'B', None).u64(1).u64(2).u32(xid).0
}

/// A commit whose record begins at `lsn` and ends 8 bytes on.
pub(super) fn commit(lsn: u64) -> Vec<u8> {
    let writer = Writer::tag(b'C', None).u8(0);
    writer.u64(lsn).u64(lsn + 8).u64(1_000_000).0
}

pub(super) fn relation(
    xid: Option<u32>,
    oid: u32,
    name: &str,
    identity: u8,
    columns: &[(bool, &str)],
) -> Vec<u8> {
    let mut writer = Writer::tag(b'R', xid)
        .u32(oid)
        .text("public")
        .text(name)
        .u8(identity);
    writer
        .0
        .extend_from_slice(&(columns.len() as u16).to_be_bytes());
    for (key, column) in columns {
        writer = writer.u8(u8::from(*key)).text(column).u32(25).u32(u32::MAX);
    }
    writer.0
}

pub(super) fn insert(xid: Option<u32>, oid: u32, new: &[WireCell<'_>]) -> Vec<u8> {
    Writer::tag(b'I', xid).u32(oid).tuple(b'N', new).0
}

/// An update; `old` is `(b'K' or b'O', cells)`.
pub(super) fn update(
    xid: Option<u32>,
    oid: u32,
    old: Option<(u8, &[WireCell<'_>])>,
    new: &[WireCell<'_>],
) -> Vec<u8> {
    let mut writer = Writer::tag(b'U', xid).u32(oid);
    if let Some((kind, old)) = old {
        writer = writer.tuple(kind, old);
    }
    writer.tuple(b'N', new).0
}

pub(super) fn delete(xid: Option<u32>, oid: u32, kind: u8, old: &[WireCell<'_>]) -> Vec<u8> {
    Writer::tag(b'D', xid).u32(oid).tuple(kind, old).0
}

pub(super) fn truncate(xid: Option<u32>, oids: &[u32]) -> Vec<u8> {
    let writer = Writer::tag(b'T', xid).u32(oids.len() as u32).u8(3);
    oids.iter().fold(writer, |writer, &oid| writer.u32(oid)).0
}

pub(super) fn logical(
    xid: Option<u32>,
    transactional: bool,
    lsn: u64,
    prefix: &str,
    content: &str,
) -> Vec<u8> {
    let mut writer = Writer::tag(b'M', xid)
        .u8(u8::from(transactional))
        .u64(lsn)
        .text(prefix)
        .u32(content.len() as u32);
    writer.0.extend_from_slice(content.as_bytes());
    writer.0
}

pub(super) fn stream_start(xid: u32, first: bool) -> Vec<u8> {
    Writer::tag(b'S', None).u32(xid).u8(u8::from(first)).0
}

pub(super) fn stream_stop() -> Vec<u8> {
    vec![b'E']
}

pub(super) fn stream_commit(xid: u32, lsn: u64) -> Vec<u8> {
    let writer = Writer::tag(b'c', None).u32(xid).u8(0);
    writer.u64(lsn).u64(lsn + 8).u64(1_000_000).0
}

pub(super) fn stream_abort(xid: u32, subxid: u32) -> Vec<u8> {
    Writer::tag(b'A', None).u32(xid).u32(subxid).0
}

/// One of each message, and whether it stands in a streamed piece.
pub(super) fn seeds() -> Vec<(bool, Vec<u8>)> {
    let columns = [(true, "id"), (false, "name")];
    let row = [t("1"), t("Ann")];
    let mut seeds = Vec::new();
    for xid in [None, Some(7)] {
        let streamed = xid.is_some();
        seeds.extend(
            [
                relation(xid, 16_384, "user", b'f', &columns),
                insert(xid, 16_384, &[t("1"), N]),
                insert(xid, 16_384, &[t("1"), WireCell::Binary(b"\x00\x01")]),
                update(xid, 16_384, None, &[t("1"), U]),
                update(xid, 16_384, Some((b'K', &[t("1"), N])), &row),
                update(xid, 16_384, Some((b'O', &row)), &row),
                delete(xid, 16_384, b'K', &[t("1"), N]),
                delete(xid, 16_384, b'O', &row),
                truncate(xid, &[16_384, 16_385]),
                logical(xid, true, 9, "blazelink.invalidate", r#"{"table":"user"}"#),
                Writer::tag(b'Y', xid)
                    .u32(16_390)
                    .text("public")
                    .text("mood")
                    .0,
            ]
            .map(|seed| (streamed, seed)),
        );
    }
    let prepared = |tag: u8, flags: bool| {
        let writer = Writer::tag(tag, None);
        let writer = if flags { writer.u8(0) } else { writer };
        writer.u64(1).u64(2).u64(3).u32(7).text("gid").0
    };
    seeds.extend(
        [
            begin(7),
            commit(100),
            stream_start(7, true),
            stream_stop(),
            stream_commit(7, 100),
            stream_abort(7, 8),
            Writer(stream_abort(7, 8)).u64(1).u64(2).0,
            Writer::tag(b'O', None).u64(1).text("other").0,
            prepared(b'b', false),
            prepared(b'P', true),
            prepared(b'p', true),
            prepared(b'K', true),
            Writer::tag(b'r', None)
                .u8(0)
                .u64(1)
                .u64(2)
                .u64(3)
                .u64(4)
                .u32(7)
                .text("gid")
                .0,
        ]
        .map(|seed| (false, seed)),
    );
    seeds
}
