//! What the debugger answers, as lines for people. Pure; scripts get the answers themselves.

use std::fmt::Write;

use serde_json::Value;

/// Blocks of a row of bars, from none to full.
const BARS: &[char] = &[' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The moment that ages are counted to: milliseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now(pub(crate) u64);

/// How the app does.
pub(crate) fn overview(told: &Value) -> String {
    let mut text = format!("{}\n", string(&told["health"]));
    let sessions = &told["sessions"];
    let _ = writeln!(
        text,
        "\nsessions   {} · {} live, {} behind, {} offline",
        sessions["all"], sessions["live"], sessions["behind"], sessions["offline"]
    );
    let _ = writeln!(
        text,
        "commits    {}  last minute",
        bars(&told["commits_per_second"])
    );
    let _ = writeln!(
        text,
        "sent       {}  last minute\n",
        bars(&told["deliveries_per_second"])
    );
    let mut rows = vec![row(["stage", "per second", "p50", "p99", "ever"])];
    for stage in list(&told["stages"]) {
        let rate = stage["per_second"].as_f64().unwrap_or_default();
        rows.push(vec![
            string(&stage["name"]),
            format!("{rate:.1}"),
            span(&stage["p50_us"]),
            span(&stage["p99_us"]),
            stage["total"].to_string(),
        ]);
    }
    text.push_str(&table(&rows));
    let memory = &told["memory"];
    let _ = writeln!(
        text,
        "\nremembers  {} updates in {} of {}; {} let go",
        memory["updates"],
        bytes(&memory["bytes"]),
        bytes(&memory["limit"]),
        memory["discarded"]
    );
    if memory["sample"].as_u64() > Some(1) {
        let _ = writeln!(
            text,
            "follows    one update in {}, and what is out of the ordinary; {} were not",
            memory["sample"], memory["passed"]
        );
    }
    for problem in list(&told["problems"]) {
        let (sentence, action) = (string(&problem["sentence"]), string(&problem["action"]));
        let _ = writeln!(text, "problem    {sentence}\n           {action}");
    }
    text
}

/// Some transactions, the newest first.
pub(crate) fn updates(told: &Value, now: Now) -> String {
    let mut rows = vec![row([
        "update", "ago", "cause", "changed", "told", "handled", "slowest", "",
    ])];
    for update in list(&told["updates"]) {
        let funnel = &update["funnel"];
        let flags: Vec<String> = list(&update["flags"]).map(string).collect();
        rows.push(vec![
            update["number"].to_string(),
            now.age(&update["told_at_ms"]),
            cause(update),
            tables(&update["tables"]),
            funnel["told"].to_string(),
            funnel["confirmed"].to_string(),
            span(&update["slowest_us"]),
            flags.join(" "),
        ]);
    }
    let searched = &told["searched"];
    match rows.len() {
        1 => format!("None of the {searched} updates that are remembered is one of these\n"),
        _ => table(&rows),
    }
}

/// One transaction and what became of it.
pub(crate) fn path(told: &Value) -> String {
    let update = &told["update"];
    let mut text = format!(
        "update {} · commit {} · {} · {}\n\n",
        update["number"],
        string(&update["lsn"]),
        string(&update["committed_at"]),
        match update["cause"].is_null() && update["writer"].is_null() {
            true => "it does not say what has made it".to_owned(),
            false => cause(update),
        }
    );
    let hops = list(&told["way"]).map(|hop| {
        vec![
            string(&hop["place"]),
            span(&hop["at_us"]),
            string(&hop["sentence"]),
        ]
    });
    text.push_str(&table(&hops.collect::<Vec<_>>()));
    text.push('\n');
    for change in list(&told["changes"]) {
        let columns = list(&change["columns"]).map(column);
        let columns: Vec<String> = columns.collect();
        let _ = writeln!(
            text,
            "{} {}  {}",
            string(&change["kind"]),
            string(&change["object"]),
            columns.join(", ")
        );
    }
    let mut rows = vec![row(["session", "state", "sent", "handled", "told of"])];
    for delivery in list(&told["deliveries"]) {
        let objects: Vec<String> = list(&delivery["objects"]).map(string).collect();
        rows.push(vec![
            string(&delivery["session"]),
            string(&delivery["state"]),
            span(&delivery["sent_us"]),
            span(&delivery["confirmed_us"]),
            objects.join(", "),
        ]);
    }
    if rows.len() > 1 {
        let _ = write!(text, "\n{}", table(&rows));
    }
    text
}

/// Some sessions.
pub(crate) fn sessions(told: &Value, now: Now) -> String {
    let mut rows = vec![row([
        "session", "state", "since", "viewer", "watches", "waits", "sent", "bytes",
    ])];
    rows.extend(list(&told["sessions"]).map(|it| session(it, now)));
    match rows.len() {
        1 => "There is no such session\n".to_owned(),
        _ => table(&rows),
    }
}

fn session(session: &Value, now: Now) -> Vec<String> {
    vec![
        string(&session["session"]),
        string(&session["state"]),
        now.age(&session["since_at_ms"]),
        string(&session["viewer"]),
        session["subscriptions"].to_string(),
        session["waiting"].to_string(),
        session["sent_updates"].to_string(),
        bytes(&session["sent_bytes"]),
    ]
}

/// One session and what it watches.
pub(crate) fn detail(told: &Value, now: Now) -> String {
    let heads = row([
        "session", "state", "since", "viewer", "watches", "waits", "sent", "bytes",
    ]);
    let mut text = table(&[heads, session(&told["session"], now)]);
    for read in list(&told["reads"]) {
        let _ = writeln!(text, "\n{}", string(&read["object"]));
        let dependencies = list(&read["dependencies"]).map(|it| {
            vec![
                format!("  {}", string(&it["words"])),
                string(&it["role"]),
                string(&it["tier"]),
            ]
        });
        text.push_str(&table(&dependencies.collect::<Vec<_>>()));
    }
    text
}

/// What sessions watch, by shape.
pub(crate) fn subscriptions(told: &Value) -> String {
    let mut rows = vec![row(["shape", "sessions", "dependencies", "role", "cost"])];
    for shape in list(&told["shapes"]) {
        rows.push(vec![
            string(&shape["shape"]),
            shape["sessions"].to_string(),
            shape["dependencies"].to_string(),
            string(&shape["role"]),
            string(&shape["cost"]),
        ]);
    }
    let mut text = table(&rows);
    if told["sessions"] != told["of"] {
        let _ = writeln!(
            text,
            "\ncounted in {} of {} sessions",
            told["sessions"], told["of"]
        );
    }
    text
}

/// The recordings that are kept, and the one that is being made.
pub(crate) fn recordings(told: &Value, now: Now) -> String {
    let mut text = String::new();
    let running = &told["running"];
    if !running.is_null() {
        let _ = writeln!(
            text,
            "{} has been made for {}, and holds {} updates\n",
            string(&running["name"]),
            now.age(&running["began_at_ms"]),
            running["updates"]
        );
    }
    let mut rows = vec![row(["recording", "age", "took", "size", "file"])];
    for kept in list(&told["recordings"]) {
        let at = |name: &str| kept[name].as_u64().unwrap_or_default();
        let took = at("ended_at_ms").saturating_sub(at("began_at_ms"));
        rows.push(vec![
            string(&kept["name"]),
            now.age(&kept["began_at_ms"]),
            span(&Value::from(took * 1_000)),
            bytes(&kept["bytes"]),
            string(&kept["file"]),
        ]);
    }
    text.push_str(&table(&rows));
    text
}

/// What another build would tell otherwise.
pub(crate) fn replayed(told: &Value) -> String {
    let mut text = format!("{}\n", string(&told["sentence"]));
    let mut rows = vec![row(["update", "session", "of", "was told", "would be"])];
    for one in list(&told["differences"]) {
        let telling = |name: &str| match (one[name].as_str(), one["was"] == one["would"]) {
            (None, _) => "nothing".to_owned(),
            (Some(kind), true) if name == "would" => {
                format!("{kind}, with other columns or values")
            }
            (Some(kind), _) => kind.to_owned(),
        };
        rows.push(vec![
            one["update"].to_string(),
            string(&one["session"]),
            string(&one["object"]),
            telling("was"),
            telling("would"),
        ]);
    }
    if rows.len() > 1 {
        let _ = write!(text, "\n{}", table(&rows));
    }
    for sentence in list(&told["not_compared"]) {
        let _ = writeln!(text, "  {}", string(sentence));
    }
    text
}

/// Why a session did, or did not, hear of a row.
pub(crate) fn why(told: &Value) -> String {
    let mut text = format!("{}\n", string(&told["sentence"]));
    for evidence in list(&told["evidence"]) {
        let _ = writeln!(text, "  {}", string(evidence));
    }
    if !told["update"].is_null() {
        let _ = writeln!(
            text,
            "  blazelink debug update {} shows its way",
            told["update"]
        );
    }
    text
}

/// What has made a transaction, as it says itself; else whose connection it was, if that is known.
fn cause(update: &Value) -> String {
    let cause = &update["cause"];
    if cause.is_null() {
        let writer = &update["writer"];
        return match (writer["application"].as_str(), &writer["role"]) {
            (None, _) => "-".to_owned(),
            (Some(""), role) => format!("a connection of {}", string(role)),
            (Some(application), role) => format!("{application}, as {}", string(role)),
        };
    }
    let mut text = string(&cause["operation"]);
    if let Some(session) = cause["session"].as_str() {
        let _ = write!(text, " of {session}");
    }
    if cause["verified"] == false {
        text.push_str(" (says it itself)");
    }
    text
}

fn tables(tables: &Value) -> String {
    let tables = list(tables).map(|table| {
        let counted = [("inserts", "+"), ("updates", "~"), ("deletes", "-")];
        let counted = counted.into_iter().filter(|(name, _)| table[name] != 0);
        let counted: Vec<String> = counted
            .map(|(name, sign)| format!("{sign}{}", table[name]))
            .collect();
        match table["whole"] == true {
            true => format!("{} whole", string(&table["table"])),
            false => format!("{} {}", string(&table["table"]), counted.join(" ")),
        }
    });
    tables.collect::<Vec<_>>().join(", ")
}

fn column(column: &Value) -> String {
    let name = string(&column["column"]);
    let value = |value: &Value| value.as_str().map_or("NULL".to_owned(), ToOwned::to_owned);
    match (column["masked"] == true, column["before"].is_null()) {
        (true, _) => name,
        (false, true) => format!("{name} = {}", value(&column["after"])),
        (false, false) => format!(
            "{name} {} → {}",
            value(&column["before"]),
            value(&column["after"])
        ),
    }
}

fn bars(counts: &Value) -> String {
    let counts: Vec<u64> = list(counts).filter_map(Value::as_u64).collect();
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let full = (BARS.len() - 1) as u64;
    let bar = |count: &u64| BARS[(count * full).div_ceil(most) as usize];
    counts.iter().map(bar).collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}

fn row<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(ToOwned::to_owned).to_vec()
}

