//! Who may read and write what. Yours to edit.
//!
//! Tables that say `#[blazelink(public)]` are read by everybody, others by nobody but in `blazelink
//! dev`; `.visible::<Entity>(..)` says who sees which rows. Nobody writes without a rule.

use blazelink::table::{Draft, Invalid, Operation, Writes};
use blazelink::{Builder, Rule, Viewer, WriteAccess};

use crate::entities::game_event;

/// Gives the builder all rules of the app.
pub fn rules(blaze: Builder) -> Builder {
    let kills = Writes::of([Operation::Create]);
    blaze.writes::<game_event::Entity>(kills.allow(anybody).validate(not_oneself))
}

/// Nobody signs in yet, so anybody may report a kill.
fn anybody(_: &Viewer) -> WriteAccess {
    let columns = [
        game_event::Column::GameId,
        game_event::Column::PlayerId,
        game_event::Column::VictimId,
    ];
    WriteAccess::none().create(Rule::all()).only(columns)
}

fn not_oneself(event: &Draft) -> Result<(), Invalid> {
    let victim = game_event::Column::VictimId;
    match event.get(victim) == event.get(game_event::Column::PlayerId) {
        true => Err(Invalid::field(victim, "must be another player")),
        false => Ok(()),
    }
}
