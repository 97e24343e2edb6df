//! A good client beside those that a test lets misbehave: whatever they do, it is told of
//! everything.

use tokio_postgres::Client as Sql;

use crate::app::TestApp;
use crate::client::{Client, tells_of};
use crate::rows;

/// A client of the shooter that watches player 1.
#[derive(Debug)]
pub struct Witness {
    /// The client.
    pub client: Client,
    /// Where it has the player changed.
    pub sql: Sql,
    changes: u32,
}

impl Witness {
    /// Makes players 1 and 2, and watches the first.
    pub async fn of(app: &TestApp) -> Witness {
        let sql = app.sql().await;
        rows::players(&sql, 2).await;
        app.catch_up().await;
        let client = Client::connect(app.address()).await;
        client
            .read("{ user(identifier: {obj_id: 1}) { name } }")
            .await;
        Witness {
            client,
            sql,
            changes: 0,
        }
    }

    /// It hears of the next change of its player, and of nothing else before.
    pub async fn is_served(&mut self) {
        self.changes += 1;
        let name = self.changes.to_string();
        self.hears(&name).await;
    }

    /// The same, and the player's name is this one from then on.
    pub async fn hears(&mut self, name: &str) {
        let rename = format!("UPDATE \"user\" SET name = '{name}' WHERE id = 1");
        let renamed = self.sql.batch_execute(&rename).await;
        renamed.expect("the player is there");
        let frame = self.client.frame().await;
        assert!(tells_of(&frame, "User", 1), "{name}: {frame}");
        assert_eq!(frame["data"]["changes"]["name"], name);
    }
}
