//! Every generator on the projects that `blazelink new` makes: what is planned, what the files look
//! like then, that rustfmt finds nothing in them, and what is refused. Nothing is compiled.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use blazelink_templates::project::{self, Template, Values};
use clap::Parser;
use insta::assert_snapshot;

use super::changes::{Change, Step};
use super::sources::Sources;
use super::{What, plan};

const STAMP: &str = "20261125_120000";

/// A project, as far as generators see it.
struct Desk {
    files: BTreeMap<String, String>,
    runs: usize,
}

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    what: What,
}

impl Desk {
    fn new(template: Template) -> Desk {
        let checkout = |folder: &str| format!("path = \"/checkout{folder}\"");
        let values = Values::new("my-game", checkout(""), checkout("/migrations"));
        let files = project::files(template, &values).unwrap();
        Desk {
            files: files.into_iter().map(|it| (it.path, it.text)).collect(),
            runs: 0,
        }
    }

    fn game() -> Desk {
        Desk::new(Template::Game)
    }

    fn sources(&self) -> Sources {
        Sources::of(self.files.clone(), Path::new("/app")).unwrap()
    }

    fn plan(&self, line: &str) -> blazelink_codes::Result<Vec<Change>> {
        let what = Line::try_parse_from(format!("generate {line}").split(' '))
            .unwrap_or_else(|error| panic!("{error}"))
            .what;
        let (date, time) = STAMP.split_once('_').unwrap();
        let time: usize = time.parse().unwrap();
        let stamp = format!("{date}_{}", time + self.runs);
        plan(&self.sources(), &what, &stamp).map(|(changes, _)| changes)
    }

    /// Runs a generator, and gives what it has done.
    fn run(&mut self, line: &str) -> Vec<Change> {
        let changes = self.plan(line).unwrap_or_else(|error| panic!("{error:#}"));
        for change in &changes {
            assert_ne!(change.step, Step::Conflict, "{line}:\n{}", change.diff());
            self.files.insert(change.path.clone(), change.after.clone());
        }
        self.runs += 1;
        changes
    }

    fn refused(&self, line: &str) -> String {
        format!("{:#}", self.plan(line).unwrap_err())
    }

    /// That rustfmt finds nothing in what is planned.
    fn check_format(&self, changes: &[Change]) {
        for change in changes.iter().filter(|it| it.path.ends_with(".rs")) {
            let mut rustfmt = Command::new("rustfmt")
                .args([
                    "--edition",
                    "2024",
                    "--check",
                    "--config",
                    "skip_children=true",
                ])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut input = rustfmt.stdin.take().unwrap();
            input.write_all(change.after.as_bytes()).unwrap();
            drop(input);
            let said = rustfmt.wait_with_output().unwrap();
            let told = String::from_utf8_lossy(&said.stdout);
            let errors = String::from_utf8_lossy(&said.stderr);
            assert!(
                said.status.success() && told.is_empty(),
                "{}:\n{told}{errors}\n{}",
                change.path,
                change.after
            );
        }
    }
}

/// What each file becomes: new ones whole, others as a difference.
fn shown(changes: &[Change]) -> String {
    let mut text = String::new();
    for change in changes {
        let what = change.what.join(", ");
        text.push_str(&format!(
            "== {} {} {what}\n",
            change.step.name(),
            change.path
        ));
        match change.step {
            Step::Create => text.push_str(&change.after),
            Step::Inject => text.push_str(&change.diff()),
            Step::Skip | Step::Conflict => {}
        }
    }
    text
}

const ENTITY: &str = "entity Match map:string! started_at:datetime team:ref:Team?";

#[test]
fn an_entity_has_relations_a_migration_and_a_test() {
    assert_snapshot!(shown(&Desk::game().run(ENTITY)));
}

#[test]
fn a_public_entity_has_every_kind_of_field_and_several_references_to_one() {
    let line = "entity Duel --public note:text rank:smallint points:int! seed:bigint^ odds:float! \
                share:double price:decimal! open:bool! at:datetime on:date! from_time:time code:uuid!^ \
                extra:json! raw:bytes home:ref:Team! away:ref:Team! first:ref:User!^ parent:ref:Duel";
    assert_snapshot!(shown(&Desk::game().run(line)));
}

