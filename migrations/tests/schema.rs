//! The sum of all steps is the schema that we say we have.

use std::fmt::Write as _;
use std::path::Path;

use chancery_migrations::{run, run_view};
use chancery_tests::database::{is_postgres, url};
use sea_orm_migration::sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};

#[tokio::test]
async fn all_steps_together_make_the_schema_that_is_checked_in() {
    let db = empty().await;
    run(&db).await.expect("the steps run");
    run(&db).await.expect("they are safe to repeat");
    let schema = schema(&db).await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.sql");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &schema).expect("schema.sql can be written");
    }
    let known = std::fs::read_to_string(&path).expect("schema.sql is there");
    assert_eq!(schema, known, "write schema.sql anew with UPDATE=1");
}

#[tokio::test]
async fn the_view_alone_has_no_ground_state() {
    let db = empty().await;
    run_view(&db).await.expect("the steps run");
    let named = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' \
                 AND name <> 'seaql_migrations' ORDER BY name";
    let view = [
        "delegation",
        "ending",
        "erasure_receipt",
        "found",
        "model",
        "model_language",
        "model_license",
        "nation",
        "record",
        "revocation",
    ];
    assert_eq!(select(&db, named).await, view);
}

/// The columns are the same on both, in the types that each has for them.
#[tokio::test]
async fn both_databases_have_the_same_columns() {
    if !is_postgres() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let postgres = Database::connect(url(folder.path())).await.expect("the database opens");
    run(&postgres).await.expect("the steps run");
    run(&postgres).await.expect("they are safe to repeat");
    let sqlite = empty().await;
    run(&sqlite).await.expect("the steps run");
    let of_sqlite = "SELECT t.name || ' ' || c.name || ' ' || lower(c.type) || ' ' || c.\"notnull\" AS name \
                     FROM sqlite_master AS t, pragma_table_info(t.name) AS c \
                     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' ORDER BY 1";
    let of_postgres = "SELECT name FROM (SELECT table_name || ' ' || column_name || ' ' || \
                       CASE data_type WHEN 'bytea' THEN 'blob' WHEN 'bigint' THEN 'integer' ELSE data_type END || \
                       ' ' || CASE is_nullable WHEN 'NO' THEN 1 ELSE 0 END AS name FROM information_schema.columns \
                       WHERE table_schema = current_schema()) AS columns ORDER BY name COLLATE \"C\"";
    let ours =
        |columns: Vec<String>| columns.into_iter().filter(|column| !column.starts_with("seaql")).collect::<Vec<_>>();
    assert_eq!(ours(select(&postgres, of_postgres).await), ours(select(&sqlite, of_sqlite).await));
}

async fn empty() -> DatabaseConnection {
    Database::connect("sqlite::memory:").await.expect("memory is a database")
}

/// Every statement that would make the tables at once, a column a line.
async fn schema(db: &DatabaseConnection) -> String {
    let statements = "SELECT sql AS name FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' \
                      AND tbl_name <> 'seaql_migrations' ORDER BY tbl_name, type DESC, name";
    let mut schema = "-- What all steps together make. Written by migrations/tests/schema.rs.\n".to_owned();
    for statement in select(db, statements).await {
        let statement = if statement.starts_with("CREATE TABLE") { lines(&statement) } else { statement };
        write!(schema, "\n{statement};\n").expect("text grows");
    }
    schema
}

/// A table with each column and constraint on its own line.
fn lines(statement: &str) -> String {
    let mut lines = String::new();
    let mut depth = 0;
    for character in statement.chars() {
        let line = match character {
            '(' => {
                depth += 1;
                depth == 1
            }
            ')' => {
                depth -= 1;
                if depth == 0 {
                    lines.truncate(lines.trim_end().len());
                    lines.push('\n');
                }
                false
            }
            ',' => depth == 1,
            ' ' if lines.ends_with("    ") => continue,
            _ => false,
        };
        lines.push(character);
        if line {
            lines.push_str("\n    ");
        }
    }
    lines
}

async fn select(db: &DatabaseConnection, sql: &str) -> Vec<String> {
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.expect("the query runs");
    rows.iter().map(|row| row.try_get("", "name").expect("a name")).collect()
}
