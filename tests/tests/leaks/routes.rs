//! Where something can leak, and what is asked there.

/// Where something can leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Route {
    Row,
    Page,
    ToOne,
    ToMany,
    /// A root or a relation whose rows are a list.
    List,
    /// From a row that everybody sees to one that not everybody sees.
    Public,
    Computed,
    /// A computed field that gives a statement, or rows that it has read.
    Selected,
    Virtual,
    /// A page behind a cursor.
    Continued,
    /// Over several relations at once.
    Chain,
    /// A condition or an order on a hidden column.
    Narrowing,
    Mutation,
    /// A value that another row has already.
    Taken,
    /// What GraphQL tells of the schema.
    Schema,
    Insert,
    UpdateIntoSight,
    UpdateOutOfSight,
    UpdateUnseen,
    Delete,
    Monitor,
    /// What clients are told that come back, silently, after the server was started anew.
    Restart,
}

pub(crate) const ROUTES: [Route; 22] = [
    Route::Row,
    Route::Page,
    Route::ToOne,
    Route::ToMany,
    Route::List,
    Route::Public,
    Route::Computed,
    Route::Selected,
    Route::Virtual,
    Route::Continued,
    Route::Chain,
    Route::Narrowing,
    Route::Mutation,
    Route::Taken,
    Route::Schema,
    Route::Insert,
    Route::UpdateIntoSight,
    Route::UpdateOutOfSight,
    Route::UpdateUnseen,
    Route::Delete,
    Route::Monitor,
    Route::Restart,
];

/// The rows that the documents name, by entity.
pub(crate) const NAMED: [(&str, &[i64]); 6] = [
    ("Team", &[31, 32]),
    ("User", &[11, 12, 13]),
    ("Game", &[41]),
    ("GameEvent", &[21, 22, 23, 28]),
    ("Diary", &[51, 52, 53]),
    ("Notice", &[61, 62]),
];

/// The key of a row that there is not.
pub(crate) const MISSING: i64 = 987_654;

/// Asks for everything that the schema says.
pub(crate) const INTROSPECTION: &str = "{ __schema { types { name description
    fields { name description args { name defaultValue type { name } } type { name } }
    inputFields { name defaultValue type { name } } enumValues { name } } } }";

/// What is asked over one route: the entity that it leads to, and the document.
pub(crate) fn documents() -> Vec<(Route, &'static str, String)> {
    let mut documents = Vec::new();
    let mut add = |route, entity, document: String| documents.push((route, entity, document));
    const ITEMS: &str = "count items { obj_id entity row";
    for (entity, root, keys, columns) in [
        ("Team", "team", &[31, 32][..], "id name color"),
        ("User", "user", &[11, 12, 13][..], "id name team_id"),
        ("Game", "game", &[41][..], "id name"),
        (
            "GameEvent",
            "gameEvent",
            &[21, 22, 23, 28][..],
            "id kind victim_id",
        ),
        ("Notice", "notice", &[61, 62][..], "id text author_id"),
        ("Diary", "diary", &[51, 52, 53][..], "id text code"),
    ] {
        for key in keys {
            let row = format!("{{ it: {root}(identifier: {{obj_id: {key}}}) {{ {columns} }} }}");
            add(Route::Row, entity, row);
        }
        if entity == "Diary" {
            // Its rows are lists, below.
            continue;
        }
        for arguments in [
            "page: 0, size: 99",
            "where: {id: {gt: 0}}, orderBy: {id: DESC}, size: 99",
        ] {
            let page = format!("{{ it: {root}s({arguments}) {{ {ITEMS} {{ {columns} }} }} }} }}");
            add(Route::Page, entity, page);
        }
    }
    const LISTED: &str = "{ obj_id entity row { id text code } }";
    for arguments in [
        "orderBy: {code: DESC}",
        "where: {text: {contains: \"secret\"}}",
    ] {
        let list = format!("{{ it: diarys({arguments}) {LISTED} }}");
        add(Route::List, "Diary", list);
    }
    for key in [11, 12, 13] {
        let list = format!("{{ it: user(identifier: {{obj_id: {key}}}) {{ diarys {LISTED} }} }}");
        add(Route::List, "Diary", list);
    }
    const AUTHOR: &str = "author { obj_id entity row { id name team { obj_id entity } } }";
    for key in [61, 62] {
        let notice = format!("{{ it: notice(identifier: {{obj_id: {key}}}) {{ {AUTHOR} }} }}");
        add(Route::Public, "User", notice);
    }
    let notices = format!("{{ it: notices {{ items {{ row {{ {AUTHOR} }} }} }} }}");
    add(Route::Public, "User", notices);
    let to_one = |root: &str, key: i32, field: &str| {
        let inner = format!("{field} {{ obj_id entity row {{ id name }} }}");
        format!("{{ it: {root}(identifier: {{obj_id: {key}}}) {{ {inner} }} }}")
    };
    let to_many = |root: &str, key: i32, field: &str, column: &str| {
        let inner = format!("{field}(page: 0, size: 99) {{ {ITEMS} {{ id {column} }} }} }}");
        format!("{{ it: {root}(identifier: {{obj_id: {key}}}) {{ {inner} }} }}")
    };
    for key in [11, 12, 13] {
        add(Route::ToOne, "Team", to_one("user", key, "team"));
        add(
            Route::ToMany,
            "GameEvent",
            to_many("user", key, "events", "kind"),
        );
        add(
            Route::ToMany,
            "GameEvent",
            to_many("user", key, "deaths", "kind"),
        );
        add(Route::Computed, "User", to_one("user", key, "everybody"));
        add(Route::Computed, "User", to_one("user", key, "victims"));
        add(Route::Chain, "User", to_many("user", key, "foes", "name"));
        add(Route::Selected, "User", to_one("user", key, "all_players"));
        add(
            Route::Selected,
            "GameEvent",
            to_many("user", key, "all_events", "kind"),
        );
        let named =
            format!("{{obj_id: null, dependencies: [{{entity: \"User\", obj_id: {key}}}]}}");
        let card = format!("{{ it: card(identifier: {named}) {{ name }} }}");
        add(Route::Virtual, "User", card);
    }
    for key in [21, 22, 23, 28] {
        for (entity, field) in [("Game", "game"), ("User", "player"), ("User", "victim")] {
            add(Route::ToOne, entity, to_one("gameEvent", key, field));
        }
    }
    for key in [31, 32] {
        add(Route::ToMany, "User", to_many("team", key, "users", "name"));
    }
    add(
        Route::ToMany,
        "GameEvent",
        to_many("game", 41, "events", "kind"),
    );
    for arguments in [
        "where: {victim_id: {eq: 12}}",
        "where: {not: {or: [{victim_id: {is_null: true}}]}}",
        "orderBy: {victim_id: DESC}",
    ] {
        let page = format!("{{ it: gameEvents({arguments}) {{ {ITEMS} {{ id }} }} }} }}");
        add(Route::Narrowing, "GameEvent", page);
    }
    let page = format!(
        "{{ it: teams(where: {{color: {{contains: \"secret\"}}}}) {{ {ITEMS} {{ id }} }} }} }}"
    );
    add(Route::Narrowing, "Team", page);
    documents
}