#[test]
fn a_computed_field_makes_a_block_or_joins_the_one_there_is() {
    let mut desk = Desk::game();
    let mut all = desk.run("computed user kd double");
    all.extend(desk.run("computed team motto string?"));
    all.extend(desk.run("computed Team founded date"));
    assert_snapshot!(shown(&all));
}

#[test]
fn a_virtual_table_has_fields_over_a_row_or_over_none() {
    let mut desk = Desk::game();
    let mut all = desk.run("virtual Leaderboard");
    all.extend(desk.run("virtual TeamStats team:ref:Team games:int! best:decimal"));
    assert_snapshot!(shown(&all));
}

#[test]
fn a_migration_adds_columns_or_waits_for_sql() {
    let mut desk = Desk::game();
    let mut all = desk.run("migration add_rank_to_user rank:int nick:string^");
    all.extend(desk.run("migration DropOldEvents"));
    assert_snapshot!(shown(&all));
}

#[test]
fn a_policy_knows_whose_rows_are_and_what_is_public() {
    let mut desk = Desk::game();
    let mut all = Vec::new();
    for line in [
        "entity Note text:string! author:ref:User!",
        "entity Place name:string!",
    ] {
        desk.run(line);
    }
    all.extend(desk.run("policy note"));
    all.extend(desk.run("policy Place"));
    all.extend(desk.run("policy team"));
    assert_snapshot!(shown(&all));
}

#[test]
fn docker_has_an_image_and_a_service() {
    assert_snapshot!(shown(&Desk::game().run("docker")));
}

/// Lines that follow each other; each is run again at once.
const LINES: &[&str] = &[
    ENTITY,
    "entity Score points:int! fought:ref:Match! by:ref:User!",
    "computed match length int",
    "computed match title string",
    "computed score share double?",
    "virtual Board",
    "virtual MatchBoard about:ref:Match rounds:int!",
    "policy match",
    "policy score",
    "docker",
];

#[test]
fn what_is_there_already_is_skipped() {
    for template in Template::ALL {
        let mut desk = Desk::new(template);
        if template == Template::Blank {
            desk.run("entity User name:string!");
            desk.run("entity Team name:string!");
        }
        for line in LINES {
            desk.run(line);
            for change in desk.plan(line).unwrap() {
                assert_eq!(change.step, Step::Skip, "{line}: {}", change.diff());
            }
        }
        // Also after others have added to it.
        for line in LINES {
            for change in desk.plan(line).unwrap() {
                assert_eq!(change.step, Step::Skip, "{line}: {}", change.diff());
            }
        }
    }
}

#[test]
fn order_does_not_matter() {
    let lines = [
        "computed user kd double",
        "computed user rank int",
        "entity Pet owner:ref:User!",
    ];
    let made = |order: [usize; 3]| {
        let mut desk = Desk::game();
        for at in order {
            desk.run(lines[at]);
        }
        let names = ["fn kd(", "fn rank(", "pets: HasMany", "Pet"];
        let texts: Vec<&String> = desk.files.values().collect();
        names.map(|name| texts.iter().filter(|text| text.contains(name)).count())
    };
    let one = made([0, 1, 2]);
    assert!(one[..3].iter().all(|files| *files >= 1), "{one:?}");
    for order in [[2, 1, 0], [1, 0, 2], [0, 2, 1]] {
        assert_eq!(made(order), one);
    }
}

#[test]
fn rustfmt_finds_nothing_however_long_names_are() {
    for letters in [1, 2, 3, 5, 8, 10, 12, 14, 16, 18, 20, 22, 23, 24] {
        let name = |first: char| format!("{first}{}", "x".repeat(letters - 1));
        let (a, b, c, d) = (name('a'), name('b'), name('c'), name('d'));
        for public in ["", " --public"] {
            let mut desk = Desk::game();
            for line in [
                format!("entity {a}{public} {b}:string! {c}:datetime^ {d}:text"),
                format!(
                    "entity {b}{public} {a}:ref:{a}! {b}:ref:{b} {c}:ref:{a} {d}:ref:User!^ z:uuid^"
                ),
                format!("computed {a} x{} datetime?", &a[1..]),
                format!("computed {a} y{} decimal", &a[1..]),
                format!("computed {b} y{} json", &a[1..]),
                format!("virtual {c} {a}:ref:{a} {b}:datetime {d}:int!"),
                format!("virtual {d} {a}:string"),
                format!("policy {a}"),
                format!("policy {b}"),
                format!(
                    "migration add_{a}_to_{a} v{}:datetime^ w{}:int",
                    &a[1..],
                    &a[1..]
                ),
                format!("migration x{}", &a[1..]),
            ] {
                let changes = desk.run(&line);
                desk.check_format(&changes);
            }
        }
    }
}

