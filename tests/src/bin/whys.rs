//! Two apps of whose debuggers every answer to why can be had, for whoever wants to see how it looks.
//!
//! It prints a line of JSON for each question, with the debugger's address and key, then `there`, and ends
//! when its standard input does.

use blazelink_tests::scene::KEY;
use blazelink_tests::whys::{Stage, behind_policies, in_the_open};
use serde_json::json;

#[tokio::main]
async fn main() {
    let stages = [in_the_open().await, behind_policies().await];
    for Stage { scene, cases, .. } in &stages {
        let debugger = format!("http://{}", scene.debugger);
        for case in cases {
            let line = json!({
                "app": format!("http://{}", scene.app.address()),
                "debugger": debugger,
                "key": KEY,
                "answer": case.answer,
                "session": case.session,
                "object": case.object,
                "at": case.at,
            });
            println!("{line}");
        }
    }
    println!("there");
    let ended =
        tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    let _ = ended.await;
}
