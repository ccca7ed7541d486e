//! Databases for tests: `SQLite`, or a throw-away cluster of `PostgreSQL` that `tests/with-postgres` started.

use std::path::Path;
use std::process::Command;

use chancery_schema::digest::Digest;

/// Names the folder of the cluster's socket. Where it is set, every test uses `PostgreSQL`.
const SOCKET: &str = "CHANCERY_TEST_POSTGRES";

/// Whether tests use `PostgreSQL`.
#[must_use]
pub fn is_postgres() -> bool {
    std::env::var_os(SOCKET).is_some()
}

/// The address of the database that belongs to `folder`: the same for the same folder. One of
/// `PostgreSQL` is made when it is first asked for.
///
/// # Panics
/// When the cluster makes no database.
#[must_use]
pub fn url(folder: &Path) -> String {
    let Ok(socket) = std::env::var(SOCKET) else {
        let path = folder.join("chancery.db").display().to_string();
        return format!("sqlite:{}", path.replace('%', "%25").replace('?', "%3F"));
    };
    let name = format!("chancery_{}", &Digest::of(folder.as_os_str().as_encoded_bytes()).to_string()[..16]);
    let mark = folder.join("postgres");
    if !mark.exists() {
        std::fs::create_dir_all(folder).expect("the folder can be made");
        psql(&socket, "postgres", &format!("CREATE DATABASE {name}"));
        std::fs::write(&mark, &name).expect("the folder can be written");
    }
    format!("postgres:///{name}?host={socket}&user=postgres")
}

/// Copies the database of `PostgreSQL` that belongs to `folder`, as that of the folder `to`, whose address it
/// answers. Whoever uses it is sent away for the moment.
///
/// # Panics
/// When it cannot be copied.
#[must_use]
pub fn copy(folder: &Path, to: &Path) -> String {
    let (from, copied) = (url(folder), url(to));
    let socket = std::env::var(SOCKET).expect("tests use PostgreSQL");
    let name = |url: &str| url["postgres:///".len()..].split('?').next().unwrap_or_default().to_owned();
    let (source, copy) = (name(&from), name(&copied));
    for sql in [
        format!("DROP DATABASE {copy}"),
        format!("ALTER DATABASE {source} ALLOW_CONNECTIONS false"),
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{source}'"),
        format!("CREATE DATABASE {copy} TEMPLATE {source} STRATEGY file_copy"),
        format!("ALTER DATABASE {source} ALLOW_CONNECTIONS true"),
        format!("ALTER DATABASE {copy} ALLOW_CONNECTIONS true"),
    ] {
        psql(&socket, "postgres", &sql);
    }
    copied
}

/// Has `PostgreSQL` write to its files what it has in memory; nothing where tests do not use it.
///
/// # Panics
/// When it does not.
pub fn write_out() {
    if let Ok(socket) = std::env::var(SOCKET) {
        psql(&socket, "postgres", "CHECKPOINT");
    }
}

/// A statement written for `SQLite` as the database in use reads it: its bytes, and their type.
#[must_use]
pub fn statement(sql: &str) -> String {
    if !is_postgres() {
        return sql.to_owned();
    }
    let mut parts = sql.split("x'");
    let first = parts.next().unwrap_or_default().to_owned();
    let translated = parts.fold(first, |translated, part| {
        let (bytes, rest) = part.split_once('\'').unwrap_or((part, ""));
        translated + "'\\x" + bytes + "'::bytea" + rest
    });
    translated.replace(" AS BLOB)", " AS BYTEA)")
}

fn psql(socket: &str, database: &str, sql: &str) {
    let mut psql = Command::new("psql");
    psql.args(["--no-psqlrc", "--quiet", "--host", socket, "--username", "postgres", "--dbname", database]);
    let done = psql.args(["--set", "ON_ERROR_STOP=1", "--command", sql]).output().expect("psql runs");
    assert!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
}
