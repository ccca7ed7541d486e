//! `PostgreSQL`: several processes, on several machines, use the archive at once.
//!
//! Writers stand in one queue, as they do before a file: whoever writes holds the lock on one row until
//! it commits. What is read before something is written is then still so when it is written, and the
//! database behaves as `SQLite` does, but that others read and write from elsewhere.

use std::time::Duration;

use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    IsolationLevel, QueryResult, Statement, TransactionTrait,
};

/// How the address begins. `postgresql://` is the same.
const SCHEME: &str = "postgres://";

/// What an address may say besides where the database is. A password is not among it: whoever sees the
/// command line or the configuration would see it.
const PARAMETERS: [&str; 9] =
    ["host", "port", "user", "dbname", "sslmode", "sslrootcert", "sslcert", "sslkey", "application_name"];

/// How long a connection may take to be had: beyond that a request fails rather than waits.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// The row that whoever writes holds.
const TURN: &str = "SELECT name FROM lease WHERE name = 'writer' FOR UPDATE";
const TURN_ROW: &str = "INSERT INTO lease VALUES ('writer', '', 0, 0, 0) ON CONFLICT DO NOTHING";

/// The address as the driver reads it; none where it is not one of `PostgreSQL`.
///
/// # Errors
/// With what to do instead, when it has a password or says what is not understood. Repeats neither.
pub(super) fn url(url: &str) -> Option<Result<String, &'static str>> {
    let rest = url.strip_prefix(SCHEME).or_else(|| url.strip_prefix("postgresql://"))?;
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    // As far as the last @, for a password may hold any character.
    let user = place.rsplit_once('@').map(|(user, _)| user);
    let names = parameters.split('&').filter_map(|pair| pair.split('=').next()).filter(|name| !name.is_empty());
    let (password, mut unknown) = (names.clone().any(|name| name == "password"), names);
    Some(if password || user.is_some_and(|user| user.contains(':')) {
        Err("its address has a password, which others could see; put that into ~/.pgpass, mode 0600, or PGPASSWORD")
    } else if unknown.any(|name| !PARAMETERS.contains(&name)) {
        Err("its address has a parameter other than host, port, user, dbname, sslmode, sslrootcert, sslcert, sslkey \
             and application_name")
    } else {
        // What the driver cannot read, its errors would repeat.
        let url = format!("{SCHEME}{rest}");
        if url.parse::<PgConnectOptions>().is_ok() { Ok(url) } else { Err("its address is not postgres://HOST/NAME") }
    })
}

/// Opens that many connections, which may write or not. Whoever writes and stops answering in the middle
/// lets go: a process that hangs, or a machine that is gone. Whoever reads is in nobody's way.
pub(super) async fn connect(url: &str, connections: u32, writes: bool) -> Result<DatabaseConnection, DbErr> {
    let (read_only, idle) = if writes { ("off", "5s") } else { ("on", "0") };
    open(url, connections, read_only, idle).await
}

async fn open(
    url: &str,
    connections: u32,
    read_only: &'static str,
    idle: &'static str,
) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).acquire_timeout(ACQUIRE_TIMEOUT).sqlx_logging(false);
    options.map_sqlx_postgres_opts(move |options| {
        options.options([
            ("default_transaction_read_only", read_only),
            // A commit that was answered is on disk, whatever the server's default is.
            ("synchronous_commit", "on"),
            ("lock_timeout", "60s"),
            ("idle_in_transaction_session_timeout", idle),
            ("tcp_keepalives_idle", "2"),
            ("tcp_keepalives_interval", "1"),
            ("tcp_keepalives_count", "2"),
        ])
    });
    Database::connect(options).await
}

/// Makes the row that whoever writes holds.
pub(super) async fn prepare(writer: &DatabaseConnection) -> Result<(), DbErr> {
    writer.execute_unprepared(TURN_ROW).await.map(drop)
}

