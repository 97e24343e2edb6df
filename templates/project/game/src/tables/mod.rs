//! What the tables do not say by themselves: computed fields and virtual tables. Yours to edit.

pub mod player_stats;
pub mod user;
