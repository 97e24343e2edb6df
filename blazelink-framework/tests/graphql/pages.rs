//! Pages that are narrowed, ordered and continued, against what SQL says of the same rows.

use serde_json::{Value as Json, json};

use crate::support::App;

/// Rows of `kinds` with NULLs, repeats, and values that print otherwise than they compare.
const KINDS: &str = "\
    INSERT INTO kinds (id, c_int2, c_int8, c_float8, c_numeric, c_bool, c_text, c_char, c_citext, \
                       c_mood, c_uuid, c_date, c_timestamptz, c_bytea, c_point, c_json) \
    SELECT n, CASE n % 3 WHEN 0 THEN NULL ELSE n % 3 END, \
           CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN 9007199254740993 ELSE n % 4 END, \
           (ARRAY[NULL, 'NaN', '-Infinity', 0.1, 1e300])[1 + n % 5]::float8, \
           (ARRAY[NULL, '1.0', '1.00', '-7', '10'])[1 + n % 5]::numeric, \
           CASE n % 3 WHEN 0 THEN NULL ELSE n % 3 = 1 END, \
           (ARRAY[NULL, '', 'a%b', 'A_b', 'a\\b '])[1 + n % 5], (ARRAY[NULL, 'a', 'ab '])[1 + n % 3], \
           (ARRAY[NULL, 'Red', 'RED', 'blue'])[1 + n % 4]::citext, \
           (ARRAY[NULL, 'sad', 'very happy'])[1 + n % 3]::mood, \
           (ARRAY[NULL, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', \
                  'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'])[1 + n % 3]::uuid, \
           (ARRAY[NULL, '2024-02-29', '1999-12-31'])[1 + n % 3]::date, \
           (ARRAY[NULL, '2024-02-29 10:00:00.5+02', '2024-02-29 08:00:00.5+00', \
                  'infinity'])[1 + n % 4]::timestamptz, \
           (ARRAY[NULL, '\\x00ff', '\\x'])[1 + n % 3]::bytea, point(n, n), '{}' \
    FROM generate_series(1, 24) AS n";

const DIRECTIONS: &[(&str, &str)] = &[
    ("ASC", "ASC"),
    ("ASC_NULLS_FIRST", "ASC NULLS FIRST"),
    ("ASC_NULLS_LAST", "ASC NULLS LAST"),
    ("DESC", "DESC"),
    ("DESC_NULLS_FIRST", "DESC NULLS FIRST"),
    ("DESC_NULLS_LAST", "DESC NULLS LAST"),
];

async fn with_kinds() -> App {
    let app = App::start().await;
    app.sql(KINDS).await;
    app
}

/// The answer, which must have no errors.
async fn data(app: &App, query: &str, variables: Json) -> Json {
    let (status, body) = app.with(query, variables).await;
    assert_eq!(status, 200, "{query}\n{body}");
    let body: Json = serde_json::from_str(&body).unwrap();
    assert!(body["errors"].is_null(), "{query}\n{body}");
    body["data"].clone()
}

/// The message of the answer's first error.
async fn error(app: &App, query: &str) -> String {
    let body: Json = serde_json::from_str(&app.answer(query).await.1).unwrap();
    assert!(body["errors"].is_array(), "{query}\n{body}");
    body["errors"][0]["message"].as_str().unwrap().to_owned()
}

/// The keys of a page's items.
fn keys(page: &Json) -> Vec<Json> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["obj_id"].clone()).collect()
}

/// The first column of what SQL answers, of integers.
async fn sql_keys(app: &App, sql: &str) -> Vec<Json> {
    use sea_orm::{ConnectionTrait, DbBackend, Statement};
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let rows = app.database.query_all_raw(statement).await.unwrap();
    rows.iter()
        .map(|row| json!(row.try_get_by_index::<i32>(0).unwrap()))
        .collect()
}

/// All keys of a page root, read in pages of this size, each behind the one before.
async fn walk(app: &App, root: &str, arguments: &str, size: usize) -> Vec<Json> {
    let query = format!(
        "query Q($after: String) {{ {root}(after: $after, size: {size}{arguments}) \
         {{ items {{ obj_id }} next }} }}"
    );
    let mut walked = Vec::new();
    let mut after = Json::Null;
    for _ in 0..200 {
        let page = data(app, &query, json!({ "after": after })).await[root].clone();
        let found = keys(&page);
        assert!(found.len() <= size);
        walked.extend(found);
        after = page["next"].clone();
        if after.is_null() {
            return walked;
        }
    }
    panic!("{root}({arguments}) never ends");
}

