//! Many clients of one app at once, for whoever wants to see how that looks.
//!
//! `crowd ADDRESS COUNT` opens that many sessions, each of which reads one player and what that player
//! did. Most confirm what they are told; one in ten is slow and never does, and one in twenty-five goes
//! away. It prints `there` once all of them are, and ends when its standard input does.

use blazelink_tests::client::{Client, Received};
use futures_util::{StreamExt, stream};

/// Players of the example.
const PLAYERS: usize = 8;

/// Handshakes at a time.
const AT_ONCE: usize = 32;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut argument = || arguments.next().expect("usage: crowd ADDRESS COUNT");
    let address = argument().parse().expect("an address");
    let count: usize = argument().parse().expect("a number");
    let first = Client::without_socket(address);
    let opened = stream::iter(0..count).map(|number| {
        let mut client = first.companion();
        async move {
            client.open().await;
            let player = number % PLAYERS + 1;
            let document =
                format!("{{ user(identifier: {{obj_id: {player}}}) {{ id name team {{ row {{ name }} }} }} }}");
            client.read(&document).await;
            if number % 25 == 24 {
                return;
            }
            tokio::spawn(async move {
                while let Received::Frame(frame) = client.listen().await {
                    if number % 10 != 9 {
                        client.confirm(&frame).await;
                    }
                }
            });
        }
    });
    opened.buffer_unordered(AT_ONCE).collect::<()>().await;
    println!("there");
    let ended =
        tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    let _ = ended.await;
}
