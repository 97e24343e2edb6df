//! What saves lead to, and what is answered meanwhile.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use super::*;

const APP: &str = include_str!("app.rs");

/// The app that answers `answer`.
fn answering(answer: &str) -> String {
    let changed = APP.replace("= \"one\"", &format!("= {answer:?}"));
    assert_ne!(changed, APP);
    changed
}

/// What is answered to a browser that asks for this.
fn get(port: u16, head: &str) -> String {
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    write!(client, "GET {head}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    let _ = client.read_to_string(&mut answer);
    answer
}

fn page(port: u16) -> String {
    get(port, "/ HTTP/1.1\r\nhost: localhost\r\naccept: text/html")
}

fn quit(dev: Dev) -> String {
    dev.signal(Signal::INT);
    let (status, said) = dev.wait();
    assert_eq!(status.code(), Some(0), "{said}");
    said
}

#[test]
fn a_save_replaces_the_app_and_an_error_does_not() {
    let project = project();
    let mut dev = Dev::start(project.path(), free_port());
    assert!(dev.visit().1.ends_with("one\n"));

    dev.save("src/main.rs", "fn main() { nonsense }");
    let said = dev.until("the running app goes on");
    assert!(said.contains("save       src/main.rs"), "{said}");
    assert!(said.contains("cannot find value `nonsense`"), "{said}");
    assert!(dev.visit().1.ends_with("one\n"));

    dev.save("src/main.rs", &answering("two"));
    dev.until("the new app answers");
    dev.until_answered("two");
    // What is no source leads to nothing, and the app may write it.
    let steps = fs::read_to_string(project.path().join("steps")).unwrap();
    assert_eq!(steps, "migrate up\nseed\nserve\nserve\n");
    let told = fs::read_to_string(project.path().join("told")).unwrap();
    assert!(
        told.contains("cannot find value"),
        "pages were told: {told}"
    );
    quit(dev);
}

#[test]
fn an_app_that_does_not_start_is_told_and_the_old_one_goes_on() {
    let project = project();
    let mut dev = Dev::start(project.path(), free_port());
    dev.save("crash", "");
    dev.save("Blazelink.toml", "# again\n");
    let said = dev.until("the running app goes on");
    assert!(said.contains("the app's own words"), "{said}");
    assert!(said.contains("exit status 3"), "{said}");
    assert!(dev.visit().1.ends_with("one\n"));
    fs::remove_file(project.path().join("crash")).unwrap();
    dev.save("Blazelink.toml", "# and again\n");
    dev.until("the new app answers");
    quit(dev);
}

#[test]
fn a_migration_that_fails_is_told_and_the_next_save_tries_again() {
    let project = project();
    let mut dev = Dev::start(project.path(), free_port());
    let migration = "migration/src/main.rs";
    let whole = fs::read_to_string(project.path().join(migration)).unwrap();
    dev.save(
        migration,
        "fn main() { eprintln!(\"column is missing\"); std::process::exit(1) }",
    );
    let said = dev.until("the running app goes on");
    assert!(said.contains("column is missing"), "{said}");
    assert!(dev.visit().1.ends_with("one\n"));
    dev.save(migration, &format!("{whole}\n"));
    let said = dev.until("the new app answers");
    assert!(said.contains("migrate"), "{said}");
    quit(dev);
}

#[test]
fn while_no_app_runs_the_tool_answers_with_what_is_wrong() {
    let project = project();
    fs::write(project.path().join("src/main.rs"), "fn main() { nonsense }").unwrap();
    let port = free_port();
    let mut dev = Dev::begin(
        tool(&["--port", &port.to_string()], project.path()),
        project.path(),
    );
    dev.until("fake-app");
    let early = page(port);
    assert!(early.starts_with("HTTP/1.1 503"), "{early}");
    assert!(early.contains("EventSource"), "{early}");
    dev.until("save to try again");
    let broken = page(port);
    assert!(broken.contains("cannot find value `nonsense`"), "{broken}");
    let other = get(port, "/graphql/ HTTP/1.1\r\nhost: localhost");
    assert!(
        other.contains("503") && other.contains("does not run yet"),
        "{other}"
    );
    let stranger = get(
        port,
        "/ HTTP/1.1\r\nhost: evil.example\r\naccept: text/html",
    );
    assert!(stranger.starts_with("HTTP/1.1 421"), "{stranger}");

    dev.save("src/main.rs", APP);
    dev.until("Ctrl-C stops");
    assert!(dev.visit().1.ends_with("one\n"));
    // One that ends by itself is stood in for again.
    dev.save(
        "src/main.rs",
        "fn main() { if std::env::args().nth(1).unwrap() == \"serve\" { panic!(\"my words\") } }",
    );
    dev.until("the running app goes on");
    quit(dev);
}

#[test]
fn the_second_in_a_project_is_told_where_the_first_is() {
    let project = project();
    let port = free_port();
    let dev = Dev::start(project.path(), port);
    let (told, _) = failed(&mut tool(&[], project.path()));
    assert!(told.contains("BLZ7024"), "{told}");
    assert!(told.contains(&format!("http://127.0.0.1:{port}")), "{told}");
    assert!(dev.visit().1.ends_with("one\n"));
    quit(dev);
    assert!(!project.path().join(".blazelink/run.json").exists());
}

#[test]
fn once_ends_well_after_the_first_start_and_json_tells_it() {
    let project = project();
    let port = free_port().to_string();
    let mut command = tool(&["--once", "--json", "--port", &port], project.path());
    let output = command.output().unwrap();
    let events = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{events}");
    let events: Vec<serde_json::Value> = events
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let ready = events.iter().find(|event| event["event"] == "ready");
    assert_eq!(ready.unwrap()["url"], format!("http://127.0.0.1:{port}"));
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port.parse().unwrap())).is_err());
}

