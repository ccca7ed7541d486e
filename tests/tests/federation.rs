//! Three nations as real processes: what one admits, all show, whatever happens on the way.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use chancery_schema::envelope::Envelope;
use chancery_tests::command::{chancery, fail, succeed};
use chancery_tests::federation::{Federation, shown};
use chancery_tests::node::{NATIONS, Node};
use chancery_tests::publisher::{Model, Publisher, Release};
use chancery_tests::samples::{SAMPLES, Sample};
use chancery_tests::{checks, samples};
use serde_json::json;

fn prepare(publisher: &Publisher, home: &Path, sample: &Sample, version: &str) -> (std::path::PathBuf, Release) {
    let folder = home.join("models").join(format!("{}-{version}", sample.name));
    sample.lay_out(&folder).unwrap();
    let model = Model { folder: &folder, card: &sample.card(), name: sample.name, version, license: sample.license };
    let release = publisher.prepare(&model).unwrap();
    (folder, release)
}

fn records(releases: &[Release]) -> Vec<String> {
    releases.iter().flat_map(|release| [&release.weights, &release.license, &release.card]).cloned().collect()
}

#[test]
fn a_partner_killed_during_publishing_catches_up_and_cosigns() {
    let home = tempfile::tempdir().unwrap();
    let mut federation = Federation::start(home.path(), &NATIONS).unwrap();
    let publisher = Publisher::enrol(federation.node("FR"), "voltaire").unwrap();
    let mut releases = Vec::new();
    let mut last_folder = None;
    for version in ["1.0", "1.1", "1.2", "1.3"] {
        let (folder, release) = prepare(&publisher, home.path(), &SAMPLES[0], version);
        match version {
            // Killed with records on the way, down for the next, back for the last.
            "1.1" => {
                publisher.publish(federation.node("FR"), &release, 0).unwrap();
                federation.node_mut("KE").kill().unwrap();
            }
            "1.3" => {
                federation.node_mut("KE").start().unwrap();
                publisher.publish(federation.node("FR"), &release, 2).unwrap();
            }
            _ => publisher.publish(federation.node("FR"), &release, 0).unwrap(),
        }
        releases.push(release);
        last_folder = Some(folder);
    }
    federation.wait_for(&records(&releases)).unwrap();
    for record in records(&releases) {
        checks::every_node_proves(&federation, &record).unwrap();
    }
    checks::every_log_is_served(&federation).unwrap();
    let (kenya, france) = (federation.node("KE"), federation.node("FR"));
    checks::a_bundle_verifies(kenya, france, &releases[3], &last_folder.unwrap()).unwrap();
    what_is_tampered_with_is_refused(france, &releases[0]);
    a_rebuilt_view_is_the_same(&mut federation, &releases[0].card);
    for node in &mut federation.nodes {
        node.stop().unwrap();
    }
}

/// Each refusal has a code, and leaves the log as it was.
fn what_is_tampered_with_is_refused(node: &Node, release: &Release) {
    let before = size(node);
    let genuine = std::fs::read_to_string(&release.files()[2]).unwrap();
    let envelope = Envelope::from_fixed(genuine.as_bytes()).unwrap();
    let mut payload = envelope.payload().to_vec();
    let nonce = b"\"nonce\":\"";
    let place = payload.windows(nonce.len()).position(|window| window == nonce).unwrap() + nonce.len();
    payload[place] = if payload[place] == b'A' { b'B' } else { b'A' };
    let changed = genuine
        .replace(&chancery_schema::base64::encode(envelope.payload()), &chancery_schema::base64::encode(&payload));
    let query = "mutation ($envelope: String!) { publish(input: { envelope: $envelope }) { status code reason } }";
    let publish = |envelope: &str| node.ask(query, &json!({ "envelope": envelope })).unwrap()["publish"].clone();
    let answer = publish(&changed);
    assert_eq!((&answer["status"], &answer["code"]), (&json!("REFUSED"), &json!("signature-invalid")), "{answer}");
    let answer = publish(&genuine[..genuine.len() - 1]);
    assert_eq!((&answer["status"], &answer["code"]), (&json!("REFUSED"), &json!("malformed")), "{answer}");
    let answer = publish(&genuine);
    assert_eq!(answer["status"], "ALREADY_ADMITTED", "{answer}");
    assert_eq!(size(node), before, "a refusal changed the log");
    assert_eq!(shown(node, &release.card).unwrap()["verdict"]["state"], "VALID");
}