#[tokio::test]
async fn conditions_mean_what_sql_says() {
    let app = with_kinds().await;
    let rows = [
        ("{id: {in: [3, 5, 400]}}", "id IN (3, 5, 400)"),
        ("{id: {not_in: [3, 5]}}", "id NOT IN (3, 5)"),
        ("{id: {in: []}}", "FALSE"),
        ("{c_int2: {not_in: [1]}}", "c_int2 <> 1"),
        ("{c_int2: {lt: 2147483647}}", "c_int2 < 2147483647"),
        (
            "{c_int2: {ne: 1}, id: {gt: 4, lte: 20}}",
            "c_int2 <> 1 AND id > 4 AND id <= 20",
        ),
        (
            "{c_int8: {eq: \"9007199254740993\"}}",
            "c_int8 = 9007199254740993",
        ),
        ("{c_int8: {gte: 2}}", "c_int8 >= 2"),
        ("{c_float8: {lt: 0.2}}", "c_float8 < 0.2"),
        ("{c_float8: {eq: 1e300}}", "c_float8 = 1e300"),
        ("{c_numeric: {eq: \"1\"}}", "c_numeric = 1"),
        ("{c_bool: {eq: false}}", "NOT c_bool"),
        ("{c_text: {is_null: true}}", "c_text IS NULL"),
        ("{c_text: {is_null: false}}", "c_text IS NOT NULL"),
        ("{c_json: {is_null: true}}", "c_json IS NULL"),
        ("{c_ints: {is_null: true}}", "c_ints IS NULL"),
        ("{c_text: {contains: \"%\"}}", "strpos(c_text, '%') > 0"),
        ("{c_text: {contains: \"_\"}}", "strpos(c_text, '_') > 0"),
        ("{c_text: {contains: \"\\\\\"}}", "strpos(c_text, '\\') > 0"),
        ("{c_text: {contains: \"\"}}", "c_text IS NOT NULL"),
        ("{c_text: {starts_with: \"a\"}}", "left(c_text, 1) = 'a'"),
        (
            "{c_text: {starts_with_ci: \"A\"}}",
            "lower(left(c_text, 1)) = 'a'",
        ),
        (
            "{c_text: {contains_ci: \"_B\"}}",
            "strpos(lower(c_text), '_b') > 0",
        ),
        ("{c_text: {ends_with: \"b\"}}", "right(c_text, 1) = 'b'"),
        (
            "{c_text: {ends_with_ci: \"B\"}}",
            "lower(right(c_text, 1)) = 'b'",
        ),
        ("{c_char: {eq: \"ab\"}}", "c_char = 'ab'"),
        ("{c_char: {ends_with: \"b\"}}", "rtrim(c_char) LIKE '%b'"),
        ("{c_citext: {eq: \"red\"}}", "c_citext = 'red'"),
        (
            "{c_citext: {in: [\"red\", \"BLUE\"]}}",
            "c_citext IN ('red', 'blue')",
        ),
        ("{c_mood: {gt: \"sad\"}}", "c_mood > 'sad'"),
        ("{c_mood: {contains: \"happy\"}}", "c_mood = 'very happy'"),
        (
            "{c_uuid: {eq: \"A0EEBC999C0B4EF8BB6D6BB9BD380A11\"}}",
            "c_uuid = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
        ),
        ("{c_date: {gte: \"2024-01-01\"}}", "c_date >= '2024-01-01'"),
        ("{c_date: {starts_with: \"1999\"}}", "c_date = '1999-12-31'"),
        (
            "{c_timestamptz: {eq: \"2024-02-29T08:00:00.5Z\"}}",
            "c_timestamptz = '2024-02-29 08:00:00.5+00'",
        ),
        ("{c_bytea: {eq: \"\\\\x00ff\"}}", "c_bytea = '\\x00ff'"),
        (
            "{or: [{id: {eq: 1}}, {c_bool: {eq: true}, id: {lt: 9}}]}",
            "id = 1 OR c_bool AND id < 9",
        ),
        ("{or: []}", "FALSE"),
        ("{and: []}", "TRUE"),
        ("{}", "TRUE"),
        ("{not: {c_int2: {eq: 1}}}", "NOT c_int2 = 1"),
        (
            "{not: {or: [{c_int2: {eq: 1}}, {c_int2: {is_null: true}}]}}",
            "NOT (c_int2 = 1 OR c_int2 IS NULL)",
        ),
        ("{and: {id: {lt: 9}}, not: {}}", "id < 9 AND NOT TRUE"),
    ];
    for (narrowing, condition) in rows {
        let query = format!(
            "{{kindss: kindsPage(size: 100, where: {narrowing}) {{count items {{obj_id}}}}}}"
        );
        let page = data(&app, &query, json!({})).await["kindss"].clone();
        let sql = format!("SELECT id FROM kinds WHERE {condition} ORDER BY id");
        let expected = sql_keys(&app, &sql).await;
        assert_eq!(keys(&page), expected, "{narrowing}");
        assert_eq!(page["count"], json!(expected.len()), "{narrowing}");
    }
}

