//! The JSON Schemas of all kinds are files under test: `UPDATE=1 cargo test` writes them.

use std::path::{Path, PathBuf};

use chancery_schema::record::{Kind, json_schema};
use jsonschema::Validator;
use serde_json::Value;

use crate::records::changed;

fn path(kind: Kind) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("json-schema").join(format!("{kind}.json"))
}

#[test]
fn the_files_say_what_the_types_say() {
    let folder = path(Kind::Charter).parent().unwrap().to_owned();
    for kind in Kind::ALL {
        let text = serde_json::to_string_pretty(&json_schema(kind)).unwrap() + "\n";
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(path(kind), &text).unwrap();
        }
        let committed = std::fs::read_to_string(path(kind)).unwrap_or_default();
        assert!(committed == text, "{}: the types have changed; UPDATE=1 writes it anew", path(kind).display());
    }
    let files = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(files, Kind::ALL.len(), "a file for each kind and no other");
}

#[test]
fn each_is_a_json_schema() {
    for kind in Kind::ALL {
        let schema = json_schema(kind);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{kind}");
        assert_eq!(schema["$id"], format!("urn:chancery:predicate:{kind}:v1"));
        if let Err(error) = jsonschema::draft202012::meta::validate(&schema) {
            panic!("{kind}: {error}");
        }
    }
}

/// What only the shape of a predicate can be blamed for; the rest needs a reader of records.
const SHAPE: [&str; 10] = [
    "missing field",
    "unknown variant",
    "invalid type",
    "invalid value",
    "another form than its type",
    "is not a word",
    "is not a name",
    "is not a nation code",
    "is not an origin",
    "not a SHA-256 digest",
];

#[test]
fn each_takes_the_golden_records_and_refuses_other_shapes() {
    let schemas = Kind::ALL.map(|kind| (kind, jsonschema::draft202012::new(&json_schema(kind)).unwrap()));
    let of = |kind: &str| -> &Validator { &schemas.iter().find(|(known, _)| known.as_str() == kind).unwrap().1 };
    let vectors: Value = serde_json::from_str(include_str!("../../vectors/record.json")).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    let golden: Vec<&Value> = cases.iter().filter(|case| case.get("statement").is_some()).collect();
    assert_eq!(golden.len(), Kind::ALL.len(), "a golden record of each kind");
    for case in &golden {
        let kind = case["expect"]["kind"].as_str().unwrap();
        let errors = of(kind).iter_errors(&case["statement"]["predicate"]);
        let errors: Vec<String> = errors.map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{kind}: {errors:?}");
    }
    let (mut taken, mut refused) = (0, 0);
    for case in cases.iter().filter(|case| case.get("of").is_some()) {
        let base = golden.iter().find(|golden| golden["name"] == case["of"]).unwrap();
        let schema = of(base["expect"]["kind"].as_str().unwrap());
        let Some(predicate) = predicate(&base["statement"], case) else { continue };
        // What only a new record must meet is no question of shape.
        let refusal = case.get("refused").and_then(Value::as_str).filter(|_| case.get("new").is_none());
        match refusal {
            None => {
                taken += 1;
                assert!(schema.is_valid(&predicate), "{}", case["name"]);
            }
            Some(words) if SHAPE.iter().any(|shape| words.contains(shape)) => {
                refused += 1;
                assert!(!schema.is_valid(&predicate), "{}", case["name"]);
            }
            Some(_) => {}
        }
    }
    println!("json_schemas: {taken} variants taken, {refused} refused");
    assert!(taken >= 25 && refused >= 60, "{taken} taken, {refused} refused");
}

/// The predicate that a case of `record.json` makes; nothing when it says of another kind that it is.
fn predicate(statement: &Value, case: &Value) -> Option<Value> {
    let another = case["set"].get("/predicateType").is_some();
    (!another).then(|| changed(statement, case)["predicate"].take())
}
