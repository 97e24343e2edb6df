//! An app without dependencies that keeps the contract of `blazelink dev`.
use std::io::{Read, Write};
use std::{env, fs, net::TcpListener, process::exit, thread};

fn main() {
    let verb = env::args().nth(1).unwrap();
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
    thread::spawn(|| {
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        exit(0);
    });
    let port: u16 = env::var("BLAZELINK_PORT").unwrap().parse().unwrap();
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let mut events = fs::OpenOptions::new()
        .append(true)
        .open(env::var("BLAZELINK_EVENTS").unwrap())
        .unwrap();
    writeln!(events, "{{\"event\":\"ready\",\"url\":\"http://127.0.0.1:{port}\"}}").unwrap();
    // Every client is told what the app was told, and held until the app ends.
    let mut clients = Vec::new();
    for client in listener.incoming() {
        let mut client = client.unwrap();
        for name in ["DATABASE_URL", "BLAZELINK_ENV", "BLAZELINK_SLOT"] {
            writeln!(client, "{name}={}", env::var(name).unwrap_or_default()).unwrap();
        }
        clients.push(client);
    }
}
