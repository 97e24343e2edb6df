//! Messages as a real server sends them, cut short and changed.

use std::collections::HashMap;

use blazelink::replication::pgoutput::{Message, Timestamp};
use blazelink::replication::{Arrival, Decoder, Frame, Limits};

use crate::support::{Database, Sql, exposed};

/// A stream of nearly every message: the messages in order, each with whether it is part of a
/// streamed piece.
async fn capture() -> Vec<(bool, Vec<u8>)> {
    let mut database = Database::create(
        "CREATE TYPE mood AS ENUM ('fine'); \
         CREATE TABLE row (id int PRIMARY KEY, body text, mood mood)",
        &["row"],
    )
    .await;
    let name = database.test.name().to_owned();
    let sql = &mut database.sql;
    sql.run(&format!(
        "ALTER DATABASE {name} SET logical_decoding_work_mem = '64kB'"
    ))
    .await;
    let mut follower = database.follow(Vec::new()).await;
    let sql = &mut database.sql;
    sql.run("INSERT INTO row VALUES (1, NULL, 'fine')").await;
    sql.run("UPDATE row SET id = 2; UPDATE row SET body = 'x'; DELETE FROM row; TRUNCATE row")
        .await;
    sql.run("ALTER TABLE row REPLICA IDENTITY DEFAULT").await;
    sql.run("INSERT INTO row VALUES (3); UPDATE row SET id = 4; DELETE FROM row")
        .await;
    let large = "INSERT INTO row SELECT i, repeat('x', 50) FROM generate_series(1, 2000) i";
    sql.run("BEGIN; SAVEPOINT a").await;
    sql.run(large).await;
    sql.run("ROLLBACK TO SAVEPOINT a").await;
    sql.run(large).await;
    sql.run("COMMIT").await;
    read(&mut follower.stream, sql).await
}

async fn read(
    stream: &mut blazelink::replication::ReplicationStream,
    sql: &mut Sql,
) -> Vec<(bool, Vec<u8>)> {
    sql.run("SELECT pg_logical_emit_message(false, 'test', 'end')")
        .await;
    let mut messages = Vec::new();
    let mut streamed = false;
    loop {
        let frames = stream.next().await.unwrap();
        for frame in frames.frames() {
            let Frame::Message { data, .. } = frame else {
                continue;
            };
            messages.push((streamed, data.to_vec()));
            match Message::parse(data, streamed).unwrap() {
                Message::StreamStart { .. } => streamed = true,
                Message::StreamStop => streamed = false,
                Message::Logical { content, .. } if content == b"end" => return messages,
                _ => {}
            }
        }
    }
}

fn decoder() -> Decoder {
    let row = exposed(0, "row", &["id#", "body", "mood"], &[0]);
    let exposure = blazelink::exposure::Exposure::new(vec![row]);
    Decoder::new(exposure.into(), Limits::default())
}

#[tokio::test]
async fn every_cut_and_every_changed_byte_of_a_real_stream_is_a_message_or_an_error() {
    let messages = tokio::time::timeout(crate::support::PATIENCE, capture());
    let messages = messages.await.unwrap();
    // A few of each kind are enough; the large insert alone gives thousands.
    let mut seen: HashMap<(bool, u8), u32> = HashMap::new();
    let mut seeds = messages.clone();
    seeds.retain(|(streamed, message)| {
        let times = seen.entry((*streamed, message[0])).or_default();
        *times += 1;
        *times <= 5
    });
    for tag in *b"BCRYIUDTMSEcA" {
        assert!(
            seeds.iter().any(|(_, seed)| seed[0] == tag),
            "nothing of `{}` was captured",
            tag.escape_ascii()
        );
    }
    for (streamed, seed) in &seeds {
        for length in 0..seed.len() {
            let cut = Message::parse(&seed[..length], *streamed);
            assert!(cut.is_err(), "{length} of {}", seed.escape_ascii());
        }
        for at in 0..seed.len() {
            for byte in [0, 1, 0x7F, 0x80, 0xFF, seed[at] ^ 1] {
                let mut changed = seed.clone();
                changed[at] = byte;
                let _ = Message::parse(&changed, *streamed);
            }
        }
    }
}

#[tokio::test]
async fn decoder_survives_any_changed_message_of_a_real_stream() {
    let messages = tokio::time::timeout(crate::support::PATIENCE, capture());
    let messages = messages.await.unwrap();
    for changed in 0..messages.len().min(300) {
        let mut decoder = decoder();
        for (at, (_, message)) in messages.iter().take(300).enumerate() {
            let mut message = message.clone();
            if at == changed {
                let middle = message.len() / 2;
                message[middle] ^= 0xFF;
            }
            if decoder
                .decode(
                    &message,
                    Arrival {
                        sent: Timestamp(0),
                        read_at: std::time::Instant::now(),
                    },
                )
                .is_err()
            {
                decoder.restart();
            }
        }
    }
}