/// Rows whose columns stand below each other.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn span(micros: &Value) -> String {
    match micros.as_u64() {
        None => "-".to_owned(),
        Some(micros @ 0..1_000) => format!("{micros} µs"),
        Some(micros @ 1_000..1_000_000) => format!("{:.1} ms", micros as f64 / 1e3),
        Some(micros) => format!("{:.1} s", micros as f64 / 1e6),
    }
}

impl Now {
    /// How long ago a moment is.
    fn age(self, at: &Value) -> String {
        match at.as_u64().map(|at| self.0.saturating_sub(at)) {
            None => "-".to_owned(),
            Some(millis @ 0..1_000) => format!("{millis} ms"),
            Some(millis @ 1_000..120_000) => format!("{} s", millis / 1_000),
            Some(millis) => format!("{} min", millis / 60_000),
        }
    }
}

fn bytes(bytes: &Value) -> String {
    match bytes.as_u64() {
        None => "-".to_owned(),
        Some(bytes @ 0..1_024) => format!("{bytes} B"),
        Some(bytes @ 1_024..1_048_576) => format!("{} kB", bytes >> 10),
        Some(bytes) => format!("{} MB", bytes >> 20),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [row(["a", "long name", "x"]), row(["longer", "b", "y"])];
        assert_eq!(table(&rows), "a       long name  x\nlonger  b          y\n");
    }

    #[test]
    fn the_highest_bar_is_full_and_the_lowest_is_seen() {
        assert_eq!(bars(&json!([0, 1, 800])), " ▁█");
        assert_eq!(bars(&json!([0, 0])), "  ");
    }

    #[test]
    fn who_has_written_what_says_nothing_is_told_if_it_is_known() {
        let by = |application: &str| {
            let writer = json!({"role": "alice", "application": application});
            cause(&json!({"cause": null, "writer": writer}))
        };
        assert_eq!(by("psql"), "psql, as alice");
        assert_eq!(by(""), "a connection of alice");
        assert_eq!(cause(&json!({"cause": null, "writer": null})), "-");
    }

    #[test]
    fn an_update_is_a_line() {
        let update = json!({
            "number": 7, "told_at_ms": 988, "flags": ["denied"], "slowest_us": 1_500,
            "cause": {"operation": "mutation createGame", "session": "s_00a", "verified": false},
            "tables": [{"table": "game", "inserts": 1, "updates": 0, "deletes": 2, "whole": false}],
            "funnel": {"told": 3, "confirmed": 2},
        });
        let text = updates(&json!({"updates": [update], "searched": 1}), Now(1_000));
        let line = text.lines().nth(1).unwrap_or_default();
        let words: Vec<&str> = line
            .split("  ")
            .map(str::trim)
            .filter(|it| !it.is_empty())
            .collect();
        let cause = "mutation createGame of s_00a (says it itself)";
        assert_eq!(
            words,
            [
                "7",
                "12 ms",
                cause,
                "game +1 -2",
                "3",
                "2",
                "1.5 ms",
                "denied"
            ]
        );
        let none = updates(&json!({"updates": [], "searched": 5}), Now(1_000));
        assert_eq!(
            none,
            "None of the 5 updates that are remembered is one of these\n"
        );
    }
}
