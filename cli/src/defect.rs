//! What is printed when the tool has a defect: that it is one, where, and how to report it. Of what
//! was being worked on nothing is shown, since a panic's text may hold values.

use std::io::Write;
use std::panic::Location;

/// Replaces Rust's report of a panic. The exit status stays Rust's, 101.
pub(crate) fn tell_of_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let _ = write!(std::io::stderr(), "{}", report(panic.location()));
    }));
}

fn report(place: Option<&Location<'_>>) -> String {
    let place = place.map_or_else(
        || "an unknown place".to_owned(),
        |place| format!("{}:{}", place.file(), place.line()),
    );
    format!(
        "error: This is a defect of blazelink, at {place}; nothing that you did is wrong\n  \
         hint: report it with this text and the command that you typed, without what is private:\n        \
         {}/issues\n        blazelink {} on {} {}\n",
        env!("CARGO_PKG_REPOSITORY"),
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Set for the process in which the test below panics.
    const PANICS: &str = "BLAZELINK_TEST_PANICS";

    #[test]
    fn a_panic_ends_with_101_and_without_what_it_says() {
        if std::env::var_os(PANICS).is_some() {
            tell_of_panics();
            panic!("a row's value");
        }
        let itself = "defect::tests::a_panic_ends_with_101_and_without_what_it_says";
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", itself, "--nocapture"])
            .env(PANICS, "1")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(101), "{told}");
        assert!(told.contains("a defect of blazelink"), "{told}");
        assert!(!told.contains("a row's value"), "{told}");
    }

    #[test]
    fn a_defect_names_its_place_the_version_and_where_to_report_it() {
        let told = report(Some(Location::caller()));
        for part in [file!(), env!("CARGO_PKG_VERSION"), "/issues", "a defect of"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert!(report(None).contains("an unknown place"));
    }
}