fn a_rebuilt_view_is_the_same(federation: &mut Federation, record: &str) {
    let node = federation.node_mut("BR");
    let query =
        "{ models(first: 100) { totalCount edges { node { urn version card { digest verdict { state } } } } } }";
    let before = (node.ask(query, &json!({})).unwrap(), shown(node, record).unwrap());
    node.stop().unwrap();
    succeed(chancery(node.home()).args(["view", "rebuild", "--dir"]).arg(&node.folder)).unwrap();
    succeed(chancery(node.home()).args(["doctor", "--dir"]).arg(&node.folder)).unwrap();
    node.start().unwrap();
    assert_eq!((node.ask(query, &json!({})).unwrap(), shown(node, record).unwrap()), before);
}

#[test]
fn a_stranger_is_not_heard_and_a_forged_fingerprint_is_not_accredited() {
    let home = tempfile::tempdir().unwrap();
    let mut nodes: Vec<Node> =
        NATIONS[..2].iter().map(|founding| Node::found(home.path(), founding).unwrap()).collect();
    for node in &mut nodes {
        node.start().unwrap();
    }
    let wrong = "0".repeat(64);
    let mut add = chancery(home.path());
    add.args(["partner", "add"]).arg(nodes[1].folder.join("introduction.chancery"));
    add.arg("--dir").arg(&nodes[0].folder).args(["--fingerprint", &wrong]);
    let said = fail(&mut add, 3).unwrap();
    assert!(said.contains("fingerprint"), "{said}");
    // France recognises Kenya; Kenya does not recognise France, so nothing flows either way.
    nodes[0].accredit(&nodes[1]).unwrap();
    let publisher = Publisher::enrol(&nodes[1], "umoja").unwrap();
    let (_, release) = prepare(&publisher, home.path(), &samples::SAMPLES[3], "1.0");
    publisher.publish(&nodes[1], &release, 0).unwrap();
    let mut wait = chancery(home.path());
    wait.arg("publish").args(release.files()).args(["--node", &nodes[1].url, "--wait=witnessed", "--timeout", "3"]);
    fail(&mut wait, 7).unwrap();
    assert!(shown(&nodes[0], &release.card).unwrap().is_null());
}

#[test]
fn a_node_killed_while_it_admits_keeps_every_record_that_it_acknowledged() {
    let home = tempfile::tempdir().unwrap();
    let mut node = Node::found(home.path(), &NATIONS[0]).unwrap();
    node.start().unwrap();
    let publisher = Publisher::enrol(&node, "voltaire").unwrap();
    let describe = |number: usize| publisher.describe(&SAMPLES[0].card(), &format!("m-{number}")).unwrap();
    let cards: Vec<PathBuf> = (0..12).map(describe).collect();
    let receipt = |card: &PathBuf| std::fs::read_to_string(card.with_file_name("card.receipt.txt")).ok();
    let before = size(&node);
    for (round, batch) in cards.chunks(4).enumerate() {
        let mut publish = chancery(home.path());
        publish.arg("publish").args(batch).args(["--node", &node.url]).stderr(Stdio::null()).stdout(Stdio::null());
        let mut publishing = publish.spawn().unwrap();
        // Killed after one, two and three receipts, with the next record on its way.
        while batch.iter().filter_map(receipt).count() <= round && publishing.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        node.kill().unwrap();
        publishing.wait().unwrap();
        let acknowledged: Vec<(&PathBuf, String)> =
            batch.iter().filter_map(|card| Some((card, receipt(card)?))).collect();
        assert!(acknowledged.len() > round, "{} receipts", acknowledged.len());
        node.start().unwrap();
        for (card, receipt) in acknowledged {
            let digest = Envelope::parse(&std::fs::read(card).unwrap()).unwrap().record_digest().to_string();
            let index = shown(&node, &digest).unwrap()["index"].as_u64().expect("an acknowledged record is there");
            assert!(receipt.contains(&format!("\nindex {index}\n")), "{receipt}");
        }
        // What was not acknowledged is published again, and nothing stands twice.
        succeed(chancery(home.path()).arg("publish").args(batch).args(["--node", &node.url])).unwrap();
    }
    assert_eq!(size(&node), before + cards.len() as u64);
    node.stop().unwrap();
    succeed(chancery(home.path()).args(["doctor", "--dir"]).arg(&node.folder)).unwrap();
}

/// How many entries the node's own log has.
fn size(node: &Node) -> u64 {
    node.ask("{ logs { own size } }", &json!({})).unwrap()["logs"][0]["size"].as_u64().expect("the own log comes first")
}
