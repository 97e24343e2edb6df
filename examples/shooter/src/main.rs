//! The shooter's program; `serve` is what it does by default.

use std::process::ExitCode;

fn main() -> ExitCode {
    blazelink::run(shooter::app)
}
