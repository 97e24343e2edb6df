//! What computed fields read through their context: it is answered, watched, and only read.

use std::sync::Mutex;

use blazelink::BlazeContext;
use blazelink::table::{Call, Extension, Field, FieldError};
use sea_orm::ConnectionTrait;
use sea_orm::prelude::*;

use crate::entities::*;
use crate::support::{App, builder};

/// A context that has outlived its call.
static KEPT: Mutex<Option<BlazeContext>> = Mutex::new(None);

async fn kills(call: Call<'_>) -> Result<i64, FieldError> {
    let id: i32 = call.value(user::Column::Id)?;
    let kills = game_event::Entity::find()
        .filter(game_event::Column::PlayerId.eq(id))
        .filter(game_event::Column::Type.eq("kill"));
    Ok(kills.count(call.context()).await?.try_into().unwrap_or(0))
}

async fn kept(call: Call<'_>) -> Result<bool, FieldError> {
    *KEPT.lock().unwrap() = Some(call.context().clone());
    Ok(true)
}

fn of_user() -> Vec<Field> {
    vec![
        Field::reading("kills", |call| Box::pin(kills(call))),
        Field::reading("kept", |call| Box::pin(kept(call))),
    ]
}

async fn start() -> App {
    App::of(builder().extend(Extension::of::<user::Entity>(of_user))).await
}

#[tokio::test]
async fn a_field_that_counts_through_its_context_is_watched_without_a_declaration() {
    let app = start().await;
    let (body, lines) = app.watched("{user(identifier:{obj_id:1}){kills}}").await;
    assert_eq!(body, r#"{"data":{"user":{"kills":6}}}"#);
    assert!(
        lines.iter().any(|line| line.contains("GameEvent")),
        "{lines:?}"
    );
    assert_eq!(lines.last().unwrap(), "finish");
}

#[tokio::test]
async fn a_context_outside_of_a_call_reads_nothing_and_says_so() {
    let app = start().await;
    let (status, _) = app.answer("{user(identifier:{obj_id:1}){kept}}").await;
    assert_eq!(status, 200);
    let kept = KEPT.lock().unwrap().take().unwrap();
    for context in [BlazeContext::anonymous(), kept] {
        let error = user::Entity::find().count(&context).await.unwrap_err();
        assert!(error.to_string().contains("during the call"), "{error}");
    }
}

#[tokio::test]
async fn a_context_does_not_write() {
    let refused = BlazeContext::anonymous()
        .execute_unprepared("DELETE FROM tag")
        .await;
    assert!(refused.unwrap_err().to_string().contains("only reads"));
}
