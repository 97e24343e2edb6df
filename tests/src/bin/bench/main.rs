//! The benchmarks: what must hold, measured as ratios in one run.
//!
//! `cargo run --release -p blazelink-tests --bin bench` prints the table that docs/performance.md quotes;
//! with names of parts (`matching`, `decode`, `latency`, `silent`, `fanout`, `told`, `refetch`,
//! `capture`, `graphql`, `journal`, `debugger`, `sockets`) it runs those only. The exit code is 1 if a bound does
//! not hold. Both sides of a ratio are measured in turn in this run, on a database of its own, so
//! that a busy machine slows both.

mod broadcast;
mod capture;
mod commits;
mod debugger;
mod decode;
mod fanout;
mod graphql;
mod journal;
mod latency;
mod matching;
mod refetch;
mod report;
mod silent;
mod sockets;
mod told;

use std::process::ExitCode;

use blazelink_tests::server;
use report::Report;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((first, _)) if first == server::COMMAND => {
            return match std::env::var_os(graphql::OURS) {
                Some(_) => graphql::run_ours(),
                None => server::run(),
            };
        }
        Some((first, _)) if first == graphql::COMMAND => return graphql::run_hand_written(),
        Some((first, rest)) if first == broadcast::COMMAND => return broadcast::run(rest),
        _ => {}
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
        if wanted("fanout") {
            fanout::measure(&mut report).await;
        }
        if wanted("told") {
            told::measure(&mut report).await;
        }
        if wanted("refetch") {
            refetch::measure(&mut report).await;
        }
        if wanted("capture") {
            capture::measure(&mut report).await;
        }
        if wanted("graphql") {
            graphql::measure(&mut report).await;
        }
        if wanted("journal") {
            journal::measure(&mut report).await;
        }
        if wanted("debugger") {
            debugger::measure(&mut report).await;
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
