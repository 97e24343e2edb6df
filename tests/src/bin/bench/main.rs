//! The benchmarks: what must hold, measured as ratios in one run.
//!
//! `cargo run --release -p blazelink-tests --bin bench` prints the table that README.md quotes;
//! with names of parts (`decode`, `matching`, `latency`, `silent`, `journal`, `sockets`) it runs
//! those only. The exit code is 1 if a bound does not hold. Both sides of a ratio are measured in
//! turn in this run, on a database of its own, so that a busy machine slows both.

mod decode;
mod journal;
mod latency;
mod matching;
mod report;
mod silent;
mod sockets;

use std::process::ExitCode;

use blazelink_tests::server;
use report::Report;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments
        .first()
        .is_some_and(|first| first == server::COMMAND)
    {
        return server::run();
    }
    let wanted = |part: &str| arguments.is_empty() || arguments.iter().any(|name| name == part);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("the machine has threads");
    let mut report = Report::default();
    runtime.block_on(async {
        if wanted("matching") {
            matching::measure(&mut report).await;
        }
        if wanted("decode") {
            decode::measure(&mut report).await;
        }
        if wanted("latency") {
            latency::measure(&mut report).await;
        }
        if wanted("silent") {
            silent::measure(&mut report).await;
        }
        if wanted("journal") {
            journal::measure(&mut report).await;
        }
        if wanted("sockets") {
            sockets::measure(&mut report).await;
        }
    });
    print!("{report}");
    if report.holds() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
