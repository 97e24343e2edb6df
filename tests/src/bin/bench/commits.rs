//! Commits for what is measured without a database: renamed players.

use std::time::SystemTime;

use blazelink::change::{Change, ChangeKind, Lsn, Old, Row, Transaction};
use blazelink::exposure::{ExposedColumn, ExposedTable, Exposure};
use blazelink::object_id::{Key, ObjectId, TableId};
use blazelink::value::Kind;

/// The players' table.
pub(crate) const TABLE: TableId = TableId(0);

/// The exposed name of a player.
pub(crate) const ENTITY: &str = "Player";

/// The players' table, exposed.
pub(crate) fn exposure() -> Exposure {
    let column = |name: &str, kind| ExposedColumn {
        renamed: None,
        name: name.to_owned(),
        kind,
    };
    Exposure::new(vec![ExposedTable {
        id: TABLE,
        schema: "public".to_owned(),
        table: "player".to_owned(),
        entity: ENTITY.to_owned(),
        columns: vec![column("id", Kind::Int), column("name", Kind::Text)],
        key: vec![0],
    }])
}

/// The key of the player with this number.
pub(crate) fn key(number: usize) -> Key {
    Key::from(number as i64)
}

/// The player with this number.
pub(crate) fn object(number: usize) -> ObjectId {
    ObjectId::row(TABLE, key(number))
}

/// A commit that gives one player this name.
pub(crate) fn rename(number: usize, name: &str) -> Transaction {
    let id = number.to_string();
    let row = |name| Row::from_texts(&[Some(&id), Some(name)]);
    let change = Change {
        table: TABLE,
        kind: ChangeKind::Update,
        key: key(number),
        moved: None,
        old: Old::Full(row("before")),
        new: Some(row(name)),
    };
    Transaction {
        xid: 1,
        commit_lsn: Lsn(1),
        end_lsn: Lsn(2),
        committed_at: SystemTime::UNIX_EPOCH,
        read_at: std::time::Instant::now(),
        cause: None,
        changes: vec![change],
        whole: Vec::new(),
    }
}
