//! The rules that hold for every file of the repository and that no compiler checks.
//!
//! `LAYERS` is the table of the framework's modules: whoever adds a file there says which layer it
//! is of. Everything else is one test per rule. A test that fails names file, line and rule.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Where the framework's modules lie.
const FRAMEWORK: &str = "blazelink-framework/src/";

/// What is not ours, or made from what is.
const SKIPPED: &[&str] = &["target", "node_modules", "dist"];

const LONGEST_FILE: usize = 700;

/// A module may use those of its own layer and of the layers above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    /// Data, parsing, printing.
    Words,
    /// Plain structs: time, limits and ids arrive as arguments; no async, no I/O.
    Decisions,
    /// What several tasks share, and the locks around it.
    SharedState,
    /// Each translates one library or one socket.
    Edges,
    /// Who starts whom.
    Wiring,
}

/// A module's row holds for the modules inside of it that have none of their own.
const LAYERS: &[(Layer, &[&str])] = &[
    (
        Layer::Words,
        &[
            "change",
            "embedded",
            "error",
            "exposure",
            "object_id",
            "session/peer",
            "subscription/dependency",
            "subscription/residual",
            "value",
            "viewer",
        ],
    ),
    (
        Layer::Decisions,
        &[
            "capture",
            "cause",
            "context",
            "debugger",
            "health/lag",
            "health/readiness",
            "meters",
            "monitor",
            "replication/backoff",
            "replication/binding",
            "replication/decoder",
            "replication/following",
            "replication/pending",
            "replication/pgoutput",
            "session/admission",
            "session/id",
            "session/mischief",
            "session/outbox",
            "session/update",
            "subscription/concerned",
            "subscription/declared",
            "subscription/event",
            "subscription/graph",
            "subscription/index",
            "subscription/judge",
            "subscription/ledger",
            "subscription/points",
            "subscription/pool",
            "subscription/portable",
            "subscription/residuals",
            "table",
            "visibility",
            "transport/journal/record",
            "transport/allowance",
            "transport/doors",
        ],
    ),
    (
        Layer::SharedState,
        &[
            "capture/statements",
            "debugger/recorder",
            "debugger/recording/replay",
            "monitor/hub",
            "session/connections",
            "session/state",
            "subscription/judging",
            "subscription/manager",
            "subscription/monitored",
            "subscription/publish",
            "subscription/rehearsal",
            "subscription/rules",
            "subscription/session_watch",
            "subscription/viewers",
        ],
    ),
    (
        Layer::Edges,
        &[
            "auth",
            "bus",
            "capture/connection",
            "capture/facts",
            "config",
            "data",
            "debugger/api",
            "debugger/explorer",
            "debugger/gate",
            "debugger/grid",
            "debugger/inquiry",
            "debugger/inspector",
            "debugger/looker",
            "debugger/mischief_api",
            "debugger/operator_api",
            "debugger/pages",
            "debugger/recording/shelf",
            "debugger/recordings",
            "debugger/recordings_api",
            "debugger/replication",
            "debugger/service",
            "debugger/site",
            "debugger/unnamed",
            "debugger/watch",
            "dev",
            "files",
            "graphql",
            "health",
            "meters/no_scrape",
            "meters/scrape",
            "observed",
            "pages",
            "pools",
            "request_cause",
            "replication/cancel",
            "replication/connection",
            "replication/gate",
            "replication/ordinary",
            // Its `judge` decides, but on words of the edges beside it.
            "replication/preflight",
            // Decides as well; its reading end waits.
            "replication/queue",
            "replication/reader",
            "replication/server_error",
            "replication/slot",
            "replication/stream",
            "replication/tls",
            "replication/url",
            "replication/wire",
            "spans",
            "transport",
        ],
    ),
    (
        Layer::Wiring,
        &[
            "app",
            "builder",
            "doctor",
            "replication/signaler",
            "routes",
            "run",
            "state_folder",
            "test",
        ],
    ),
];

/// What a decision may not do.
const EFFECTS: &[&str] = &["async fn", "tokio::", "std::net", "std::fs"];

