//! The program of an app with one of these databases, or of the shooter, as `SAMPLE_APP` says.

use std::process::ExitCode;

use blazelink_sample::with_chains;

fn main() -> ExitCode {
    match std::env::var("SAMPLE_APP").as_deref() {
        Ok("shooter") => blazelink::run(shooter::app),
        Ok("store") => blazelink::run(|app| app.discover("blazelink_sample::dense")),
        _ => blazelink::run(|app| with_chains!(app.discover("blazelink_sample::kitchen"))),
    }
}
