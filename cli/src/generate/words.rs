//! Names: how a word is spelt in Rust, in SQL and in GraphQL, and which words cannot be a name. Pure.

use heck::{ToSnakeCase, ToTitleCase, ToUpperCamelCase};

/// Characters of the longest name. With a table's, a column's and what stands around them the name
/// of an index stays within the 63 bytes that Postgres keeps.
const LONGEST: usize = 24;

/// Words that Rust has taken, now or for later (the Rust reference, "Keywords").
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Types of GraphQL and of the framework.
const TYPES: &[&str] = &[
    "BigInt",
    "BigIntWhere",
    "Boolean",
    "BooleanWhere",
    "Float",
    "FloatWhere",
    "ID",
    "Int",
    "IntWhere",
    "JSON",
    "JSONWhere",
    "Key",
    "Mutation",
    "ObjectId",
    "ObjectIdInput",
    "OrderByDirection",
    "Query",
    "String",
    "StringWhere",
    "Subscription",
];

/// Modules and types that a generated file names already.
const OF_THE_FILE: &[&str] = &[
    "active_model",
    "column",
    "entity",
    "mod",
    "model",
    "primary_key",
    "relation",
    "sea_orm",
];

/// What a thing is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// In SQL and as part of other names: `game_event`.
    pub(super) snake: String,
}

impl Name {
    /// The name of a table or a virtual table, however it is spelt: `GameEvent`, `game-event`.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub(super) fn of_type(typed: &str) -> Result<Name, String> {
        let name = Name::plain(typed)?;
        let taken = |list: &[&str], word: &str| list.iter().any(|it| it.eq_ignore_ascii_case(word));
        if taken(TYPES, &name.pascal()) {
            return Err("GraphQL has a type of that name already".to_owned());
        }
        if taken(OF_THE_FILE, &name.snake) {
            return Err("every entity has something of that name".to_owned());
        }
        Ok(name)
    }

    /// The name of a column or of a computed field.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub(super) fn of_field(typed: &str) -> Result<Name, String> {
        let name = Name::plain(typed)?;
        match KEYWORDS.contains(&name.snake.as_str()) {
            true => Err("it is a keyword of Rust".to_owned()),
            false => Ok(name),
        }
    }

    /// A name of letters and digits that is not too long.
    pub(super) fn plain(typed: &str) -> Result<Name, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let snake = typed.to_snake_case();
        if typed.is_empty() {
            Err("it is empty".to_owned())
        } else if let Some(other) = typed.chars().find(|&c| !plain(c)) {
            let other = other.escape_default();
            Err(format!("`{other}` is none of a-z, 0-9 and `_`"))
        } else if !snake.starts_with(|first: char| first.is_ascii_lowercase()) {
            Err("it starts with no letter".to_owned())
        } else if snake.len() > LONGEST {
            Err(format!("it is longer than {LONGEST} characters"))
        } else if snake.to_upper_camel_case().to_snake_case() != snake {
            // `a_1` and `a1` are both `A1`: one of them would name the other's type.
            Err("a word of it begins with a digit".to_owned())
        } else {
            Ok(Name { snake })
        }
    }

    /// The type's: `GameEvent`.
    pub(super) fn pascal(&self) -> String {
        self.snake.to_upper_camel_case()
    }

    /// The module's and its file's. One that Rust has taken gets a `_`, so that no path to it
    /// needs `r#`.
    pub(super) fn module(&self) -> String {
        module(&self.snake)
    }

    /// Several of them: `game_events`.
    pub(super) fn plural(&self) -> String {
        plural(&self.snake)
    }

    /// As people read it, in the middle of a sentence: `game event`.
    pub(super) fn words(&self) -> String {
        words(&self.snake)
    }
}

/// The module of a table.
pub(super) fn module(table: &str) -> String {
    match KEYWORDS.contains(&table) {
        true => format!("{table}_"),
        false => table.to_owned(),
    }
}

