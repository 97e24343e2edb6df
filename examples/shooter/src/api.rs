//! `POST /api/kills`, for game servers that speak plain JSON, and its documentation.

use blazelink::RequestCause;
use poem::Route;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi, OpenApiService, Tags};
use sea_orm::DatabaseConnection;

use crate::kills::{self, Refusal};

/// The routes under `/api`: the endpoint, its description at `/spec`, and a page about it at
/// `/docs`.
pub fn routes(db: DatabaseConnection) -> Route {
    let service = OpenApiService::new(Api { db }, "Shooter", env!("CARGO_PKG_VERSION"))
        .description("What happens in the game, reported from outside.")
        .server("/api");
    Route::new()
        .at("/spec", service.spec_endpoint())
        .nest("/docs", service.swagger_ui())
        .nest("/", service)
}

struct Api {
    db: DatabaseConnection,
}

#[derive(Tags)]
enum Tag {
    /// What happens in the newest game.
    Game,
}

/// A kill that has happened.
#[derive(Debug, Object)]
struct NewKill {
    /// The key of the player who shot.
    killer_id: i32,
    /// The key of the player who was shot.
    victim_id: i32,
}

/// A kill that was recorded.
#[derive(Debug, Object)]
struct Kill {
    /// The key of the event.
    id: i32,
    /// The key of the game.
    game_id: i32,
    /// The key of the player who shot.
    killer_id: i32,
    /// The key of the player who was shot.
    victim_id: i32,
}

/// Why nothing was recorded.
#[derive(Debug, Object)]
struct Problem {
    /// A sentence for people.
    message: String,
}

#[derive(Debug, ApiResponse)]
enum RecordKill {
    /// The kill was recorded. Every page that shows one of the two has been told.
    #[oai(status = 201)]
    Recorded(Json<Kill>),
    /// No such kill can have happened.
    #[oai(status = 422)]
    Refused(Json<Problem>),
    /// The database failed. Nothing was recorded.
    #[oai(status = 503)]
    Unavailable(Json<Problem>),
}

#[OpenApi]
impl Api {
    /// Record a kill
    ///
    /// It counts in the newest game.
    #[oai(path = "/kills", method = "post", tag = "Tag::Game")]
    async fn record_kill(&self, cause: RequestCause, kill: Json<NewKill>) -> RecordKill {
        let NewKill {
            killer_id,
            victim_id,
        } = kill.0;
        match kills::record(&self.db, &cause, killer_id, victim_id).await {
            Ok(event) => RecordKill::Recorded(Json(Kill {
                id: event.id,
                game_id: event.game_id,
                killer_id,
                victim_id,
            })),
            Err(refusal) => refused(&refusal),
        }
    }
}

fn refused(refusal: &Refusal) -> RecordKill {
    let message = match refusal {
        Refusal::Oneself => "Players cannot kill themselves".to_owned(),
        Refusal::NoSuchPlayer(id) => format!("There is no player {id}"),
        Refusal::NoGame => "There is no game to record the kill in".to_owned(),
        Refusal::Database(error) => {
            tracing::error!(%error, "a kill could not be recorded");
            let message = "The database failed; nothing was recorded".to_owned();
            return RecordKill::Unavailable(Json(Problem { message }));
        }
    };
    RecordKill::Refused(Json(Problem { message }))
}
