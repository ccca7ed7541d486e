//! `chancery evidence`, as anyone runs it who was handed a file: what the golden vectors say is proven, and
//! nothing else is.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::Path;
use std::process::{Command, Output};

use chancery_schema::envelope::Envelope;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

/// A statement that the vectors hold.
fn golden(name: &str) -> Value {
    let vectors: Value = serde_json::from_str(include_str!("../../schema/vectors/record.json")).unwrap();
    vectors["cases"].as_array().unwrap().iter().find(|case| case["name"] == name).unwrap()["statement"].clone()
}

/// Writes an envelope, signed by nobody in particular, and answers its record digest.
fn write(folder: &Path, name: &str, statement: &Value) -> String {
    let payload = serde_json::to_vec(statement).unwrap();
    let envelope = Envelope::sign(payload, &[&SigningKey::from_bytes(&[7; 32])]).unwrap();
    std::fs::write(folder.join(name), envelope.to_bytes()).unwrap();
    envelope.record_digest().to_string()
}

/// Writes the evidence of the vectors after a change, and answers the log's key: evidence proves itself.
fn written(folder: &Path, name: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut statement = golden("evidence");
    change(&mut statement);
    write(folder, name, &statement);
    statement["predicate"]["accused"].as_str().unwrap().to_owned()
}

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chancery"));
    let Output { status, stdout, stderr } = command.current_dir(folder).args(arguments).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

#[test]
fn two_histories_are_proven_offline_to_whoever_knows_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let key = written(folder, "evidence.json", |_| {});
    std::fs::write(folder.join("policy"), format!("log {key}\nquorum none\n")).unwrap();
    let fingerprint = write(folder, "charter.json", &golden("a charter"));
    for trust in [&[key.as_str()][..], &["policy"], &[&fingerprint, "--charter", "charter.json"]] {
        let (code, said) = run(folder, &[&["evidence", "verify", "evidence.json", "--trust"], trust].concat());
        let words =
            "proven: the log fr.example.org/chancery signed two histories, which part within its first 5 entries";
        assert!(code == Some(0) && said.starts_with(words), "{code:?} {said}");
    }
    let (_, said) = run(folder, &["--json", "evidence", "verify", "evidence.json", "--trust", &key]);
    let value: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&value["verdict"], &value["log"]), (&json!("proven"), &json!("fr.example.org/chancery")));
    assert_eq!((&value["earlier"]["size"], &value["later"]["size"]), (&json!(5), &json!(12)));
    let (code, said) = run(folder, &["show", "evidence.json"]);
    assert!(
        code == Some(0) && said.contains("it says: the log fr.example.org/chancery signed two histories"),
        "{said}"
    );
}

#[test]
fn what_proves_nothing_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let key = written(folder, "old.json", |statement| {
        statement["predicate"].as_object_mut().unwrap().remove("prefix").unwrap();
    });
    written(folder, "other.json", |statement| statement["predicate"]["prefix"]["proof"] = json!([]));
    written(folder, "evidence.json", |_| {});
    written(folder, "endpoint.json", |statement| {
        statement["predicateType"] = json!("urn:chancery:predicate:endpoint:v1");
    });
    std::fs::write(folder.join("nobody"), "quorum none\n").unwrap();
    let fingerprint = "0".repeat(64);
    for (file, trust, code, words) in [
        ("old.json", key.as_str(), 3, "/prefix: is missing, and without it the earlier checkpoint may be merely old"),
        ("other.json", &key, 3, "/prefix/proof: does not lead to the later checkpoint"),
        ("evidence.json", "nobody", 3, "which is not what you pinned"),
        ("evidence.json", &fingerprint, 2, "has no charter with this fingerprint; name the introduction"),
        ("evidence.json", "nothing", 2, "neither a fingerprint of 64 digits nor a policy file"),
        ("endpoint.json", &key, 2, "is no evidence of two histories"),
        ("nobody", &key, 2, "is neither an envelope nor a bundle"),
    ] {
        let (found, said) = run(folder, &["evidence", "verify", file, "--trust", trust]);
        assert!(found == Some(code) && said.contains(words), "{file} {trust}: {found:?} {said}");
    }
}
