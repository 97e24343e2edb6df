//! The program of an app with one of these databases, or of the shooter, as `SAMPLE_APP` says.

use std::process::ExitCode;

// Named, or it would not be linked.
use blazelink_sample as _;

fn main() -> ExitCode {
    let module = match std::env::var("SAMPLE_APP").as_deref() {
        Ok("shooter") => return blazelink::run(shooter::app),
        Ok("store") => "blazelink_sample::dense",
        _ => "blazelink_sample::kitchen",
    };
    blazelink::run(|app| app.discover(module))
}
