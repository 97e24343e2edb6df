//! A client as a process of its own, so that it can be killed.
//!
//! `watcher ADDRESS PLAYER` reads the player, prints `watching`, and from then on prints and
//! confirms every name of the player that it is told, one per line.

use blazelink_tests::client::Client;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut argument = || arguments.next().expect("usage: watcher ADDRESS PLAYER");
    let (address, player) = (argument(), argument());
    let mut client = Client::connect(address.parse().expect("an address")).await;
    let document = format!("{{ user(identifier: {{obj_id: {player}}}) {{ name }} }}");
    client.read(&document).await;
    println!("watching");
    loop {
        let frame = client.frame().await;
        println!("{}", frame["data"]["changes"]["name"]);
        client.confirm(&frame).await;
    }
}
