//! Who may read and write what. Yours to edit.
//!
//! Tables that say `#[blazelink(public)]` are read by everybody, others by nobody but in `blazelink
//! dev`; `.visible::<Entity>(..)` says who sees which rows. Nobody writes without a rule.

use blazelink::table::{Draft, Invalid, Operation, Writes};
use blazelink::{Builder, Rule, Viewer, WriteAccess};

use crate::entities::note;

/// Gives the builder all rules of the app.
pub fn rules(blaze: Builder) -> Builder {
    let notes = Writes::of([Operation::Create]);
    blaze.writes::<note::Entity>(notes.allow(anybody).validate(not_empty))
}

/// Nobody signs in yet, so anybody may write a note.
fn anybody(_: &Viewer) -> WriteAccess {
    WriteAccess::none()
        .create(Rule::all())
        .only([note::Column::Text])
}

fn not_empty(note: &Draft) -> Result<(), Invalid> {
    match note.text(note::Column::Text).map(str::trim) {
        Some("") => Err(Invalid::field(note::Column::Text, "must not be empty")),
        _ => Ok(()),
    }
}