/// Waits for its turn among all processes, and begins to write. Each statement sees what was committed
/// before, and nobody else commits meanwhile.
pub(super) async fn begin(writer: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let (level, mode) = (IsolationLevel::ReadCommitted, AccessMode::ReadWrite);
    let transaction = writer.begin_with_config(Some(level), Some(mode)).await?;
    // Without the row nobody would wait for anybody.
    let row = transaction.query_one_raw(Statement::from_string(DbBackend::Postgres, TURN)).await?;
    row.map(|_| transaction).ok_or_else(|| DbErr::RecordNotFound("the row 'writer' of the table lease".to_owned()))
}

/// The tables in which something of a record may be.
const OF_RECORDS: [&str; 8] =
    ["body", "blob", "submission", "record", "found", "model", "model_language", "model_license"];

/// How often to look whether nobody reads what was there before, and the pause after each look.
const LOOKS: u32 = 40;
const LOOK: Duration = Duration::from_millis(250);

/// Writes the tables of records anew without what was deleted; an ordinary `VACUUM` only makes its place free.
/// What others may still see would be written too, so whoever began to read before is waited for. Waits for no
/// lock longer than a moment, for whoever comes later waits behind it.
pub(super) async fn scrub(writer: &DatabaseConnection) -> Result<(), DbErr> {
    let number = "SELECT pg_current_xact_id()::xid::text AS now";
    let now: String = one(writer, number.to_owned()).await?.try_get("", "now")?;
    let older = format!(
        "SELECT count(*) AS older FROM pg_stat_activity WHERE datname = current_database() AND pid <> \
         pg_backend_pid() AND backend_xmin IS NOT NULL AND age(backend_xmin) > age('{now}'::xid)"
    );
    let mut looks = 0;
    while one(writer, older.clone()).await?.try_get::<i64>("", "older")? > 0 {
        looks += 1;
        if looks == LOOKS {
            return Err(DbErr::Custom("others still read what was there before".to_owned()));
        }
        tokio::time::sleep(LOOK).await;
    }
    writer.execute_unprepared("SET lock_timeout = '2s'").await?;
    for table in OF_RECORDS {
        writer.execute_unprepared(&format!("VACUUM (FULL, ANALYZE) {table}")).await?;
    }
    writer.execute_unprepared("SET lock_timeout = '60s'").await.map(drop)
}

async fn one(writer: &DatabaseConnection, sql: String) -> Result<QueryResult, DbErr> {
    let row = writer.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    row.ok_or_else(|| DbErr::RecordNotFound("an answer of the server".to_owned()))
}

/// Begins to read: every query sees one commit.
pub(super) async fn snapshot(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let (level, mode) = (IsolationLevel::RepeatableRead, AccessMode::ReadOnly);
    connection.begin_with_config(Some(level), Some(mode)).await
}

/// A connection of its own with the empty tables of the view, and behind them the archive, to read: a
/// temporary table is looked for first, and may be written where nothing else may.
pub(super) async fn scratch(url: &str) -> Result<DatabaseConnection, DbErr> {
    let scratch = open(url, 1, "off", "0").await?;
    chancery_migrations::run_view(&scratch).await?;
    Ok(scratch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_is_refused_and_not_repeated() {
        for wrong in [
            "postgres://fr:secret@db.example.org/fr",
            "postgresql://fr:@db.example.org/fr",
            "postgres:///fr?host=/run/postgresql&password=secret",
            "postgres:///fr?pasword=secret",
            "postgres://fr:secret/1@db.example.org/fr",
            "postgres://fr:secret?1@db.example.org/fr",
            "postgres://fr:secret#1@db.example.org/fr",
            "postgres:///fr?options=-c%20synchronous_commit%3Doff",
        ] {
            let refused = url(wrong).expect("an address").unwrap_err();
            assert!(refused.starts_with("its address has a p") && !refused.contains("secret"), "{wrong}: {refused}");
        }
    }

    #[test]
    fn addresses_as_people_write_them_are_read() {
        for right in ["postgres:///fr?host=/run/postgresql", "postgres://fr@db.example.org:5433/fr?sslmode=verify-full"]
        {
            assert_eq!(url(right), Some(Ok(right.to_owned())));
        }
        assert!(url("postgres://db.example.org:port/fr").is_some_and(|url| url.is_err()));
        assert_eq!(url("postgresql://db/fr"), Some(Ok("postgres://db/fr".to_owned())));
        assert_eq!(url("sqlite:fr.db"), None);
    }
}
