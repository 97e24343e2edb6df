//! What clients of the original are told that come back, silently, after the server was started anew:
//! that what they watch is to be read again, and from then on what their viewers see.

use blazelink_tests::app::connect;
use blazelink_tests::client::tells_of;
use serde_json::{Value, json};

use crate::oracle::{World, collect, references};
use crate::routes::{MISSING, NAMED, Route};
use crate::{Findings, Stage, launch, probe};

const MISSED: &str = "
    UPDATE game_event SET kind = 'secret event 23c' WHERE id = 23;
    UPDATE diary SET text = 'secret diary 52c' WHERE id = 52;
    UPDATE \"user\" SET name = 'secret user 13c' WHERE id = 13";

/// Changes of rows that somebody sees, and of some that nobody does.
const HEARD: [&str; 2] = [
    "UPDATE game_event SET kind = 'secret event d' WHERE id IN (21, 23);
     UPDATE diary SET text = 'secret diary d'; UPDATE notice SET text = 'secret notice 61d' WHERE id = 61;
     UPDATE game SET name = 'secret game 41d' WHERE id = 41",
    "UPDATE game_event SET kind = 'secret event e' WHERE id IN (21, 23);
     UPDATE diary SET text = 'secret diary e'; UPDATE notice SET text = 'secret notice 61e' WHERE id = 61;
     UPDATE game SET name = 'secret game 41e' WHERE id = 41",
];

impl Stage {
    /// Starts the app anew under clients that do not know.
    pub(crate) async fn restart(mut self, findings: &mut Findings) -> Stage {
        self.clients.iter_mut().for_each(|(_, client)| client.cut());
        self.probe.cut();
        let database = self.app.stop().await;
        self.sql = connect(database.url()).await;
        let missed = self.sql.batch_execute(MISSED).await;
        missed.expect("it fits the tables");
        self.app = launch(database, self.planted, &self.state).await;
        self.probe = probe(&self.app).await;
        for (role, client) in &mut self.clients {
            client.move_to(self.app.address());
            client.open().await;
            let owed = client.frames_so_far().await;
            assert!(owed.iter().any(|it| tells_of(it, "User", 11)), "{owed:?}");
            for frame in owed {
                if !names_what_was_named(&frame["data"]) {
                    findings.add(Route::Restart, *role, frame);
                }
            }
        }
        // Nobody has said yet who they are.
        let roles: Vec<i32> = self.clients.iter().map(|(role, _)| *role).collect();
        self.clients.iter_mut().for_each(|(role, _)| *role = 0);
        self.commit(HEARD[0], findings).await;
        for ((now, client), role) in self.clients.iter_mut().zip(roles) {
            *now = role;
            client
                .read("{ notice(identifier: {obj_id: 61}) { id } }")
                .await;
            client.frames_so_far().await;
        }
        self.commit(HEARD[1], findings).await;
        self
    }

    async fn commit(&mut self, statements: &str, findings: &mut Findings) {
        let before = World::read(&self.sql).await;
        let done = self.sql.batch_execute(statements).await;
        done.expect("it fits the tables");
        let after = World::read(&self.sql).await;
        self.catch_up().await;
        let told = self.frames(Route::Restart, &before, &after, findings).await;
        // What everybody sees, everybody hears.
        let told = told.iter().filter(|frame| tells_of(frame, "Notice", 61));
        assert_eq!(told.count(), self.clients.len());
    }
}

/// Whether a notice tells nothing but that something which its session has named is to be read again.
fn names_what_was_named(data: &Value) -> bool {
    let mut secrets = Default::default();
    collect(data, &mut secrets);
    let mut named = Vec::new();
    references(&data["identifier"], &mut named);
    let known = |(entity, key): &(String, i64)| {
        let mut known = NAMED.iter();
        known.any(|(it, keys)| it == entity && (keys.contains(key) || *key == MISSING))
    };
    data["changes"] == json!({}) && secrets.is_empty() && named.iter().all(known)
}
