use std::fs;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema/graphql/chancery.graphql");

#[test]
fn the_schema_in_the_repository_is_the_one_served() {
    let served = chancery_server::sdl();
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(std::path::Path::new(FILE).parent().unwrap()).unwrap();
        fs::write(FILE, &served).unwrap();
    }
    let kept = fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        kept == served,
        "schema/graphql/chancery.graphql differs; run UPDATE=1 cargo test -p chancery-server schema"
    );
}

#[test]
fn every_type_and_field_says_what_it_is() {
    let sdl = chancery_server::sdl();
    let mut described = false;
    for line in sdl.lines() {
        let trimmed = line.trim();
        let is_field = line.starts_with("  ") && trimmed.contains(':') && !trimmed.starts_with(['"', ')']);
        let is_type = ["type ", "enum ", "input ", "interface ", "scalar "].iter().any(|start| line.starts_with(start));
        let is_standard =
            trimmed.starts_with("type PageInfo") || trimmed.starts_with("query:") || trimmed.starts_with("mutation:");
        assert!(described || !(is_field || is_type) || is_standard, "undescribed: {line}");
        described = trimmed.ends_with('"');
    }
}
