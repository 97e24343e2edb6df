//! A migration that makes changes, as text. Pure.

use blazelink_codes::Result;
use blazelink_templates::generated;
use serde_json::json;

use super::change::{Change, Danger};
use super::{Difference, statements};

/// What a migration is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Entities say what the database has not. Tables that are new are followed.
    Entities,
    /// Somebody has changed a database by hand. Whether an entity describes a table is not known.
    Adoption,
}

impl Purpose {
    fn sentence(self) -> &'static str {
        match self {
            Purpose::Entities => "What entities say that the database had not.",
            Purpose::Adoption => "What was done to a database by hand.",
        }
    }
}

/// The migration of this module.
///
/// What has no SQL that could be known makes it refuse to run, saying what is to be written.
///
/// # Errors
/// None that the tests of the tool do not rule out.
pub(super) fn text(module: &str, purpose: Purpose, differences: &[Difference]) -> Result<String> {
    let (mut up, mut down) = (Vec::new(), Vec::new());
    let (mut published, mut by_hand) = (Vec::new(), Vec::new());
    for Difference { change, danger } in differences {
        if let Danger::ByHand(why) = danger {
            by_hand.push(why.as_str());
            // What it would be if nothing stood in its way, to be finished.
            up.extend(lines(change).into_iter().map(|line| format!("-- {line}")));
            continue;
        }
        up.extend(lines(change));
        if let Change::CreateTable(table) = change
            && purpose == Purpose::Entities
        {
            published.push(table.name.text());
        }
        down.extend(change.inverse());
    }
    let down: Vec<String> = down.iter().rev().flat_map(lines).collect();
    let text = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect();
    let (up, down, by_hand): (String, String, String) =
        (text(&up), text(&down), by_hand.join("\n"));
    generated::render(
        "migration_diff.rs.j2",
        json!({
            "module": module,
            "intro": purpose.sentence(),
            "hashes": hashes(&[&up, &down, &by_hand]),
            "up": up,
            "down": down,
            "published": published,
            "by_hand": by_hand,
        }),
    )
}

fn lines(change: &Change) -> Vec<String> {
    let sql = statements(&change.sql());
    sql.lines().map(str::to_owned).collect()
}

/// As many as a raw string needs around these.
fn hashes(texts: &[&str]) -> String {
    let mut hashes = String::from("#");
    while texts
        .iter()
        .any(|text| text.contains(&format!("\"{hashes}")))
    {
        hashes.push('#');
    }
    hashes
}