#[test]
fn what_somebody_has_edited_is_a_conflict_with_a_difference() {
    let mut desk = Desk::game();
    desk.run(ENTITY);
    let path = "src/entities/match_.rs";
    let generated = desk.files[path].clone();
    let otherwise = desk.plan("entity Match map:string!").unwrap();
    let conflict = otherwise.iter().find(|it| it.path == path).unwrap();
    assert_eq!(conflict.step, Step::Conflict);
    assert!(
        conflict.diff().contains("-    pub team_id"),
        "{}",
        conflict.diff()
    );
    let told = super::refuse_conflicts(&otherwise).unwrap_err();
    assert!(told.hint().unwrap().contains("--undo"), "{told:#}");

    let edited = generated.replace("pub map: String", "pub place: String");
    desk.files.insert(path.to_owned(), edited);
    let again = desk.plan(ENTITY).unwrap();
    let told = super::refuse_conflicts(&again).unwrap_err();
    assert!(told.sentence().contains("is yours"), "{told:#}");
}

#[test]
fn edits_stay_where_something_is_added() {
    let mut desk = Desk::game();
    let path = "src/entities/team.rs";
    let mine = desk.files[path].replace(
        "#[sea_orm(has_many)]",
        "// é: mine\n    #[sea_orm(has_many)]",
    );
    desk.files.insert(path.to_owned(), mine.clone());
    desk.run(ENTITY);
    let kept: Vec<&str> = desk.files[path]
        .lines()
        .filter(|line| mine.lines().any(|it| it == *line))
        .collect();
    assert!(mine.lines().all(|line| kept.contains(&line)));
    // A block in another file than usual gets the field too.
    let block = desk.files.remove("src/tables/user.rs").unwrap();
    desk.files.insert("src/tables/players.rs".to_owned(), block);
    let changes = desk.run("computed user kd double");
    assert!(changes.iter().any(|it| it.path == "src/tables/players.rs"));
}

#[test]
fn what_cannot_be_is_refused_with_what_can() {
    let mut desk = Desk::game();
    desk.run("virtual Board");
    let told: Vec<String> = [
        "entity Match",
        "entity Match map:strng",
        "entity Match type:string",
        "entity Score match:ref:Team",
        "entity Match a:int a:int",
        "entity Match team:ref:Taem",
        "entity Query a:int",
        "entity Model a:int",
        "entity 1st a:int",
        "entity Board a:int",
        "virtual User",
        "virtual Rival",
        "virtual Both a:ref:User b:ref:Team",
        "computed usr kd double",
        "computed user kd",
        "computed user kd -",
        "computed user name string",
        "computed user raw bytes",
        "migration add_rank rank:int",
        "migration add_rank_to_user rank:int!",
        "migration add_team_to_user team:ref:Team",
        "migration game",
        "migration ../x",
        "policy nobody",
        "policy game_event",
    ]
    .iter()
    .map(
        |line| match Line::try_parse_from(format!("generate {line}").split(' ')) {
            Ok(_) => format!("$ generate {line}\n{}\n", desk.refused(line)),
            Err(error) => format!("$ generate {line}\n{error}\n"),
        },
    )
    .collect();
    assert_snapshot!(told.join("\n"));
}

#[test]
fn a_file_that_is_no_rust_is_named_and_nothing_is_planned() {
    let mut desk = Desk::game();
    desk.files
        .insert("src/entities/mod.rs".into(), "pub mod {".into());
    let told = desk.refused(ENTITY);
    assert!(told.contains("src/entities/mod.rs"), "{told}");
    desk.files.remove("src/entities/mod.rs");
    let told = desk.refused(ENTITY);
    assert!(told.contains("it is not there"), "{told}");
}
