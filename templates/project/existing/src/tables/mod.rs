//! What the tables do not say by themselves: computed fields and virtual tables, a module for each.
//! Yours to edit.
