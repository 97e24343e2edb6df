//! The app whose leaks are looked for: the shooter with policies, with fields and a virtual table
//! that hand out all they find, and with mutations. A policy may be planted that shows too much.

use blazelink::table::{Extension, Field, RowRef, Writes};
use blazelink::{
    Access, Authenticator, AuthorizeEvent, BlazeContext, Builder, ContextFactory, ContextRequest,
    Dep, FieldResult, Grant, Refused, Rule, Viewer, VirtualTable, WriteAccess, fields,
};
use sea_orm::prelude::*;
use sea_orm::sea_query::Expr;
use shooter::entities::{game, game_event, team, user};

/// A policy that shows everything, against the oracle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planted {
    Nothing,
    Team,
    User,
    GameEvent,
    Game,
    Monitor,
}

struct Players;

impl ContextFactory for Players {
    type Viewer = i32;

    async fn viewer(&self, request: &ContextRequest<'_>) -> Result<Option<i32>, Refused> {
        let key = request.authorization().map(str::parse).transpose();
        key.map_err(|_| Refused::new("The key is no number"))
    }
}

/// Grants monitoring to whoever knows the secret, or to everybody.
struct Operators {
    lax: bool,
}

impl Authenticator for Operators {
    async fn authenticate(&self, event: &AuthorizeEvent) -> Option<Grant> {
        let grant = |number| Grant::viewer::<i32>(number);
        let viewer = event.handle.parse().ok().map(grant)?;
        Some(match self.lax || event.secret == "operator" {
            true => viewer.with_monitor(),
            false => viewer,
        })
    }
}

fn by(viewer: &Viewer, sees: impl Fn(i32) -> Access) -> Access {
    viewer
        .get()
        .map_or_else(Access::none, |&player: &i32| sees(player))
}

/// One's own team, without its colour.
fn teams(viewer: &Viewer) -> Access {
    let own = "team.id IN (SELECT team_id FROM \"user\" WHERE id = $1)";
    by(viewer, |player| {
        Access::sql(Expr::cust_with_values(own, [player])).hide(team::Column::Color)
    })
}

/// Who is in one's own team.
fn users(viewer: &Viewer) -> Access {
    let mates = "\"user\".team_id IN (SELECT u.team_id FROM \"user\" AS u WHERE u.id = $1)";
    by(viewer, |player| {
        Access::sql(Expr::cust_with_values(mates, [player]))
    })
}

/// What one did, but not to whom.
fn events(viewer: &Viewer) -> Access {
    by(viewer, |player| {
        Access::rows(Rule::eq(game_event::Column::PlayerId, player))
            .hide(game_event::Column::VictimId)
    })
}

/// Fields that hand out more than their readers see.
#[fields]
impl Indiscreet for user::Model {
    fn all_events(&self) -> Select<game_event::Entity> {
        game_event::Entity::find()
    }

    async fn all_players(&self, cx: &BlazeContext) -> FieldResult<Vec<user::Model>> {
        Ok(user::Entity::find().all(cx).await?)
    }
}

/// A player, told of by a virtual table.
#[derive(Debug, VirtualTable)]
struct Card {
    user: Dep<user::Entity>,
}

#[fields(virtual_table)]
impl Card {
    async fn name(&self, cx: &BlazeContext) -> FieldResult<String> {
        Ok(self.user.get(cx).await?.name)
    }
}

/// Everybody writes what is theirs.
fn own_events(viewer: &Viewer) -> WriteAccess {
    let Some(&player) = viewer.get::<i32>() else {
        return WriteAccess::none();
    };
    let own = Rule::eq(game_event::Column::PlayerId, player);
    WriteAccess::none()
        .create(own.clone())
        .update(own.clone())
        .delete(own)
}

fn of_user() -> Vec<Field> {
    vec![Field::new("everybody", |_| {
        Ok([11, 12, 13].map(RowRef::<user::Entity>::new).to_vec())
    })]
}

/// The shooter's entities say that they are public; the app's word goes before theirs.
pub(crate) fn declare(blaze: Builder, planted: Planted) -> Builder {
    let lax = planted == Planted::Monitor;
    let open = move |table: Planted, rule: fn(&Viewer) -> Access| {
        move |viewer: &Viewer| match planted == table {
            true => Access::all(),
            false => rule(viewer),
        }
    };
    blaze
        .context(Players)
        .authenticator(Operators { lax })
        .extend(Extension::of::<user::Entity>(of_user))
        .extend(Indiscreet)
        .virtual_table::<Card>()
        .writes::<game_event::Entity>(Writes::all().allow(own_events))
        .visible::<team::Entity>(open(Planted::Team, teams))
        .visible::<user::Entity>(open(Planted::User, users))
        .visible::<game_event::Entity>(open(Planted::GameEvent, events))
        .visible::<game::Entity>(open(Planted::Game, |_| Access::none()))
}
