//! The names that tables, roots and relations get, and what a GraphQL name is. Pure functions; the
//! rules are stable rather than English: a plural is an appended `s`.

use heck::{ToSnakeCase, ToUpperCamelCase};

/// The type's name of a table: `game_event` gives `GameEvent`.
pub(super) fn entity_name(table: &str) -> String {
    table.to_upper_camel_case()
}

/// The root that reads one row: the type's name with its first letter lower.
pub(super) fn row_root(entity: &str) -> String {
    let mut chars = entity.chars();
    chars.next().map_or(String::new(), |first| {
        first.to_lowercase().chain(chars).collect()
    })
}

/// The root that reads a page.
pub(super) fn page_root(entity: &str) -> String {
    let root = row_root(entity);
    if root.ends_with('s') {
        format!("{root}Page")
    } else {
        format!("{root}s")
    }
}

/// The field that leads to many rows of a table.
pub(super) fn plural(table: &str) -> String {
    if table.ends_with('s') {
        table.to_owned()
    } else {
        format!("{table}s")
    }
}

/// The field name of a relation that is named by a variant of a classic entity.
pub(super) fn variant_field(variant: &str) -> String {
    variant.to_snake_case()
}

/// The thing that foreign key columns name: `home_address_id` gives `home_address`.
pub(super) fn stem(columns: &[&str]) -> String {
    let last = columns.last().copied().unwrap_or_default();
    match last.strip_suffix("_id") {
        Some(stem) if !stem.is_empty() => stem.to_owned(),
        _ => last.to_owned(),
    }
}

/// Whether a relation's name was made up by numbering: `address_2`, `address2` for `address`.
pub(super) fn is_numbered(name: &str, target_table: &str) -> bool {
    let plain = |text: &str| text.replace('_', "");
    let unnumbered = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    unnumbered.len() < name.len() && plain(unnumbered) == plain(target_table)
}

/// Whether the text is a name in GraphQL (October 2021, section 2.1.9) that is not kept for
/// introspection.
pub(super) fn is_graphql_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|rest| rest.is_ascii_alphanumeric() || rest == b'_')
        && !name.starts_with("__")
}

/// Whether the type's name belongs to the framework or to GraphQL.
pub(super) fn is_reserved_type(name: &str) -> bool {
    const RESERVED: &[&str] = &[
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
    RESERVED.contains(&name) || name.starts_with("GenericHelper__")
}

/// Whether an entity name in a client's identifier means this one: equal, else equal without case
/// and underscores.
pub(crate) fn names_entity(asked: &str, entity: &str) -> bool {
    let letters = |name: &str| -> Vec<char> {
        name.chars()
            .filter(|&letter| letter != '_')
            .flat_map(char::to_lowercase)
            .collect()
    };
    asked == entity || letters(asked) == letters(entity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_named_after_the_type() {
        assert_eq!(entity_name("game_event"), "GameEvent");
        assert_eq!(row_root("GameEvent"), "gameEvent");
        assert_eq!(page_root("GameEvent"), "gameEvents");
        assert_eq!(page_root("News"), "newsPage");
        assert_eq!(plural("category"), "categorys");
        assert_eq!(plural("news"), "news");
    }

    #[test]
    fn foreign_keys_name_what_they_lead_to() {
        assert_eq!(stem(&["home_address_id"]), "home_address");
        assert_eq!(stem(&["tenant", "parent_id"]), "parent");
        assert_eq!(stem(&["owner"]), "owner");
        assert!(is_numbered("address_2", "address"));
        assert!(is_numbered("line_item2", "line_item"));
        assert!(!is_numbered("address", "address"));
        assert!(!is_numbered("home_2", "address"));
    }

    #[test]
    fn graphql_names_are_letters_digits_and_underscores() {
        assert!(is_graphql_name("select"));
        assert!(is_graphql_name("_1"));
        assert!(!is_graphql_name("a-b"));
        assert!(!is_graphql_name("1a"));
        assert!(!is_graphql_name("__type"));
        assert!(!is_graphql_name(""));
    }

    #[test]
    fn clients_may_spell_entities_loosely() {
        assert!(names_entity("GameEvent", "GameEvent"));
        assert!(names_entity("Gameevent", "GameEvent"));
        assert!(names_entity("game_event", "GameEvent"));
        assert!(names_entity("US_er", "User"));
        assert!(!names_entity("Users", "User"));
    }
}