#[tokio::test]
async fn pages_behind_pages_give_every_row_once_and_in_order() {
    let app = with_kinds().await;
    let columns = [
        "id",
        "c_int2",
        "c_int8",
        "c_float8",
        "c_numeric",
        "c_bool",
        "c_text",
        "c_char",
        "c_citext",
        "c_mood",
        "c_uuid",
        "c_date",
        "c_timestamptz",
        "c_bytea",
    ];
    for (at, column) in columns.iter().enumerate() {
        for (&(direction, sql), size) in DIRECTIONS.iter().zip([1, 2, 5, 7, 23, 24]) {
            let key = sql.split(' ').next().unwrap();
            let arguments = format!(", orderBy: [{{{column}: {direction}}}]");
            let by_sql = format!("SELECT id FROM kinds ORDER BY {column} {sql}, id {key}");
            assert_eq!(
                walk(&app, "kindsPage", &arguments, size).await,
                sql_keys(&app, &by_sql).await,
                "{arguments}"
            );
            // With another column behind it, in another direction, and narrowed.
            let other = columns[(at + 3) % columns.len()];
            let (direction_of_other, sql_of_other) = DIRECTIONS[(at + size) % DIRECTIONS.len()];
            let key = sql_of_other.split(' ').next().unwrap();
            let arguments = format!(
                ", orderBy: [{{{column}: {direction}}}, {{{other}: {direction_of_other}}}], \
                 where: {{id: {{ne: 7}}}}"
            );
            let by_sql = format!(
                "SELECT id FROM kinds WHERE id <> 7 ORDER BY {column} {sql}, {other} {sql_of_other}, id {key}"
            );
            assert_eq!(
                walk(&app, "kindsPage", &arguments, size).await,
                sql_keys(&app, &by_sql).await,
                "{arguments}"
            );
        }
    }
    assert_eq!(walk(&app, "kindsPage", "", 7).await.len(), 24);
}

#[tokio::test]
async fn keys_of_several_columns_continue_pages() {
    let app = App::start().await;
    app.sql(
        "INSERT INTO stock SELECT n / 4 + 2, 'W' || n % 4, n % 3 FROM generate_series(0, 20) n",
    )
    .await;
    let all = keys(&data(&app, "{stocks(size: 100){items{obj_id}}}", json!({})).await["stocks"]);
    assert_eq!(all.len(), 23);
    assert_eq!(walk(&app, "stocks", "", 4).await, all);
    let ordered = "{stocks(size: 100, orderBy: {qty: DESC}){items{obj_id row{qty}}}}";
    let ordered = keys(&data(&app, ordered, json!({})).await["stocks"]);
    assert_eq!(
        walk(&app, "stocks", ", orderBy: {qty: DESC}", 3).await,
        ordered
    );
    let partly = "{stocks(size: 100, orderBy: [{warehouse: DESC}]){items{obj_id}}}";
    let partly = keys(&data(&app, partly, json!({})).await["stocks"]);
    assert_eq!(
        walk(&app, "stocks", ", orderBy: [{warehouse: DESC}]", 5).await,
        partly
    );
}

