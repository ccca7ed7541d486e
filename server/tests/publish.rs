use chancery_schema::key::Role;
use chancery_schema::log::entry::Entry;
use chancery_schema::log::note::{KeyType, verifier_key};
use chancery_schema::log::proof::Proof;
use serde_json::{Value, json};

use crate::node::Node;

const PUBLISH: &str = "mutation ($envelope: String!) { publish(input: { envelope: $envelope }) {
    status digest origin index proof code reason record { kind verdict { state } } } }";

fn publish(node: &Node, envelope: &[u8]) -> Value {
    let envelope = String::from_utf8(envelope.to_vec()).unwrap();
    node.ask(PUBLISH, &json!({ "envelope": envelope }))["publish"].clone()
}

#[test]
fn a_record_is_admitted_once_and_its_receipt_holds() {
    let mut node = Node::empty();
    let charter = node.nation.charter();
    let first = publish(&node, &charter.to_bytes());
    assert_eq!(first["status"], "ADMITTED", "{first}");
    assert_eq!(first["digest"], charter.record_digest().to_string());
    assert_eq!((&first["origin"], &first["index"]), (&json!("fr.example.org/chancery"), &json!(0)));
    assert_eq!(first["record"], json!({ "kind": "charter", "verdict": { "state": "VALID" } }));
    let key = verifier_key(node.nation.origin.as_str(), KeyType::Ed25519, &node.nation.key(Role::Log, 0)).unwrap();
    let proof = Proof::parse(first["proof"].as_str().unwrap().as_bytes()).unwrap();
    let entry = Entry::new("charter", charter.digest()).unwrap();
    let (index, _) = proof.verify(&entry.to_bytes(), &key).unwrap();
    assert_eq!(index, 0);
    let again = publish(&node, &charter.to_bytes());
    assert_eq!(again["status"], "ALREADY_ADMITTED");
    assert_eq!((&again["digest"], &again["index"]), (&first["digest"], &first["index"]));
}

#[test]
fn a_refusal_is_an_answer_with_code_and_reason() {
    let mut node = Node::with_model();
    for envelope in [b"{}".to_vec(), b"".to_vec(), node.nation.card("n", "1.0").to_bytes()] {
        let refused = publish(&node, &envelope);
        assert_eq!(refused["status"], "REFUSED", "{refused}");
        assert!(
            refused["code"].is_string() && refused["reason"].is_string() && refused["record"].is_null(),
            "{refused}"
        );
    }
    let stranger = chancery_tests::nation::Nation::new("KE").charter();
    assert_eq!(publish(&node, &stranger.to_bytes())["status"], "REFUSED");
    node.keep(b"# n 1.0\n");
    let card = node.nation.card("n", "1.0").to_bytes();
    assert_eq!(publish(&node, &card)["status"], "ADMITTED");
}

#[test]
fn whoever_waits_in_vain_is_told_to_publish_again_and_that_does_no_harm() {
    let mut node = Node::empty();
    let charter = node.nation.charter().to_bytes();
    let body = json!({ "query": PUBLISH, "variables": { "envelope": std::str::from_utf8(&charter).unwrap() } });
    node.time.stop(true);
    let answer = node.post(&body.to_string());
    node.time.stop(false);
    assert_eq!(answer.code(), (503, "TIMEOUT".to_owned()));
    assert_eq!(answer.header("retry-after"), "3");
    assert!(answer.text().contains("publish it again") && !answer.text().contains("ask for less"), "{}", answer.text());
    let again = publish(&node, &charter);
    assert!(["ADMITTED", "ALREADY_ADMITTED"].contains(&again["status"].as_str().unwrap()), "{again}");
    assert_eq!((&again["index"], publish(&node, &charter)["status"].as_str()), (&json!(0), Some("ALREADY_ADMITTED")));
}
