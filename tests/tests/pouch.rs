//! Two nations that never share a network federate by files alone: their nodes never run at the same time.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::Path;
use std::process::Command;

use chancery_tests::command::{chancery, fail, succeed};
use chancery_tests::federation::shown;
use chancery_tests::node::{NATIONS, Node};
use chancery_tests::publisher::{Model, Publisher, Release};
use chancery_tests::samples::SAMPLES;
use serde_json::Value;

#[test]
fn two_nations_without_a_common_network_mirror_and_cosign_each_other_by_pouch() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let mut france = Node::found(home, &NATIONS[0]).unwrap();
    let mut kenya = Node::found(home, &NATIONS[1]).unwrap();
    recognise(&france, &kenya);
    recognise(&kenya, &france);
    let release = publish(&mut france, home, "1.0");

    // The first pouch brings the whole log.
    let first = pouch(&france, &["export", "--for", "KE"], "first");
    assert!(first["logs"][0]["start"] == 0 && first["logs"][0]["log"] == france.origin, "{first}");
    let taken = import(&kenya, "first");
    assert_eq!((&taken["logs"][0]["before"], &taken["logs"][0]["held"]), (&0.into(), &first["logs"][0]["size"]));
    assert_eq!(import(&kenya, "first")["changed"], false);
    kenya.start().unwrap();
    let card = shown(&kenya, &release.card).unwrap();
    assert_eq!((&card["verdict"]["state"], &card["nation"]["code"]), (&"VALID".into(), &"FR".into()), "{card}");
    kenya.stop().unwrap();

    // The answer brings Kenya's log, and its cosignatures on France's.
    pouch(&kenya, &["reply", "first.pouch"], "second");
    assert!(import(&france, "second")["cosignatures"].as_u64() > Some(0));
    is_final(&mut france, &kenya, home, &release.card);

    // The charter's log grew by a delegation and three records. A node that runs is no hindrance.
    let later = publish(&mut france, home, "1.1");
    let third = pouch(&france, &["reply", "second.pouch"], "third");
    assert_eq!(third["logs"][0]["size"].as_u64(), first["logs"][0]["size"].as_u64().map(|size| size + 4), "{third}");
    kenya.start().unwrap();
    let taken = import(&kenya, "third");
    assert_eq!(taken["logs"][0]["before"], first["logs"][0]["size"], "{taken}");
    assert_eq!(shown(&kenya, &later.card).unwrap()["verdict"]["state"], "VALID");
    pouch(&kenya, &["export", "--for", "FR"], "fourth");
    kenya.stop().unwrap();
    import(&france, "fourth");
    is_final(&mut france, &kenya, home, &later.card);
    for node in [&france, &kenya] {
        succeed(chancery(home).args(["doctor", "--dir"]).arg(&node.folder)).unwrap();
    }

    // Nothing that was changed or sent elsewhere is taken.
    let mut bytes = std::fs::read(home.join("fourth.pouch")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(home.join("changed.pouch"), bytes).unwrap();
    let import = |node: &Node, file: &str| {
        let mut import = chancery(home);
        fail(import.current_dir(home).args(["pouch", "import", file, "--dir"]).arg(&node.folder), 3).unwrap()
    };
    let said = import(&france, "changed.pouch");
    assert!(said.contains("refused, and nothing of it was taken: changed.pouch was changed or cut"), "{said}");
    let said = import(&kenya, "fourth.pouch");
    assert!(said.contains("it is addressed to FR, and this is the node of KE"), "{said}");
}

/// The introduction came by hand, and its fingerprint was compared.
fn recognise(node: &Node, partner: &Node) {
    let mut add = chancery(node.home());
    add.args(["partner", "add"]).arg(partner.folder.join("introduction.chancery"));
    succeed(add.arg("--dir").arg(&node.folder).args(["--yes", "--quiet"])).unwrap();
}

/// Publishes a model at a node that runs for just that long.
fn publish(node: &mut Node, home: &Path, version: &str) -> Release {
    node.start().unwrap();
    let publisher = Publisher::enrol(node, &format!("lab-{}", version.replace('.', "-"))).unwrap();
    let folder = home.join("models").join(version);
    let sample = &SAMPLES[0];
    sample.lay_out(&folder).unwrap();
    let model = Model { folder: &folder, card: &sample.card(), name: sample.name, version, license: sample.license };
    let release = publisher.prepare(&model).unwrap();
    publisher.publish(node, &release, 0).unwrap();
    node.stop().unwrap();
    release
}

/// Writes a pouch called `name`.
fn pouch(node: &Node, arguments: &[&str], name: &str) -> Value {
    let mut export = chancery(node.home());
    export.current_dir(node.home()).args(["--json", "pouch"]).args(arguments);
    export.args(["--out", &format!("{name}.pouch"), "--dir"]).arg(&node.folder);
    serde_json::from_str(&succeed(&mut export).unwrap()).unwrap()
}

fn import(node: &Node, name: &str) -> Value {
    let mut import = chancery(node.home());
    import.current_dir(node.home()).args(["--json", "pouch", "import", &format!("{name}.pouch"), "--dir"]);
    serde_json::from_str(&succeed(import.arg(&node.folder)).unwrap()).unwrap()
}

/// A policy that asks for the partner's witness calls a record of this node final.
fn is_final(node: &mut Node, partner: &Node, home: &Path, record: &str) {
    let line = |of: &Node, name: &str| {
        let show = succeed(chancery(home).arg("show").arg(of.folder.join("introduction.chancery"))).unwrap();
        let line = show.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().to_owned()
    };
    let (log, witness) = (line(node, "log key"), line(partner, "witness key"));
    std::fs::write(home.join("policy"), format!("log {log}\nwitness KE {witness}\nquorum KE\n")).unwrap();
    node.start().unwrap();
    let mut bundle: Command = chancery(home);
    let file = home.join("record.chancery");
    succeed(bundle.args(["bundle", record, "--node", &node.url, "--out"]).arg(&file)).unwrap();
    node.stop().unwrap();
    let verified = succeed(chancery(home).arg("verify").arg(&file).arg("--trust").arg(home.join("policy"))).unwrap();
    assert!(verified.contains(": final"), "{verified}");
}
