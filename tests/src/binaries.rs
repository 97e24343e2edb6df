//! Postgres' client programs that the benchmarks compare with.

use std::path::PathBuf;

/// `pg_recvlogical`: beside the server's binaries on Debian, on the PATH elsewhere.
pub fn recvlogical() -> PathBuf {
    let beside = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut beside: Vec<PathBuf> = beside
        .map(|version| version.path().join("bin/pg_recvlogical"))
        .filter(|program| program.is_file())
        .collect();
    beside.sort();
    beside
        .pop()
        .unwrap_or_else(|| PathBuf::from("pg_recvlogical"))
}
