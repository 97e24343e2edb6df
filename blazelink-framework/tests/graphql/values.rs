//! Values of every kind of type: an answer prints what the type's output function prints.

use blazelink::value::{Kind, write_value};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::support::App;

const ROWS: &str = r#"
INSERT INTO kinds VALUES (1, -32768, 9007199254740993, '1.5', '1e300', '12345.6700', '12.50', true, E'a"\n', 'v', 'ab',
    'CiText', 'very happy', 5, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '2024-02-29', '13:14:15.5', '13:14:15+02',
    '2024-02-29 13:14:15.123456', '2024-02-29 13:14:15.123456+02', '1 year 2 days 03:04:05.6', '{"a" : 1.10, "b":[1e400]}',
    '{"n": 123456789012345678901234567890}', '\xdeadbeef', '10.0.0.1', '10.0.0.0/8', '(1,2)', '[1,5)', B'101',
    '{{1,2},{3,NULL}}', '{a,NULL,"b c","q\"\\",""}', '{t,f}', '{"{\"a\": 1}","null"}', '{"very happy",sad}');
INSERT INTO kinds (id, c_float4, c_float8, c_numeric, c_bool, c_char, c_date, c_timestamp, c_timestamptz, c_inet, c_ints, c_texts)
    VALUES (2, 'NaN', '-Infinity', 'NaN', false, '', 'infinity', '-infinity', '0044-03-15 12:00:00+00 BC', '10.0.0.1/24', '[0:1]={1,2}', '{}');
INSERT INTO kinds (id) VALUES (3);
"#;

#[tokio::test]
async fn answers_print_what_the_output_function_prints() {
    let app = App::start().await;
    app.sql(ROWS).await;
    let table = app.manager.named("Kinds").unwrap();
    let names: Vec<&str> = table
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    let query = format!("{{kindsPage{{items{{row{{{}}}}}}}}}", names.join(" "));
    let (_, body) = app.answer(&query).await;

    let mut rows = Vec::new();
    for id in 1..=3 {
        let mut cells = Vec::new();
        for column in &table.columns {
            let sql = format!(
                "SELECT CASE WHEN \"{0}\" IS NOT NULL THEN format('%s', \"{0}\") END FROM kinds WHERE id = {id}",
                column.name
            );
            let row = app
                .database
                .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
                .await
                .unwrap()
                .unwrap();
            let text: Option<String> = row.try_get_by_index(0).unwrap();
            let mut out = Vec::new();
            match text {
                Some(text) => write_value(&column.kind, &text, &mut out),
                None => out.extend_from_slice(b"null"),
            }
            cells.push(format!(
                "\"{}\":{}",
                column.name,
                String::from_utf8(out).unwrap()
            ));
        }
        rows.push(format!("{{\"row\":{{{}}}}}", cells.join(",")));
    }
    assert_eq!(
        body,
        format!(
            "{{\"data\":{{\"kindsPage\":{{\"items\":[{}]}}}}}}",
            rows.join(",")
        )
    );
}

#[tokio::test]
async fn values_have_the_json_of_their_type() {
    let app = App::start().await;
    app.sql(ROWS).await;
    let (_, body) = app.answer("{kinds(identifier:{obj_id:1}){c_int2 c_int8 c_float8 c_numeric c_bool c_text c_char c_domain c_uuid c_timestamptz c_interval c_json c_jsonb c_bytea c_inet c_ints c_texts c_bools c_jsons c_moods}}").await;
    assert_eq!(
        body,
        r#"{"data":{"kinds":{"c_int2":-32768,"c_int8":"9007199254740993","c_float8":1e+300,"c_numeric":"12345.6700","c_bool":true,"c_text":"a\"\n","c_char":"ab","c_domain":5,"c_uuid":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11","c_timestamptz":"2024-02-29 11:14:15.123456+00","c_interval":"1 year 2 days 03:04:05.6","c_json":{"a" : 1.10, "b":[1e400]},"c_jsonb":{"n": 123456789012345678901234567890},"c_bytea":"\\xdeadbeef","c_inet":"10.0.0.1","c_ints":[[1,2],[3,null]],"c_texts":["a",null,"b c","q\"\\",""],"c_bools":[true,false],"c_jsons":[{"a": 1},null],"c_moods":["very happy","sad"]}}}"#
    );
    let (_, body) = app.answer("{kinds(identifier:{obj_id:2}){c_float4 c_float8 c_numeric c_bool c_char c_date c_timestamp c_timestamptz c_inet c_ints c_texts c_text}}").await;
    assert_eq!(
        body,
        r#"{"data":{"kinds":{"c_float4":"NaN","c_float8":"-Infinity","c_numeric":"NaN","c_bool":false,"c_char":"","c_date":"infinity","c_timestamp":"-infinity","c_timestamptz":"0044-03-15 12:00:00+00 BC","c_inet":"10.0.0.1/24","c_ints":"[0:1]={1,2}","c_texts":[],"c_text":null}}}"#
    );
}

#[tokio::test]
async fn exposed_kinds_are_those_of_the_catalog() {
    let app = App::start().await;
    let exposure = app.manager.exposure();
    let table = exposure.by_name("public", "kinds").unwrap();
    let kind = |name: &str| {
        table
            .columns
            .iter()
            .find(|column| column.name == name)
            .unwrap()
            .kind
            .clone()
    };
    assert_eq!(kind("c_domain"), Kind::Int);
    assert_eq!(kind("c_moods"), Kind::Array(Box::new(Kind::Text)));
    assert_eq!(kind("c_char"), Kind::Char);
    let user = exposure.by_name("public", "user").unwrap();
    assert!(
        user.columns.iter().all(|column| column.name != "email"),
        "hidden columns are not exposed"
    );
}
