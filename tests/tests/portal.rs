//! The portal in a real browser against three real nations: `web/e2e`, run by Node.

use std::path::Path;
use std::process::Command;

use chancery_tests::federation::Federation;
use chancery_tests::node::NATIONS;
use chancery_tests::publisher::{Model, Publisher};
use chancery_tests::samples::{OPEN, SAMPLES};
use serde_json::json;

#[test]
#[ignore = "needs the portal and a browser: make test"]
fn a_diplomat_finds_and_verifies_a_model_in_the_browser() {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web");
    let home = tempfile::tempdir().unwrap();
    let federation = Federation::start(home.path(), &NATIONS).unwrap();
    let france = federation.node("FR");
    let publisher = Publisher::enrol(france, "voltaire").unwrap();
    let sample = SAMPLES[0];
    let weights = home.path().join("petit");
    sample.lay_out(&weights).unwrap();
    let (name, version) = (sample.name, sample.version);
    let model = Model { folder: &weights, card: &sample.card(), name, version, license: sample.license };
    let release = publisher.release(france, &model, 2).unwrap();
    let hostile = sample.card().parent().unwrap().with_file_name("hostile").join("README.md");
    let model = Model { folder: &weights, card: &hostile, name: "hostile", version: "1.0", license: &OPEN };
    let second = publisher.release(france, &model, 2).unwrap();
    federation.wait_for(&[release.card, second.card.clone()]).unwrap();
    let nodes = federation.nodes.iter().map(|node| (node.code.clone(), json!(node.url)));
    let mut said: serde_json::Map<_, _> = nodes.collect();
    said.insert("weights".to_owned(), json!(weights));
    said.insert("hostile".to_owned(), json!(second.card));
    let said = serde_json::Value::Object(said).to_string();
    let mut node = Command::new("node");
    let status = node.args(["--test", "e2e/portal.test.mjs"]).current_dir(&web).env("CHANCERY_E2E", said).status();
    assert!(status.unwrap().success(), "the browser's tests failed; their words stand above");
}
