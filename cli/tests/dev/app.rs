//! A small app that keeps the contract of `blazelink dev`.
use std::io::{Read, Write};
use std::time::Duration;
use std::{env, fs, process::exit, thread};

/// What this build answers; tests write another one in its place.
const ANSWER: &str = "one";

fn main() {
    let verb = env::args().nth(1).unwrap();
    if verb == "ddl" {
        return print!("{}", fs::read_to_string("ddl.jsonl").unwrap_or_default());
    }
    let mut steps = fs::OpenOptions::new().create(true).append(true).open("steps").unwrap();
    writeln!(steps, "{verb}").unwrap();
    match verb.as_str() {
        "seed" => {}
        "serve" if fs::exists("crash").unwrap() => {
            eprintln!("the app's own words");
            exit(3);
        }
        "serve" => serve(),
        _ => exit(2),
    }
}

fn serve() {
    assert_eq!(env::var("BLAZELINK_PARENT_PIPE").as_deref(), Ok("1"));
    let socket = listenfd::ListenFd::from_env().take_tcp_listener(0).unwrap().unwrap();
    thread::spawn(|| {
        let mut told = fs::OpenOptions::new().create(true).append(true).open("told").unwrap();
        let mut input = std::io::stdin();
        let mut bytes = [0; 4096];
        while let Ok(read @ 1..) = input.read(&mut bytes) {
            told.write_all(&bytes[..read]).unwrap();
        }
        exit(0);
    });
    let mut events = fs::OpenOptions::new()
        .append(true)
        .open(env::var("BLAZELINK_EVENTS").unwrap())
        .unwrap();
    writeln!(events, "{{\"event\":\"ready\"}}").unwrap();
    // Every client is told what the app was told, and held until the app ends.
    let mut clients = Vec::new();
    for client in socket.incoming() {
        let Ok(mut client) = client else {
            // Whether it waits is a matter of all who hold it, and the tool does not.
            thread::sleep(Duration::from_millis(2));
            continue;
        };
        for name in ["DATABASE_URL", "BLAZELINK_ENV", "BLAZELINK_SLOT"] {
            writeln!(client, "{name}={}", env::var(name).unwrap_or_default()).unwrap();
        }
        writeln!(client, "{ANSWER}").unwrap();
        clients.push(client);
    }
}