#[test]
fn until_success_waits_for_saves_and_then_ends_well() {
    let project = project();
    fs::write(project.path().join("src/main.rs"), "fn main() { nonsense }").unwrap();
    let port = free_port().to_string();
    let command = tool(&["--until-success", "--port", &port], project.path());
    let mut dev = Dev::begin(command, project.path());
    dev.until("save to try again");
    dev.save("src/main.rs", APP);
    let (status, said) = dev.wait();
    assert_eq!(status.code(), Some(0), "{said}");
}

#[test]
fn ctrl_c_while_it_builds_leaves_nothing_behind_and_a_moved_project_starts() {
    let project = project();
    let main = format!(
        "{APP}\nconst _: () = {{ let mut n = 0_u64; while n < 300_000_000 {{ n += 1; }} }};\n"
    );
    fs::write(
        project.path().join("src/main.rs"),
        format!("#![allow(long_running_const_eval)]\n{main}"),
    )
    .unwrap();
    let port = free_port();
    let mut dev = Dev::begin(
        tool(&["--port", &port.to_string()], project.path()),
        project.path(),
    );
    dev.until("postgres");
    let postgres = dev.postgres().unwrap();
    quit(dev);
    assert!(!lives(postgres));
    let state = project.path().join(".blazelink");
    assert!(!state.join("run.json").exists());

    fs::write(project.path().join("src/main.rs"), APP).unwrap();
    let moved = project.path().with_extension("moved");
    fs::rename(project.path(), &moved).unwrap();
    let dev = Dev::start(&moved, port);
    assert!(dev.visit().1.ends_with("one\n"));
    quit(dev);
    fs::remove_dir_all(moved).unwrap();
}

/// A program that tells that it runs, and goes on until it is ended.
fn endless(listener: &TcpListener) -> String {
    let port = listener.local_addr().unwrap().port();
    format!(
        "use std::io::Read;
fn main() {{
    if std::env::args().nth(1).as_deref() == Some(\"ddl\") {{
        return;
    }}
    let mut stream = std::net::TcpStream::connect((\"127.0.0.1\", {port})).unwrap();
    let _ = stream.read(&mut [0]);
}}
"
    )
}

#[test]
fn ctrl_c_while_it_migrates_or_seeds_ends_that_and_postgres_and_the_next_start_does_it() {
    let migration = fs::read_to_string(project().path().join("migration/src/main.rs")).unwrap();
    for (file, before) in [
        ("migration/src/main.rs", migration.as_str()),
        ("src/main.rs", APP),
    ] {
        let project = project();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let file = project.path().join(file);
        fs::write(&file, endless(&listener)).unwrap();
        let port = free_port();
        let dev = Dev::begin(
            tool(&["--port", &port.to_string()], project.path()),
            project.path(),
        );
        let (mut step, _) = listener.accept().unwrap();
        let postgres = dev.postgres().unwrap();
        quit(dev);
        assert_eq!(step.read(&mut [0]).unwrap_or(0), 0, "the step has ended");
        assert!(!lives(postgres));
        assert!(!project.path().join(".blazelink/run.json").exists());

        fs::write(&file, before).unwrap();
        let dev = Dev::start(project.path(), port);
        let steps = fs::read_to_string(project.path().join("steps")).unwrap();
        assert!(steps.ends_with("migrate up\nseed\nserve\n"), "{steps}");
        quit(dev);
    }
}

#[test]
fn a_folder_that_another_machine_writes_to_is_looked_at() {
    let project = project();
    let port = free_port();
    let command = tool(&["--poll", "--port", &port.to_string()], project.path());
    let mut dev = Dev::start_as(command, project.path());
    dev.save("src/main.rs", &answering("two"));
    dev.until("the new app answers");
    dev.until_answered("two");
    quit(dev);
}

#[test]
fn a_server_for_every_machine_needs_a_name() {
    let project = project();
    let mut command = tool(&["--host", "0.0.0.0"], project.path());
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("--allow-host"), "{told}");
}