#[tokio::test]
async fn continued_pages_count_no_rows_and_hold_no_values() {
    let app = with_kinds().await;
    let next = data(
        &app,
        "{kindsPage(size:1,orderBy:{c_text:ASC}){next}}",
        json!({}),
    )
    .await;
    let next = next["kindsPage"]["next"].as_str().unwrap().to_owned();
    let query = format!(
        "{{kindsPage(after:\"{next}\",orderBy:{{c_text:ASC}},where:{{c_mood:{{eq:\"sad\"}}}}){{items{{obj_id}} next}}}}"
    );
    let statements = app.statements_of(&query).await;
    assert_eq!(statements.len(), 1, "{statements:#?}");
    let statement = &statements[0];
    assert!(
        statement.contains("LIMIT") && !statement.contains("OFFSET"),
        "{statement}"
    );
    assert!(!statement.contains("sad"), "{statement}");
}

#[tokio::test]
async fn pages_of_many_parents_are_narrowed_and_ordered_in_one_statement() {
    let app = App::start().await;
    app.sql("INSERT INTO \"user\" SELECT n, 'n', NULL, 1 + n % 2, 0 FROM generate_series(4, 60) n")
        .await;
    app.sql("INSERT INTO game_event SELECT n, CASE n % 3 WHEN 0 THEN 'kill' ELSE 'join' END, n % 60, 1 FROM generate_series(100, 900) n")
        .await;
    let arguments = "where:{type:{eq:\"kill\"}},orderBy:[{game_id:DESC},{id:DESC}]";
    let rows = [
        (
            2,
            format!(
                "{{users(size:50){{items{{row{{events(size:3,{arguments}){{items{{obj_id row{{type}}}} next}}}}}}}}}}"
            ),
        ),
        (
            3,
            format!(
                "{{users(size:50){{items{{row{{team{{row{{name}}}} events(size:3,{arguments}){{items{{row{{id}}}}}}}}}}}}}}"
            ),
        ),
        (
            3,
            format!(
                "{{users(size:50){{items{{row{{events(size:3,{arguments}){{count items{{obj_id}}}}}}}}}}}}"
            ),
        ),
        (
            2,
            "{users(size:50){items{row{tags(orderBy:{label:DESC}){items{obj_id} next}}}}}"
                .to_owned(),
        ),
        (
            3,
            "{users(size:50){items{row{tags(orderBy:{label:DESC}){items{row{label}}}}}}}"
                .to_owned(),
        ),
    ];
    for (expected, query) in rows {
        let statements = app.statements_of(&query).await;
        assert_eq!(statements.len(), expected, "{query}\n{statements:#?}");
    }
    let query = format!(
        "{{users(size:50){{items{{obj_id row{{events(size:3,{arguments}){{count items{{obj_id}}}}}}}}}}}}"
    );
    let page = data(&app, &query, json!({})).await;
    for user in page["users"]["items"].as_array().unwrap() {
        let of = &user["obj_id"];
        let sql = format!(
            "SELECT id FROM game_event WHERE player_id = {of} AND type = 'kill' ORDER BY game_id DESC, id DESC"
        );
        let all = sql_keys(&app, &sql).await;
        let events = &user["row"]["events"];
        assert_eq!(events["count"], json!(all.len()), "{of}");
        assert_eq!(keys(events), all[..all.len().min(3)], "{of}");
    }
}

#[tokio::test]
async fn pages_of_parents_continue_each_for_itself() {
    let app = App::start().await;
    let query = "query Q($after: String) {users{items{row{events(size:5,after:$after,orderBy:{type:ASC}){items{obj_id} next}}}}}";
    let mut after = Json::Null;
    let mut walked = Vec::new();
    loop {
        let answer = data(&app, query, json!({ "after": after })).await;
        let users = &answer["users"]["items"];
        // The others have no more events than one page holds.
        assert_eq!(users[1]["row"]["events"]["next"], Json::Null);
        assert_eq!(users[2]["row"]["events"]["next"], Json::Null);
        walked.extend(keys(&users[0]["row"]["events"]));
        after = users[0]["row"]["events"]["next"].clone();
        if after.is_null() {
            break;
        }
    }
    let sql = "SELECT id FROM game_event WHERE player_id = 1 ORDER BY type, id";
    assert_eq!(walked, sql_keys(&app, sql).await);
}

