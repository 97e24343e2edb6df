//! Migrations without dependencies: `sql/NAME.up.sql` and `sql/NAME.down.sql` of the project, with
//! the words of SeaORM's command line.
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::{env, fs, process::exit};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let count = arguments.get(2).and_then(|count| count.parse().ok()).unwrap_or(usize::MAX);
    let mut database = Database::connect();
    database.run("CREATE TABLE IF NOT EXISTS seaql_migrations (version text PRIMARY KEY)");
    let applied = database.run("SELECT version FROM seaql_migrations ORDER BY version");
    let mut known: Vec<String> = fs::read_dir("sql")
        .unwrap()
        .filter_map(|file| file.unwrap().file_name().to_str()?.strip_suffix(".up.sql").map(str::to_owned))
        .collect();
    known.sort();
    match arguments[0].as_str() {
        "status" => {
            for name in known {
                let state = if applied.contains(&name) { "Applied" } else { "Pending" };
                println!("Migration '{name}'... {state}");
            }
        }
        "up" => {
            for name in known.iter().filter(|name| !applied.contains(name)).take(count) {
                println!("Applying migration '{name}'");
                let sql = fs::read_to_string(format!("sql/{name}.up.sql")).unwrap();
                database.run(&format!("{sql}; INSERT INTO seaql_migrations VALUES ('{name}')"));
                println!("Migration '{name}' has been applied");
            }
        }
        "down" | "reset" => {
            for name in applied.iter().rev().take(count) {
                println!("Rolling back migration '{name}'");
                let sql = fs::read_to_string(format!("sql/{name}.down.sql")).unwrap();
                database.run(&format!("{sql}; DELETE FROM seaql_migrations WHERE version = '{name}'"));
                println!("Migration '{name}' has been rolled back");
            }
        }
        _ => exit(2),
    }
}

struct Database(UnixStream);

impl Database {
    fn connect() -> Database {
        let url = env::var("DATABASE_URL").unwrap();
        let (host, name) = url.split_once('@').unwrap().1.split_once('/').unwrap();
        let folder = host.replace("%2F", "/").replace("%20", " ");
        let mut socket = UnixStream::connect(format!("{folder}/.s.PGSQL.5432")).unwrap();
        let parameters = format!("user\0postgres\0database\0{name}\0\0");
        socket.write_all(&(8 + parameters.len() as u32).to_be_bytes()).unwrap();
        socket.write_all(&0x0003_0000_u32.to_be_bytes()).unwrap();
        socket.write_all(parameters.as_bytes()).unwrap();
        let mut database = Database(socket);
        database.answer();
        database
    }

    /// The first column of the rows. An error ends the program, as a migration's does.
    fn run(&mut self, sql: &str) -> Vec<String> {
        self.0.write_all(b"Q").unwrap();
        self.0.write_all(&(5 + sql.len() as u32).to_be_bytes()).unwrap();
        self.0.write_all(sql.as_bytes()).unwrap();
        self.0.write_all(b"\0").unwrap();
        self.answer()
    }

    fn answer(&mut self) -> Vec<String> {
        let mut rows = Vec::new();
        loop {
            let mut head = [0; 5];
            self.0.read_exact(&mut head).unwrap();
            let length = u32::from_be_bytes(head[1..].try_into().unwrap()) as usize - 4;
            let mut body = vec![0; length];
            self.0.read_exact(&mut body).unwrap();
            match head[0] {
                b'D' => {
                    let end = 6 + u32::from_be_bytes(body[2..6].try_into().unwrap()) as usize;
                    rows.push(String::from_utf8(body[6..end].to_vec()).unwrap());
                }
                b'E' => {
                    let fields = body.split(|byte| *byte == 0);
                    let message = fields.filter(|field| field.first() == Some(&b'M')).next().unwrap();
                    eprintln!("Execution Error: {}", String::from_utf8_lossy(&message[1..]));
                    exit(1);
                }
                b'Z' => return rows,
                _ => {}
            }
        }
    }
}
