//! The sum of all steps is the schema that we say we have.

use std::fmt::Write as _;
use std::path::Path;

use chancery_migrations::{run, run_view};
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
    let view = ["delegation", "found", "model", "model_language", "model_license", "nation", "record"];
    assert_eq!(select(&db, named).await, view);
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