#[tokio::test]
async fn relations_over_a_junction_are_narrowed_ordered_and_continued_by_their_target() {
    let app = App::start().await;
    app.sql("INSERT INTO tag SELECT n, (ARRAY['b', 'a', 'c'])[1 + n % 3] FROM generate_series(3, 20) n; \
             INSERT INTO user_tag SELECT 3, n FROM generate_series(3, 20) n")
        .await;
    let query = "query Q($after: String) {user(identifier:{obj_id:3}){tags(size:4,after:$after,where:{label:{ne:\"b\"}},orderBy:{label:DESC}){count items{obj_id row{label}} next}}}";
    let mut after = Json::Null;
    let mut walked = Vec::new();
    loop {
        let page = data(&app, query, json!({ "after": after })).await["user"]["tags"].clone();
        assert_eq!(page["count"], json!(12));
        for item in page["items"].as_array().unwrap() {
            assert_ne!(item["row"]["label"], json!("b"));
        }
        walked.extend(keys(&page));
        after = page["next"].clone();
        if after.is_null() {
            break;
        }
    }
    let sql = "SELECT t.id FROM user_tag j JOIN tag t ON t.id = j.tag_id \
               WHERE j.user_id = 3 AND t.label <> 'b' ORDER BY t.label DESC, t.id DESC";
    assert_eq!(walked, sql_keys(&app, sql).await);
    // Without an order it is that of the target's key.
    let first = data(
        &app,
        "{user(identifier:{obj_id:3}){tags(size:2){items{obj_id} next}}}",
        json!({}),
    )
    .await;
    let next = first["user"]["tags"]["next"].as_str().unwrap().to_owned();
    let query = format!(
        "{{user(identifier:{{obj_id:3}}){{tags(size:2,after:\"{next}\"){{items{{obj_id}}}}}}}}"
    );
    let second = data(&app, &query, json!({})).await;
    assert_eq!(keys(&second["user"]["tags"]), [json!(5), json!(6)]);
}

#[tokio::test]
async fn the_last_page_has_no_next() {
    let app = App::start().await;
    for (size, has_next) in [(1, true), (2, true), (3, false), (4, false), (0, false)] {
        let page = data(&app, &format!("{{users(size:{size}){{next}}}}"), json!({})).await;
        assert_eq!(page["users"]["next"].is_string(), has_next, "{size}");
    }
    let page = data(
        &app,
        "{users(page:1,size:2){next items{obj_id}}}",
        json!({}),
    )
    .await;
    assert_eq!(
        page["users"],
        json!({"next": null, "items": [{"obj_id": 3}]})
    );
}

