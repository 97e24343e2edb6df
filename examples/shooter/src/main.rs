//! The program: `serve` is what it does by default, `seed` and `schema` the rest. Yours to edit.

use std::process::ExitCode;

fn main() -> ExitCode {
    blazelink::run(shooter::app)
}
