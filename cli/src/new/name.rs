//! What an app is called: one word that becomes a crate, a program, a database and part of a slot.
//!
//! `new` checks it before anything else. What is refused comes with a name that is not.

use blazelink_codes::{Code, Error, ErrorKind, Result};
use blazelink_templates::project;

/// Bytes of the longest name. The slot's name has it twice and some more, and is cut at 63 bytes.
const LONGEST: usize = 28;

/// Words that Rust has taken, now or for later (the Rust reference, "Keywords").
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "raw",
    "ref", "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "union", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Crates that come with Rust.
const OF_RUST: &[&str] = &["alloc", "core", "proc-macro", "std", "test"];

/// Folders that cargo keeps in `target`, for which a program cannot be named.
const OF_CARGO: &[&str] = &["build", "deps", "examples", "incremental"];

/// Databases that every Postgres server has.
const OF_POSTGRES: &[&str] = &["postgres", "template0", "template1"];

/// Files that Windows cannot have.
const OF_WINDOWS: &[&str] = &["aux", "com1", "con", "lpt1", "nul", "prn"];

/// A name that can be an app's: lower case letters, digits, `-` and `_`, the first a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    /// # Errors
    /// [`Code::ProjectName`] with what is wrong. `retry` makes the hint of a name that would do.
    pub(crate) fn new(name: &str, retry: impl FnOnce(&str) -> String) -> Result<Name> {
        match flaw(name) {
            None => Ok(Name(name.to_owned())),
            Some(flaw) => Err(Error::new(
                ErrorKind::Setup,
                Code::ProjectName,
                format!("`{name}` cannot be the name of an app: {flaw}"),
            )
            .with_hint(retry(&suggestion(name)))),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is wrong with a name, as the end of a sentence.
fn flaw(name: &str) -> Option<String> {
    let same = name.replace('_', "-");
    let is_of = |list: &[&str]| list.contains(&same.as_str());
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if name.is_empty() {
        Some("it is empty".to_owned())
    } else if !name.starts_with(|first: char| first.is_ascii_lowercase()) {
        Some("it becomes a crate and a database, so it starts with a lower case letter".to_owned())
    } else if let Some(other) = name.chars().find(|&c| !allowed(c)) {
        let other = other.escape_default();
        Some(format!("`{other}` is none of a-z, 0-9, `-` and `_`"))
    } else if name.len() > LONGEST {
        Some(format!("it is longer than {LONGEST} characters"))
    } else if is_of(KEYWORDS) {
        Some("it is a keyword of Rust".to_owned())
    } else if is_of(OF_RUST) {
        Some("a crate that comes with Rust has that name".to_owned())
    } else if is_of(OF_CARGO) {
        Some("cargo has a folder of that name in `target`".to_owned())
    } else if is_of(OF_POSTGRES) {
        Some("every Postgres server has a database of that name".to_owned())
    } else if is_of(OF_WINDOWS) {
        Some("Windows cannot have a file of that name".to_owned())
    } else if same == "blazelink" || same == "blazelink-cli" {
        Some("Blazelink has a crate of that name".to_owned())
    } else if project::packages().any(|package| package.replace('_', "-") == same) {
        Some("a crate that the app is made of has that name".to_owned())
    } else {
        None
    }
}

/// A name without flaw that is as near to this one as can be.
fn suggestion(name: &str) -> String {
    let mut plain = String::new();
    for character in name.chars() {
        match character {
            'a'..='z' | '0'..='9' | '_' => plain.push(character),
            // `MyGame` is `my-game`, and `ABC` is `abc`.
            'A'..='Z' => {
                if plain.ends_with(|before: char| before.is_ascii_lowercase())
                    && !name.contains(['-', '_', ' '])
                {
                    plain.push('-');
                }
                plain.push(character.to_ascii_lowercase());
            }
            _ if plain.ends_with('-') => {}
            _ => plain.push('-'),
        }
    }
    let plain = plain.trim_matches(['-', '_']);
    // `1bad` is `bad1`.
    let word = plain.trim_start_matches(|first: char| !first.is_ascii_lowercase());
    let digits: String = plain[..plain.len() - word.len()]
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    let mut near = format!("{word}{digits}");
    near.truncate(LONGEST - "-app".len());
    let near = near.trim_end_matches(['-', '_']);
    let fallbacks = [format!("{near}-app"), "my-app".to_owned()];
    std::iter::once(near.to_owned())
        .chain(fallbacks)
        .find(|name| flaw(name).is_none())
        .unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_letters_digits_and_dashes() {
        for name in ["mygame", "my-game", "a1_b-", "x"] {
            assert_eq!(Name::new(name, str::to_owned).unwrap().as_str(), name);
        }
    }

    #[test]
    fn a_name_that_cannot_be_is_refused_with_one_that_can() {
        for (name, why, near) in [
            ("1bad", "starts with", "bad1"),
            ("", "empty", "my-app"),
            ("Shop", "lower case", "shop"),
            ("MyGame", "lower case", "my-game"),
            ("my game", "` `", "my-game"),
            ("caf\u{e9}", "`\\u{e9}`", "caf"),
            ("\u{6e38}\u{620f}", "lower case", "my-app"),
            ("-x", "lower case", "x"),
            ("async", "keyword", "async-app"),
            ("type", "keyword", "type-app"),
            ("std", "comes with Rust", "std-app"),
            ("proc_macro", "comes with Rust", "proc_macro-app"),
            ("build", "`target`", "build-app"),
            ("postgres", "Postgres", "postgres-app"),
            ("con", "Windows", "con-app"),
            ("tokio", "made of", "tokio-app"),
            ("sea_orm", "made of", "sea_orm-app"),
            ("migration", "made of", "migration-app"),
            ("blazelink", "Blazelink", "blazelink-app"),
            ("blazelink_macros", "made of", "blazelink_macros-app"),
            (&"x".repeat(29), "longer", &"x".repeat(24)),
        ] {
            let told = format!("{:#}", Name::new(name, str::to_owned).unwrap_err());
            assert!(told.contains(why), "{name}: {told}");
            assert!(told.ends_with(&format!("hint: {near}")), "{name}: {told}");
            assert!(Name::new(near, str::to_owned).is_ok(), "{near}");
        }
    }
}