/// What the tool says itself, without what differs between runs and machines.
fn readable(said: &str) -> String {
    let ours = |line: &&str| {
        let text = line.strip_prefix("  ").unwrap_or_default();
        line.is_empty() || text.starts_with(|letter: char| letter.is_ascii_alphabetic())
    };
    let lines = said.lines().filter(ours).filter(|line| {
        let first = line.split_whitespace().next().unwrap_or_default();
        // Whether a cluster has to be made, and whether there is a `psql`.
        !matches!(first, "psql" | "database" | "Making")
    });
    let mut text = String::new();
    for line in lines {
        let mut number = false;
        let (line, key) = line.split_once("#key=").unwrap_or((line, ""));
        for letter in line.trim_end().chars() {
            let goes_on = number && (letter.is_ascii_digit() || letter == '.');
            number = letter.is_ascii_digit() || goes_on;
            if number && !goes_on {
                text.push('N');
            } else if !number {
                text.push(letter);
            }
        }
        if !key.is_empty() {
            text.push_str("#key=KEY");
        }
        text.push('\n');
    }
    // A time that is longer takes the place of a blank before it.
    while text.contains("  N s") {
        text = text.replace("  N s", " N s");
    }
    text
}

#[test]
fn a_day_reads_so() {
    let project = project();
    let mut dev = Dev::start(project.path(), free_port());
    dev.save("src/main.rs", "fn main() { nonsense }");
    dev.until("the running app goes on");
    dev.save("src/main.rs", &answering("two"));
    dev.until("the new app answers");
    let said = quit(dev);
    insta::assert_snapshot!(readable(&said), @r"

  fake-app · blazelink N · dev

  postgres   N, private N s
  build      done N s
  migrate    done N s
  seed       done N s

  app        http://N:N
  graphql    http://N:N/graphql/
  debugger   http://N:N/#key=KEY

  Ctrl-C stops the app and its Postgres

  save       src/main.rs
  build      N error N s
  waiting    the running app goes on; save to try again
  save       src/main.rs
  build      done N s
  swap       the new app answers N s
  Stopping; Ctrl-C again does not wait for the app
");
}

/// An answer of a page of this origin, to the tool itself.
fn answer(port: u16, origin: &str, choice: &str) -> String {
    let body = format!(r#"{{"id":1,"choice":"{choice}"}}"#);
    let mut page = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    write!(
        page,
        "POST /blazelink/dev/answer HTTP/1.1\r\nhost: localhost:{port}\r\norigin: {origin}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut told = String::new();
    let _ = page.read_to_string(&mut told);
    told
}

#[test]
fn what_entities_say_and_the_database_has_not_is_asked_on_the_page_and_done() {
    let project = project();
    let hat = r#"{"schema":null,"table":"hat","scratch":"blazelink entities","types":[],"create":"CREATE TABLE \"blazelink entities\".hat (id integer PRIMARY KEY)","indexes":[],"references":[],"renamed":[]}"#;
    fs::write(project.path().join("ddl.jsonl"), hat).unwrap();
    let port = free_port();
    let command = tool(&["--port", &port.to_string()], project.path());
    let mut dev = Dev::begin(command, project.path());
    let asked = dev.until("[i]gnore");
    assert!(asked.contains("CREATE TABLE \"hat\" ("), "{asked}");
    let shown = page(port);
    assert!(shown.contains("\"phase\":\"asking\""), "{shown}");

    let refused = answer(port, "http://evil.example", "sync");
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    let taken = answer(port, &format!("http://localhost:{port}"), "sync");
    assert!(taken.starts_with("HTTP/1.1 202"), "{taken}");
    let said = dev.until("Ctrl-C stops");
    assert!(said.contains("answer     sync"), "{said}");
    // Entities and database agree now: nothing is asked again.
    dev.save("src/main.rs", &answering("two"));
    let said = dev.until("the new app answers");
    assert!(!said.contains("differs"), "{said}");
    quit(dev);
}