#[test]
fn modules_use_only_their_own_layer_and_those_above() {
    let modules = Modules::of(&framework());
    let mut broken = String::new();
    for (name, module) in &modules.0 {
        // A facade holds nothing but names of its children.
        let Some(layer) = layer(name) else { continue };
        for (line, path) in &module.uses {
            let Some(used) = modules.resolve(name, path) else {
                continue;
            };
            match self::layer(&used) {
                Some(other) if other > layer => broken.push_str(&format!(
                    "{}:{line}: `{}` is of the {other:?}: a file of the {layer:?} uses only its \
                     own layer and those above it\n",
                    module.file,
                    path.join("::"),
                )),
                _ => {}
            }
        }
    }
    assert!(broken.is_empty(), "\n{broken}");
}

#[test]
fn every_module_has_a_layer_and_every_layer_its_modules() {
    let modules = Modules::of(&framework());
    for (name, module) in &modules.0 {
        assert!(
            layer(name).is_some() || module.is_facade,
            "{}: say in LAYERS which layer it is of",
            module.file
        );
    }
    for row in LAYERS.iter().flat_map(|(_, rows)| *rows) {
        assert!(modules.0.contains_key(*row), "LAYERS: there is no `{row}`");
    }
}

#[test]
fn decisions_have_no_effects() {
    let mut broken = String::new();
    for (name, module) in &Modules::of(&framework()).0 {
        if layer(name) != Some(Layer::Decisions) {
            continue;
        }
        for (line, text) in numbered(&module.code) {
            for effect in EFFECTS.iter().filter(|effect| text.contains(**effect)) {
                let _ = writeln!(
                    broken,
                    "{}:{line}: `{effect}`: decisions are neither async nor touch anything \
                     outside of themselves",
                    module.file
                );
            }
        }
    }
    assert!(broken.is_empty(), "\n{broken}");
}

/// Rooms in which nothing reads the database by itself: rows come to them through `data`, which
/// narrows what it reads to what somebody sees.
const WITHOUT_SQL: &[&str] = &[
    "auth",
    "graphql",
    "monitor",
    "session",
    "subscription",
    "table",
    "transport",
    "visibility",
];

#[test]
fn who_answers_or_tells_runs_no_statement_of_its_own() {
    let mut broken = String::new();
    for (name, module) in &Modules::of(&framework()).0 {
        let room = name.split('/').next().unwrap_or(name);
        if !WITHOUT_SQL.contains(&room) {
            continue;
        }
        for (line, text) in numbered(&module.code) {
            let runs = ["_raw(", "execute_unprepared("];
            if runs.iter().any(|call| text.contains(call)) {
                let _ = writeln!(
                    broken,
                    "{}:{line}: a statement is run past the policies: read through `data`",
                    module.file
                );
            }
        }
    }
    assert!(broken.is_empty(), "\n{broken}");
}

#[test]
fn rules_find_what_breaks_them() {
    let file = |name: &str, text: &str| (format!("{FRAMEWORK}{name}"), text.to_owned());
    let modules = Modules::of(&[
        file(
            "table/mod.rs",
            "mod entity;\npub use entity::{Path, Table as Entity};\n",
        ),
        file("table/entity.rs", "//! crate::run\nfn f() {}\n"),
        file(
            "change.rs",
            "use crate::{\n    table::{Entity, Path as P},\n};\n#[cfg(test)]\nmod tests {\n    \
             use crate::run::X;\n}\n#[cfg(test)]\npub(crate) mod model;\nfn f() { crate::table::g::<u8>() }\n",
        ),
        file("change/model.rs", "use crate::run::X;\n"),
    ]);
    let change = &modules.0["change"];
    let used: Vec<(usize, Option<String>)> = change
        .uses
        .iter()
        .map(|(line, path)| (*line, modules.resolve("change", path)))
        .collect();
    let entity = Some("table/entity".to_owned());
    let table = Some("table".to_owned());
    assert_eq!(used, [(1, entity.clone()), (1, entity), (10, table)]);
    assert!(
        modules.0["table/entity"].uses.is_empty(),
        "a comment uses nothing"
    );
    assert!(!modules.0.contains_key("change/model"), "it is a test's");
    assert!(layer("table/entity") > layer("change"));
}

#[test]
fn no_source_file_is_too_long() {
    for (name, text) in sources(&["rs", "ts", "tsx"]) {
        let lines = text.lines().count();
        assert!(
            lines <= LONGEST_FILE,
            "{name} has {lines} lines, more than {LONGEST_FILE}: give part of it a file of its own"
        );
    }
}