/// The root of GraphQL that reads one row.
pub(super) fn row_root(table: &str) -> String {
    let pascal = table.to_upper_camel_case();
    pascal[..1].to_lowercase() + &pascal[1..]
}

pub(super) fn words(snake: &str) -> String {
    snake.replace('_', " ")
}

/// `Game Event` as the first words of a sentence: `Game event`.
pub(super) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// As people read it in a heading: `Game Event`.
pub(super) fn title(snake: &str) -> String {
    snake.to_title_case()
}

/// `a` or `an`.
pub(super) fn article(words: &str) -> &'static str {
    match words.starts_with(['a', 'e', 'i', 'o', 'u']) {
        true => "an",
        false => "a",
    }
}

/// The plural that English mostly has.
pub(super) fn plural(word: &str) -> String {
    let ends = |ending: &str| word.ends_with(ending);
    let vowel_before_y = ["ay", "ey", "iy", "oy", "uy"].into_iter().any(ends);
    match word.strip_suffix('y') {
        Some(stem) if !vowel_before_y => format!("{stem}ies"),
        _ if ["s", "x", "z", "ch", "sh"].into_iter().any(ends) => format!("{word}es"),
        _ => format!("{word}s"),
    }
}

/// The word of a list that one has probably meant.
pub(super) fn nearest<'a>(typed: &str, words: &[&'a str]) -> Option<&'a str> {
    /// Less alike than this is another word.
    const ALIKE: f64 = 0.7;
    let typed = typed.to_lowercase();
    let alike = |word: &&str| strsim::jaro_winkler(&typed, &word.to_lowercase());
    let nearest = words
        .iter()
        .copied()
        .max_by(|one, other| alike(one).total_cmp(&alike(other)))?;
    (alike(&nearest) >= ALIKE).then_some(nearest)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_however_it_is_spelt() {
        for typed in ["GameEvent", "gameEvent", "game_event", "game-event"] {
            let name = Name::of_type(typed).unwrap();
            assert_eq!(name.snake, "game_event", "{typed}");
            assert_eq!(name.pascal(), "GameEvent");
            assert_eq!(name.plural(), "game_events");
        }
        assert_eq!(Name::of_type("Match").unwrap().module(), "match_");
        assert_eq!(row_root("game_event"), "gameEvent");
        assert_eq!(sentence("game event"), "Game event");
    }

    #[test]
    fn plurals_are_those_of_english() {
        for (one, several) in [
            ("match", "matches"),
            ("city", "cities"),
            ("day", "days"),
            ("box", "boxes"),
            ("status", "statuses"),
            ("user", "users"),
        ] {
            assert_eq!(plural(one), several);
        }
    }

    #[test]
    fn what_cannot_be_a_name_is_told_why() {
        for (typed, why) in [
            ("", "empty"),
            ("1st", "no letter"),
            ("a b", "` ` is none"),
            ("naïve", "is none"),
            ("query", "GraphQL"),
            ("Object-Id", "GraphQL"),
            ("model", "every entity"),
            ("a_1", "digit"),
            (&"x".repeat(LONGEST + 1), "longer"),
        ] {
            let told = Name::of_type(typed).unwrap_err();
            assert!(told.contains(why), "{typed}: {told}");
        }
        assert!(Name::of_field("type").unwrap_err().contains("keyword"));
    }

    #[test]
    fn the_types_that_are_taken_are_those_of_the_framework() {
        let naming = include_str!("../../../blazelink-framework/src/table/naming.rs");
        let list = naming.split("RESERVED: &[&str] = &[").nth(1).unwrap();
        let list = list.split("];").next().unwrap();
        let names: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
        assert_eq!(names, TYPES);
    }

    #[test]
    fn a_misspelt_word_is_nearest_to_the_one_that_was_meant() {
        let words = ["string", "datetime", "int"];
        assert_eq!(nearest("strng", &words), Some("string"));
        assert_eq!(nearest("DateTme", &words), Some("datetime"));
        assert_eq!(nearest("qqq", &words), None);
    }
}
