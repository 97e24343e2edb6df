//! Plans as a tree of folders and files, for a person; a line of JSON per file for a script.

use serde_json::json;

use super::changes::{Change, Step};
use super::journal::Entry;
use crate::terminal::Terminal;

/// Tells what happens to each file, and the differences that are in the way.
pub(super) fn tell(changes: &[Change], terminal: Terminal) {
    let rows: Vec<Row<'_>> = changes
        .iter()
        .map(|change| {
            (
                change.step.name(),
                change.path.as_str(),
                change.what.join(", "),
            )
        })
        .collect();
    tell_rows(&rows, terminal);
    for change in changes.iter().filter(|it| it.step == Step::Conflict) {
        terminal.space();
        terminal.result(change.diff().trim_end());
    }
}

/// Tells what is taken back.
pub(super) fn tell_undone(entry: &Entry, terminal: Terminal) {
    let row = |file: &super::journal::Written| match file.before {
        None => "remove",
        Some(_) => "restore",
    };
    let rows: Vec<Row<'_>> = entry
        .files
        .iter()
        .map(|file| (row(file), file.path.as_str(), String::new()))
        .collect();
    tell_rows(&rows, terminal);
}

/// What is done, where, and with what.
type Row<'a> = (&'static str, &'a str, String);

fn tell_rows(rows: &[Row<'_>], terminal: Terminal) {
    let lines = drawn(rows);
    let mut lines = lines.iter();
    for (step, path, what) in rows {
        let mut text = String::new();
        // The folders stand before the first file in them.
        for (line, is_file) in lines.by_ref() {
            text.push_str(line);
            if *is_file {
                break;
            }
            text.push('\n');
        }
        terminal.outcome(
            "file",
            json!({"change": step, "path": path, "what": what}),
            text,
        );
    }
}

/// The lines of the tree, and whether each is a file's.
fn drawn(rows: &[Row<'_>]) -> Vec<(String, bool)> {
    let mut lines = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for (step, path, what) in rows {
        let mut folders: Vec<&str> = path.split('/').collect();
        let file = folders.pop().unwrap_or_default();
        let same = open
            .iter()
            .zip(&folders)
            .take_while(|(one, other)| one == other)
            .count();
        for (depth, folder) in folders.iter().enumerate().skip(same) {
            let pad = " ".repeat(13 + 2 * depth);
            lines.push((format!("{pad}{folder}/"), false));
        }
        let name = format!("{}{file}", "  ".repeat(folders.len()));
        let line = match what.is_empty() {
            true => format!("  {step:<11}{name}"),
            false => format!("  {step:<11}{name:<27} {what}"),
        };
        lines.push((line, true));
        open = folders;
    }
    lines
}
