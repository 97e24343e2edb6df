//! What unit tests share: sessions of a manager that knows one table, of users.

use std::sync::Arc;
use std::time::Instant;

use super::SubscriptionManager;
use crate::exposure::{ExposedColumn, ExposedTable, Exposure};
use crate::object_id::TableId;
use crate::session::{ConnectionManager, Session, SessionId};
use crate::value::Kind;

/// The table, with the columns `id` and `name`.
pub(crate) const USER: TableId = TableId(0);

/// A manager without sessions.
pub(crate) fn manager() -> Arc<SubscriptionManager> {
    let column = |name: &str, kind| ExposedColumn {
        renamed: None,
        name: name.into(),
        kind,
    };
    let exposure = Exposure::new(vec![ExposedTable {
        id: USER,
        schema: "public".into(),
        table: "user".into(),
        entity: "User".into(),
        columns: vec![column("id", Kind::Int), column("name", Kind::Text)],
        key: vec![0],
    }]);
    let connections = Arc::new(ConnectionManager::default());
    Arc::new(SubscriptionManager::new(Arc::new(exposure), connections))
}

/// The session with this id.
#[allow(clippy::unwrap_used)]
pub(crate) fn open(manager: &SubscriptionManager, id: &str) -> Arc<Session> {
    let id = SessionId::new(id).unwrap();
    manager.connections().open(&id, Instant::now())
}
