//! Virtual tables with a struct: what their members are filled with, and what is read for them.

use blazelink::{Access, Rule};
use blazelink::{BlazeContext, Dep, Every, FieldResult, RowRef, Viewer, VirtualTable, fields};
use sea_orm::prelude::*;

use crate::entities::*;
use crate::support::{App, builder};

/// Over one player, perhaps another, a stock of two keys, and all games.
#[derive(VirtualTable)]
#[blazelink(name = "Match")]
pub struct Encounter {
    pub one: Dep<user::Entity>,
    pub other: Option<Dep<user::Entity>>,
    pub stock: Option<Dep<stock::Entity>>,
    pub games: Every<game::Entity>,
}

#[fields(virtual_table)]
impl Encounter {
    async fn name(&self, cx: &BlazeContext) -> FieldResult<String> {
        Ok(self.one.get(cx).await?.name)
    }

    async fn names(&self, cx: &BlazeContext) -> FieldResult<Vec<String>> {
        let mut names = vec![self.one.get(cx).await?.name];
        if let Some(other) = &self.other {
            names.push(other.get(cx).await?.name);
        }
        Ok(names)
    }

    fn key(&self, #[arg(default = 10)] times: i32) -> i32 {
        self.one.key() * times
    }

    fn other(&self) -> Option<RowRef<user::Entity>> {
        self.other
            .as_ref()
            .map(|other| RowRef::new(other.identity().clone()))
    }

    async fn quantity(&self, cx: &BlazeContext) -> FieldResult<Option<i32>> {
        let Some(stock) = &self.stock else {
            return Ok(None);
        };
        let (product, _): (i64, String) = stock.key();
        Ok(stock
            .find(cx)
            .await?
            .filter(|it| it.product_id == product)
            .map(|it| it.qty))
    }

    fn games(&self) -> Select<game::Entity> {
        self.games.find()
    }
}

/// Two of one entity, both needed.
#[derive(VirtualTable)]
pub struct Pair {
    pub one: Dep<user::Entity>,
    pub other: Dep<user::Entity>,
}

#[fields(virtual_table)]
impl Pair {
    fn sum(&self) -> i32 {
        self.one.key() + self.other.key()
    }
}

/// Over nothing.
#[derive(VirtualTable)]
pub struct Clock;

#[fields(virtual_table)]
impl Clock {
    fn hands(&self) -> i32 {
        2
    }
}

async fn start() -> App {
    let builder = builder()
        .virtual_table::<Encounter>()
        .virtual_table::<Pair>()
        .virtual_table::<Clock>();
    App::of(builder).await
}

async fn check(app: &App, query: &str, expected: &str) {
    let (status, body) = app.answer(query).await;
    assert_eq!((status, body.as_str()), (200, expected), "{query}");
}

const BOTH: &str = "identifier:{dependencies:[{entity:\"User\",obj_id:1},\
                    {entity:\"Stock\",obj_id:[1,\"S1\"]},{entity:\"User\",obj_id:2}]}";
const ONE: &str = "identifier:{dependencies:[{entity:\"User\",obj_id:3}]}";

#[tokio::test]
async fn members_are_what_the_client_names() {
    let app = start().await;
    check(
        &app,
        &format!("{{match({BOTH}){{names key other{{row{{name}}}} quantity games{{count}}}}}}"),
        r#"{"data":{"match":{"names":["ann","bob"],"key":10,"other":{"row":{"name":"bob"}},"quantity":5,"games":{"count":2}}}}"#,
    )
    .await;
    check(
        &app,
        &format!("{{match({ONE}){{names key(times:2) other{{obj_id}} quantity}} clock{{hands}}}}"),
        r#"{"data":{"match":{"names":["cy"],"key":6,"other":null,"quantity":null},"clock":{"hands":2}}}"#,
    )
    .await;
    check(
        &app,
        &format!("{{pair({BOTH}){{sum}}}}"),
        r#"{"data":{"pair":{"sum":3}}}"#,
    )
    .await;
}

#[tokio::test]
async fn members_that_are_needed_must_be_named() {
    let app = start().await;
    let (_, body) = app.answer("{match{key}}").await;
    assert!(
        body.contains("Match needs a dependency on User with an obj_id"),
        "{body}"
    );
    let (_, body) = app.answer(&format!("{{pair({ONE}){{sum}}}}")).await;
    assert!(
        body.contains("Pair needs another dependency on User"),
        "{body}"
    );
    let missing = "identifier:{dependencies:[{entity:\"User\",obj_id:99}]}";
    let (_, body) = app
        .answer(&format!("{{match({missing}){{name key}}}}"))
        .await;
    assert!(
        body.starts_with(r#"{"data":{"match":{"name":null,"key":990}}"#),
        "{body}"
    );
    assert!(
        body.contains("No row was found when one was required"),
        "{body}"
    );
}

#[tokio::test]
async fn a_row_is_read_once_for_all_fields() {
    let app = start().await;
    let statements = app
        .statements_of(&format!("{{match({BOTH}){{name names key}}}}"))
        .await;
    assert_eq!(statements.len(), 2, "{statements:#?}");
    let (_, lines) = app.watched(&format!("{{match({BOTH}){{name}}}}")).await;
    assert!(lines.iter().any(|line| line.contains("User")), "{lines:?}");
}

#[tokio::test]
async fn members_give_what_their_reader_sees() {
    let own = |viewer: &Viewer| match viewer.get::<i32>() {
        Some(&id) => Access::rows(Rule::eq(user::Column::Id, id)),
        None => Access::none(),
    };
    let builder = builder()
        .virtual_table::<Encounter>()
        .visible::<user::Entity>(own);
    let app = App::of(builder).await;
    let (_, body) = app.answer(&format!("{{match({ONE}){{name}}}}")).await;
    assert!(body.contains("No row was found"), "{body}");
    let request = blazelink::graphql::Request::new(format!("{{match({ONE}){{name}}}}"));
    let context = BlazeContext::new(Viewer::new(3_i32));
    let unwatched = blazelink::subscription::Unwatched;
    let answer = app.executor.execute(request, &context, &unwatched).await;
    assert_eq!(
        crate::support::read(&answer).1,
        r#"{"data":{"match":{"name":"cy"}}}"#
    );
}

#[test]
fn virtual_tables_are_discovered() {
    let manager = builder()
        .discover("graphql::fields_of_virtual_tables")
        .build()
        .unwrap();
    let names: Vec<&str> = manager
        .virtual_tables()
        .iter()
        .map(|it| it.entity.as_str())
        .collect();
    assert_eq!(names, ["Clock", "Match", "Pair"]);
}
