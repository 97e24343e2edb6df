//! Where something can leak, and what is asked there.

/// Where something can leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Route {
    Row,
    Page,
    ToOne,
    ToMany,
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
    Insert,
    UpdateIntoSight,
    UpdateOutOfSight,
    UpdateUnseen,
    Delete,
    Monitor,
}

pub(crate) const ROUTES: [Route; 17] = [
    Route::Row,
    Route::Page,
    Route::ToOne,
    Route::ToMany,
    Route::Computed,
    Route::Selected,
    Route::Virtual,
    Route::Continued,
    Route::Chain,
    Route::Narrowing,
    Route::Mutation,
    Route::Insert,
    Route::UpdateIntoSight,
    Route::UpdateOutOfSight,
    Route::UpdateUnseen,
    Route::Delete,
    Route::Monitor,
];

/// The rows that the documents name, by entity.
pub(crate) const NAMED: [(&str, &[i64]); 4] = [
    ("Team", &[31, 32]),
    ("User", &[11, 12, 13]),
    ("Game", &[41]),
    ("GameEvent", &[21, 22, 23, 28]),
];

/// The key of a row that there is not.
pub(crate) const MISSING: i64 = 987_654;

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
    ] {
        for key in keys {
            let row = format!("{{ it: {root}(identifier: {{obj_id: {key}}}) {{ {columns} }} }}");
            add(Route::Row, entity, row);
        }
        for arguments in [
            "page: 0, size: 99",
            "where: {id: {gt: 0}}, orderBy: {id: DESC}, size: 99",
        ] {
            let page = format!("{{ it: {root}s({arguments}) {{ {ITEMS} {{ {columns} }} }} }} }}");
            add(Route::Page, entity, page);
        }
    }
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