#[tokio::test]
async fn arguments_that_cannot_be_are_errors_on_their_field() {
    let app = with_kinds().await;
    let next = data(&app, "{users(size:1){next}}", json!({})).await["users"]["next"].clone();
    let next = next.as_str().unwrap().to_owned();
    let (mut damaged, other_order) = (
        next.clone(),
        format!("{{users(after:\"{next}\",orderBy:{{name:ASC}}){{count}}}}"),
    );
    let last = damaged.pop().unwrap();
    damaged.push(if last == 'A' { 'B' } else { 'A' });
    let many: Vec<String> = (0..1_001).map(|n| n.to_string()).collect();
    let rows = [
        (
            format!("{{users(after:\"{next}\",page:0){{count}}}}"),
            "`page` and `after` exclude each other",
        ),
        (
            format!("{{users(after:\"{damaged}\"){{count}}}}"),
            "The cursor in `after` is damaged, or belongs to another order",
        ),
        (
            "{users(after:\"\"){count}}".to_owned(),
            "The cursor in `after` is damaged",
        ),
        (
            "{users(after:\"🦀\"){count}}".to_owned(),
            "The cursor in `after` is damaged",
        ),
        (
            format!("{{games(after:\"{next}\"){{count}}}}"),
            "belongs to another order",
        ),
        (other_order, "belongs to another order"),
        (
            format!("{{users(after:\"{next}\",orderBy:{{id:DESC}}){{count}}}}"),
            "belongs to another order",
        ),
        (
            "{users(where:{name:{eq:null}}){count}}".to_owned(),
            "`eq` in `where` must not be null",
        ),
        (
            "{users(where:{name:null}){count}}".to_owned(),
            "`name` in `where` must not be null",
        ),
        (
            format!(
                "{{users(where:{{id:{{in:[{}]}}}}){{count}}}}",
                many.join(",")
            ),
            "`where` has more than 1000 conditions",
        ),
        (
            "{users(orderBy:[{id:ASC,name:ASC}]){count}}".to_owned(),
            "Each object in `orderBy` names one column",
        ),
        (
            "{users(orderBy:[{}]){count}}".to_owned(),
            "Each object in `orderBy` names one column",
        ),
        (
            "{users(orderBy:[{id:ASC},{id:DESC}]){count}}".to_owned(),
            "`orderBy` names `id` twice",
        ),
        (
            "{users(orderBy:[{id:null}]){count}}".to_owned(),
            "`id` in `orderBy` needs a direction",
        ),
        (
            "{kindsPage(where:{c_point:{eq:\"(1,1)\"}}){count}}".to_owned(),
            "Postgres has no order for the values of `c_point`",
        ),
        (
            "{kindsPage(orderBy:{c_point:ASC}){count}}".to_owned(),
            "Postgres has no order for the values of `c_point`",
        ),
        (
            "{kindsPage(where:{c_date:{eq:\"no date\"}}){count}}".to_owned(),
            "A value in `where` or `after` is none of its column's type",
        ),
        (
            "{kindsPage(where:{c_mood:{in:[\"sad\",\"glad\"]}}){count}}".to_owned(),
            "A value in `where` or `after` is none of its column's type",
        ),
        (
            "{kindsPage(where:{c_text:{eq:\"\\u0000\"}}){count}}".to_owned(),
            "A value in `where` or `after` is none of its column's type",
        ),
        (
            "{users{items{row{events(where:{type:{eq:null}}){count}}}}}".to_owned(),
            "`eq` in `where` must not be null",
        ),
    ];
    for (query, message) in rows {
        let told = error(&app, &query).await;
        assert!(told.contains(message), "{query}\n{told}");
        assert!(!told.contains("SELECT") && !told.contains("::"), "{told}");
    }
    // What the schema does not have is refused before anything is read.
    for query in [
        "{users(where:{email:{eq:\"a@x\"}}){count}}",
        "{users(orderBy:{email:ASC}){count}}",
        "{users(where:{name:{eq:1}}){count}}",
        "{users(where:{id:{contains:\"1\"}}){count}}",
        "{users(orderBy:{id:UP}){count}}",
        "{kindsPage(orderBy:{c_json:ASC}){count}}",
    ] {
        assert!(app.answer(query).await.1.contains("\"errors\""), "{query}");
        assert!(
            app.statements
                .lock()
                .unwrap()
                .iter()
                .all(|sql| !sql.contains("email"))
        );
    }
}

#[tokio::test]
async fn variables_fill_conditions_and_orders() {
    let app = App::start().await;
    let query = "query Q($where: UserWhere, $order: [UserOrderBy!], $name: String, $way: OrderByDirection) {\
                 a: users(where: $where, orderBy: $order) {items{obj_id}} \
                 b: users(where: {name: {eq: $name}}, orderBy: {name: $way}) {items{obj_id}}}";
    let variables = json!({
        "where": {"or": [{"id": {"eq": 1}}, {"score": {"gt": "9007199254740992"}}]},
        "order": [{"score": "DESC"}],
        "name": "cy",
        "way": "ASC",
    });
    let answer = data(&app, query, variables).await;
    assert_eq!(keys(&answer["a"]), [json!(2), json!(1)]);
    assert_eq!(keys(&answer["b"]), [json!(3)]);
    // An omitted variable leaves its condition out.
    let answer = data(&app, query, json!({"way": "DESC"})).await;
    assert_eq!(keys(&answer["a"]), [json!(1), json!(2), json!(3)]);
    assert_eq!(keys(&answer["b"]), [json!(3), json!(2), json!(1)]);
    for variables in [
        json!({"where": {"email": {"eq": "a@x"}}}),
        json!({"where": {"id": {"eq": "1"}}}),
        json!({"order": {"name": "UP"}}),
        json!({"way": 1}),
    ] {
        let (_, body) = app.with(query, variables.clone()).await;
        assert!(body.contains("got invalid value"), "{variables} {body}");
    }
}
