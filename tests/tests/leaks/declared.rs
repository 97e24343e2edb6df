//! The app whose leaks are looked for: the shooter with policies, with fields and a virtual table
//! that hand out all they find, and with mutations. A policy may be planted that shows too much.

use std::collections::HashMap;

use blazelink::table::{Draft, Extension, Field, Invalid, RowRef, Writes};
use blazelink::{
    Access, Authenticator, AuthorizeEvent, BlazeContext, Builder, ContextFactory, ContextRequest,
    Dep, FieldResult, Grant, Refused, Rule, Viewer, VirtualTable, WriteAccess, fields,
};
use sea_orm::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{Linked, RelationDef};
use shooter::entities::{game, game_event, team, user};

use crate::tables::{diary, notice};

/// A policy that shows everything, against the oracle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planted {
    Nothing,
    Team,
    User,
    GameEvent,
    Game,
    Diary,
    /// Shows the columns that should be hidden.
    Columns,
    Monitor,
    /// Says in the schema what a row holds.
    Schema,
    /// Says who has what only one may have.
    Taken,
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

/// Without a column, where columns are hidden.
fn without<C: ColumnTrait>(access: Access, column: C, hides: bool) -> Access {
    match hides {
        true => access.hide(column),
        false => access,
    }
}

/// One's own team, without its colour.
fn teams(viewer: &Viewer, hides: bool) -> Access {
    let own = "team.id IN (SELECT team_id FROM \"user\" WHERE id = $1)";
    by(viewer, |player| {
        let own = Access::sql(Expr::cust_with_values(own, [player]));
        without(own, team::Column::Color, hides)
    })
}

/// Who is in one's own team.
fn users(viewer: &Viewer, _: bool) -> Access {
    let mates = "\"user\".team_id IN (SELECT u.team_id FROM \"user\" AS u WHERE u.id = $1)";
    by(viewer, |player| {
        Access::sql(Expr::cust_with_values(mates, [player]))
    })
}

/// What one did, but not to whom.
fn events(viewer: &Viewer, hides: bool) -> Access {
    by(viewer, |player| {
        let own = Access::rows(Rule::eq(game_event::Column::PlayerId, player));
        without(own, game_event::Column::VictimId, hides)
    })
}

/// What one has written.
fn diaries(viewer: &Viewer, _: bool) -> Access {
    by(viewer, |player| {
        Access::rows(Rule::eq(diary::Column::AuthorId, player))
    })
}

/// Fields that hand out more than their readers see.
#[fields]
impl Indiscreet for user::Model {
    fn all_events(&self) -> Select<game_event::Entity> {
        game_event::Entity::find()
    }

    #[batch]
    async fn victims(players: &[user::Model]) -> HashMap<i32, Vec<RowRef<user::Entity>>> {
        let everybody = [11, 12, 13].map(RowRef::new);
        let of = players.iter().map(|player| (player.id, everybody.to_vec()));
        of.collect()
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

/// To whom a player did something; it goes over a column that is hidden.
struct Foes;

impl Linked for Foes {
    type FromEntity = user::Entity;
    type ToEntity = user::Entity;

    fn link(&self) -> Vec<RelationDef> {
        vec![
            user::Relation::Events.def(),
            game_event::Relation::Victim.def(),
        ]
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

fn own_diaries(viewer: &Viewer) -> WriteAccess {
    let Some(&player) = viewer.get::<i32>() else {
        return WriteAccess::none();
    };
    let own = Rule::eq(diary::Column::AuthorId, player);
    WriteAccess::none().create(own.clone()).update(own)
}

/// Writes of diaries; one that is planted tells whose is in the way.
fn of_diaries(planted: Planted) -> Writes {
    let writes = Writes::all().allow(own_diaries);
    if planted != Planted::Taken {
        return writes;
    }
    writes.before_save(|draft: &mut Draft, transaction| {
        Box::pin(async move {
            let code = draft.text(diary::Column::Code).unwrap_or_default();
            let same = diary::Entity::find().filter(diary::Column::Code.eq(code));
            match same.one(transaction).await? {
                Some(other) => Err(Invalid::field(
                    diary::Column::Code,
                    format!("is that of `{}`", other.text),
                )),
                None => Ok(()),
            }
        })
    })
}

/// A field whose argument has a row's text as its default.
fn told_by_the_schema() -> Vec<Field> {
    let like = "secret team 32".to_owned();
    let named = Field::new("named", |call| {
        call.argument_or("like", || String::from("secret team 32"))
    });
    vec![named.argument_or("like", &like)]
}

fn of_user() -> Vec<Field> {
    vec![Field::new("everybody", |_| {
        Ok([11, 12, 13].map(RowRef::<user::Entity>::new).to_vec())
    })]
}

/// The shooter's entities say that they are public; the app's word goes before theirs.
pub(crate) fn declare(blaze: Builder, planted: Planted) -> Builder {
    let lax = planted == Planted::Monitor;
    let open = move |table: Planted, rule: fn(&Viewer, bool) -> Access| {
        move |viewer: &Viewer| match planted {
            planted if planted == table => Access::all(),
            planted => rule(viewer, planted != Planted::Columns),
        }
    };
    let blaze = match planted {
        Planted::Schema => blaze.extend(Extension::of::<team::Entity>(told_by_the_schema)),
        _ => blaze,
    };
    blaze
        .table::<diary::Entity>()
        .table::<notice::Entity>()
        .list::<user::Entity>("diarys")
        .context(Players)
        .authenticator(Operators { lax })
        .extend(Extension::of::<user::Entity>(of_user))
        .extend(Indiscreet)
        .virtual_table::<Card>()
        .linked("foes", Foes)
        .writes::<game_event::Entity>(Writes::all().allow(own_events))
        .writes::<diary::Entity>(of_diaries(planted))
        .visible::<diary::Entity>(open(Planted::Diary, diaries))
        .visible::<team::Entity>(open(Planted::Team, teams))
        .visible::<user::Entity>(open(Planted::User, users))
        .visible::<game_event::Entity>(open(Planted::GameEvent, events))
        .visible::<game::Entity>(open(Planted::Game, |_, _| Access::none()))
}