#[test]
fn every_rust_file_says_what_it_is() {
    for (name, text) in sources(&["rs"]) {
        assert!(
            text.starts_with("//! "),
            "{name}:1: begin with `//! ` and what the file is"
        );
    }
}

#[test]
fn nothing_is_left_undone_or_switched_off() {
    // In two halves each, so that this file does not hold what it looks for.
    let words = [
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("db", "g!("),
        concat!("#[ig", "nore"),
    ];
    for (name, text) in sources(&["rs"]) {
        for (line, text) in numbered(&text) {
            let found = words.iter().find(|word| text.contains(**word));
            assert_eq!(found, None, "{name}:{line}: not to be committed");
        }
    }
}

#[test]
fn every_crate_has_the_lints_of_the_workspace() {
    let manifests = sources(&["toml"]).into_iter();
    let manifests: Vec<_> = manifests
        .filter(|(name, text)| name.ends_with("/Cargo.toml") && text.contains("[package]"))
        .collect();
    assert!(manifests.len() > 5, "the manifests are found");
    for (name, text) in manifests {
        let mut lines = text.lines().skip_while(|line| line.trim() != "[lints]");
        let setting = lines.nth(1).map(str::trim);
        assert_eq!(
            setting,
            Some("workspace = true"),
            "{name}: it needs `[lints]` and `workspace = true` below it"
        );
    }
}

/// The layer of a module; none of a facade's.
fn layer(module: &str) -> Option<Layer> {
    let inside = |row: &str| {
        let rest = module.strip_prefix(row);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let rows = LAYERS
        .iter()
        .flat_map(|(layer, rows)| rows.iter().map(move |row| (layer, *row)));
    rows.filter(|(_, row)| inside(row))
        .max_by_key(|(_, row)| row.len())
        .map(|(layer, _)| *layer)
}

/// A path such as `["crate", "change", "Row"]`.
type Names = Vec<String>;

/// What a file of the framework holds, tests and comments left out.
struct Module {
    file: String,
    is_facade: bool,
    code: String,
    /// Every path that begins with `crate` or `super`, and the line it stands in.
    uses: Vec<(usize, Names)>,
    /// The name of each re-export, and the path that it stands for.
    exports: BTreeMap<String, Names>,
}

/// The framework's modules by path, such as `replication/decoder`; the crate's root has none.
struct Modules(BTreeMap<String, Module>);

impl Modules {
    fn of(files: &[(String, String)]) -> Modules {
        let mut modules = BTreeMap::new();
        let mut of_tests = BTreeSet::new();
        for (file, text) in files {
            let path = &file[FRAMEWORK.len()..file.len() - ".rs".len()];
            let is_facade = path == "lib" || path.ends_with("/mod");
            let name = path.trim_end_matches("/mod");
            let name = if path == "lib" { "" } else { name };
            let code = code(text, |test| {
                of_tests.insert(join(name, test));
            });
            let module = Module {
                file: file.clone(),
                is_facade,
                uses: uses(&code),
                exports: exports(&code),
                code,
            };
            modules.insert(name.to_owned(), module);
        }
        modules.retain(|name, _| !of_tests.contains(name));
        Modules(modules)
    }

    /// The module that a path used in `from` leads to, through the facades' re-exports. None if
    /// it leads out of the crate.
    fn resolve(&self, from: &str, path: &[String]) -> Option<String> {
        let mut at = from.to_owned();
        for name in path {
            let inner = join(&at, name);
            if name == "crate" {
                at.clear();
            } else if name == "super" {
                at.truncate(at.rfind('/').unwrap_or(0));
            } else if self.0.contains_key(&inner) {
                at = inner;
            } else if let Some(export) = self.0.get(&at).and_then(|it| it.exports.get(name)) {
                return self.resolve(&at, export);
            } else {
                break;
            }
        }
        (!at.is_empty()).then_some(at)
    }
}

fn join(module: &str, name: &str) -> String {
    if module.is_empty() {
        name.to_owned()
    } else {
        format!("{module}/{name}")
    }
}

/// The text with its lines, but without comments and without what is compiled for tests only;
/// modules in files of their own that are for tests only are told to `test`. Relies on rustfmt: an
/// item ends with the brace at its own depth.
fn code(text: &str, mut test: impl FnMut(&str)) -> String {
    let mut code = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "#[cfg(test)]" {
            let depth = line.len() - line.trim_start().len();
            code.push('\n');
            for line in lines.by_ref() {
                code.push('\n');
                let item = line.trim();
                let private = item.strip_prefix("pub(crate) ").unwrap_or(item);
                if let Some(name) = private
                    .strip_prefix("mod ")
                    .and_then(|it| it.strip_suffix(';'))
                {
                    test(name);
                }
                let inner = line.len() - line.trim_start().len() > depth;
                if !inner && (item.ends_with(';') || item.ends_with('}')) {
                    break;
                }
            }
        } else {
            if !line.trim_start().starts_with("//") {
                code.push_str(line);
            }
            code.push('\n');
        }
    }
    code
}

