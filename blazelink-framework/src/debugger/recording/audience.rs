//! Who watched what at a moment of a recording. Pure.
//!
//! What must stay true: of a session of which it is not known what it watched, nothing is said but that.

use std::collections::BTreeMap;

use super::file::{Become, Recording};
use super::lines::WrittenViewer;
use crate::debugger::record::Moment;
use crate::session::SessionLabel;
use crate::subscription::{View, ViewName};

/// A session at that moment.
#[derive(Debug)]
pub(crate) struct Attendant {
    /// `anonymous`, `known`, or `not written`.
    pub(crate) viewer: &'static str,
    /// What it watched, read by read.
    pub(crate) reads: Vec<(ViewName, View)>,
    /// Whether it is not known what it watched.
    pub(crate) left_out: bool,
}

/// The sessions that there were at this moment, by their labels.
pub(crate) fn audience(
    recording: &Recording,
    until: Moment,
) -> BTreeMap<String, (SessionLabel, Attendant)> {
    let mut audience: BTreeMap<String, (SessionLabel, Attendant)> = BTreeMap::new();
    for entry in recording.log.iter().take_while(|it| it.at <= until) {
        let label = entry.session.to_string();
        match &entry.what {
            Become::Ended => {
                audience.remove(&label);
            }
            Become::LeftOut => {
                let (_, attendant) = audience
                    .entry(label)
                    .or_insert_with(|| begin(entry.session));
                attendant.left_out = true;
                attendant.reads.clear();
            }
            Become::Watching(viewer, view) => {
                let (_, attendant) = audience
                    .entry(label)
                    .or_insert_with(|| begin(entry.session));
                attendant.viewer = match viewer {
                    WrittenViewer::Nobody => "anonymous",
                    WrittenViewer::Is(_) => "known",
                    WrittenViewer::NotWritten => "not written",
                };
                if let Some((name, view)) = view.as_ref().filter(|_| !attendant.left_out) {
                    attendant.reads.retain(|(other, _)| other != name);
                    if !view.is_empty() {
                        attendant.reads.push((name.clone(), view.clone()));
                    }
                }
            }
        }
    }
    audience
}

fn begin(session: SessionLabel) -> (SessionLabel, Attendant) {
    let attendant = Attendant {
        viewer: "anonymous",
        reads: Vec::new(),
        left_out: false,
    };
    (session, attendant)
}
