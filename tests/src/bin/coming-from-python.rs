//! Writes `docs/coming-from-python.md` anew: `cargo run -p blazelink-tests --bin coming-from-python`.

use blazelink_tests::documentation;

fn main() -> std::io::Result<()> {
    std::fs::write(documentation::PAGE, documentation::render())
}