fn uses(code: &str) -> Vec<(usize, Names)> {
    let mut uses = Vec::new();
    for (at, _) in code.match_indices("::") {
        let before = &code[..at];
        let start = before
            .trim_end_matches(['_', ':'])
            .trim_end_matches(char::is_alphanumeric);
        if !matches!(&before[start.len()..], "crate" | "super") {
            continue;
        }
        let line = before.matches('\n').count() + 1;
        let mut paths = Vec::new();
        tree(&code[start.len()..], &[], &mut paths);
        uses.extend(paths.into_iter().map(|(_, path)| (line, path)));
    }
    uses
}

fn exports(code: &str) -> BTreeMap<String, Names> {
    let mut exports = Vec::new();
    for (at, _) in code.match_indices("pub") {
        let visibility = code[at..].split(" use ").next().unwrap_or_default();
        if matches!(visibility, "pub" | "pub(crate)" | "pub(super)") {
            let after = at + visibility.len() + " use ".len();
            tree(&code[after..], &[], &mut exports);
        }
    }
    exports.into_iter().collect()
}

/// Reads a path, or a tree of paths in braces, and gives each one with the name it gets. Returns
/// what comes after it.
fn tree<'a>(text: &'a str, before: &[String], paths: &mut Vec<(String, Names)>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start_matches([',', ' ', '\n']);
            match rest.strip_prefix('}') {
                Some(rest) => return rest,
                None if rest.is_empty() => return rest,
                None => rest = tree(rest, before, paths),
            }
        }
    }
    let name = text
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
        .unwrap_or_default();
    let rest = &text[name.len()..];
    let mut path = before.to_vec();
    if name.is_empty() || name == "self" {
        // A glob, a generic argument, or the module itself.
        let name = path.last().cloned().unwrap_or_default();
        paths.push((name, path));
        return rest.trim_start_matches(|c| !matches!(c, ',' | '}' | ';'));
    }
    path.push(name.to_owned());
    if let Some(rest) = rest.strip_prefix("::") {
        return tree(rest, &path, paths);
    }
    let (name, rest) = match rest.strip_prefix(" as ") {
        None => (name, rest),
        Some(rest) => {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            rest.split_at(end.unwrap_or(rest.len()))
        }
    };
    paths.push((name.to_owned(), path));
    rest
}

fn framework() -> Vec<(String, String)> {
    let files = sources(&["rs"]).into_iter();
    let files: Vec<_> = files
        .filter(|(name, _)| name.starts_with(FRAMEWORK))
        .collect();
    assert!(files.len() > 50, "the framework's files are found");
    files
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(at, line)| (at + 1, line))
}

/// Every file of ours with one of these extensions: its path from the repository's root, and its
/// text.
fn sources(extensions: &[&str]) -> Vec<(String, String)> {
    let mut files = Vec::new();
    walk(Path::new(ROOT), "", extensions, &mut files);
    files.sort();
    files
}

fn walk(folder: &Path, name: &str, extensions: &[&str], files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let file = entry.file_name().into_string().unwrap();
        let path = join(name, &file);
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && !file.starts_with('.') && !SKIPPED.contains(&&*file) {
            walk(&entry.path(), &path, extensions, files);
        }
        let extension = file.rsplit_once('.').map(|(_, extension)| extension);
        if kind.is_file() && extension.is_some_and(|it| extensions.contains(&it)) {
            files.push((path, fs::read_to_string(entry.path()).unwrap()));
        }
    }
}
