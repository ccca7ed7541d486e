//! The portal in a real browser against three real nations: `web/e2e`, run by Node.

use std::path::Path;
use std::process::Command;

use chancery_tests::command::{chancery, succeed};
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
    let brazil = federation.node("BR");
    let institute = Publisher::enrol(brazil, "instituto").unwrap();
    let [withdrawn, redacted] = ["withdrawn", "redacted"].map(|name| {
        let readme = home.path().join(format!("{name}.md"));
        std::fs::write(&readme, format!("---\nlicense: apache-2.0\n---\n# Modelo {name}\n\nA canary sings.\n"))
            .unwrap();
        let model = Model { folder: &weights, card: &readme, name, version: "1.0", license: &OPEN };
        institute.release(brazil, &model, 2).unwrap().card
    });
    federation.wait_for(&[release.card, second.card.clone(), withdrawn.clone(), redacted.clone()]).unwrap();
    end(&federation, &["withdraw", &withdrawn, "--reason", "safety"]).unwrap();
    end(&federation, &["redact", &redacted, "--reason", "personal-data", "--yes"]).unwrap();
    let nodes = federation.nodes.iter().map(|node| (node.code.clone(), json!(node.url)));
    let mut said: serde_json::Map<_, _> = nodes.collect();
    said.insert("weights".to_owned(), json!(weights));
    said.insert("hostile".to_owned(), json!(second.card));
    said.insert("withdrawn".to_owned(), json!(withdrawn));
    said.insert("redacted".to_owned(), json!(redacted));
    let said = serde_json::Value::Object(said).to_string();
    let mut node = Command::new("node");
    let status = node.args(["--test", "e2e/portal.test.mjs"]).current_dir(&web).env("CHANCERY_E2E", said).status();
    assert!(status.unwrap().success(), "the browser's tests failed; their words stand above");
}

/// The registrar of Brazil ends a record.
fn end(federation: &Federation, arguments: &[&str]) -> anyhow::Result<()> {
    let brazil = federation.node("BR");
    let home = brazil.home();
    let registrar = brazil.folder.join("keys").join("registrar.key");
    let mut command = chancery(home);
    command.current_dir(home).args(arguments).args(["--statement", "en=It gives <b>dangerous</b> advice."]);
    command.args(["--statement", "ar=يقدّم نصائح خطرة.", "--node", &brazil.url, "--key"]).arg(registrar);
    succeed(&mut command).map(drop)
}
