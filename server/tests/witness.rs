//! The witness over HTTP: each answer of C2SP tlog-witness, with its status, type and body.

use std::time::Duration;

use chancery_schema::bundle::Purpose;
use chancery_schema::digest::Digest;
use chancery_schema::key::Role;
use chancery_schema::log::checkpoint::{self, Checkpoint};
use chancery_schema::log::cosignature;
use chancery_schema::log::note::Signature;
use chancery_schema::log::tree::consistency_proof;
use chancery_schema::log::witness::{REQUEST_BYTES_MAX, Request, parse_answer};
use chancery_schema::record::{Evidence, Kind};
use chancery_tests::history::{History, witness_key};
use serde_json::json;

use crate::node::{Answer, Node};

const ADDRESS: &str = "/witness/add-checkpoint";

/// A node whose nation accredits Kenya, and Kenya's log, of which it holds nothing.
fn partners() -> (Node, History) {
    let mut node = Node::with_model();
    let mut kenya = History::found("KE");
    for number in 0..6 {
        let license = kenya.nation.license(&format!("terms-{number}"));
        kenya.push(license);
    }
    let exchange = node.nation.delegation(Role::Exchange, &[Kind::Accreditation], &[]);
    node.admit(&exchange);
    let draft = json!({
        "partner": kenya.nation.code,
        "fingerprint": kenya.fingerprint(),
        "partnerLog": kenya.nation.origin,
        "scopes": ["cosign"],
    });
    let key = node.nation.key(Role::Exchange, 0);
    let accreditation = node.nation.sign(Kind::Accreditation, draft, &[&key]);
    node.admit(&accreditation);
    let mut introduction = kenya.bundle(&[0], &kenya.checkpoint(1));
    introduction.header.purpose = Purpose::Introduction;
    node.runtime.block_on(node.registry.introduce(&introduction.write())).unwrap();
    (node, kenya)
}

fn request(kenya: &History, old: u64, new: u64) -> Request {
    let proof = consistency_proof(&kenya.tree, old.min(new), new).unwrap();
    Request { old, proof, note: kenya.checkpoint(new).note().clone() }
}

fn ask(node: &Node, body: &impl ToString) -> Answer {
    Answer::of(node.agent.post(format!("{}{ADDRESS}", node.url)).send(body.to_string()))
}

#[test]
fn a_partners_checkpoint_is_cosigned_and_anyone_can_verify_it() {
    let (node, kenya) = partners();
    for (old, new) in [(0, 2), (2, 2), (2, 7)] {
        let answer = ask(&node, &request(&kenya, old, new));
        assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain; charset=utf-8"));
        let lines = parse_answer(answer.text()).unwrap();
        let [line] = &lines[..] else { panic!("{lines:?}") };
        let checkpoint = kenya.checkpoint(new);
        cosignature::verify(checkpoint.checkpoint(), line, &witness_key(&node.nation)).unwrap();
    }
}

#[test]
fn each_refusal_has_its_status_and_leaves_the_memory() {
    let (node, kenya) = partners();
    assert_eq!(ask(&node, &request(&kenya, 0, 4)).status, 200);
    let honest = request(&kenya, 4, 7);
    let with = |change: &dyn Fn(&mut Request)| {
        let mut changed = honest.clone();
        change(&mut changed);
        changed.to_string()
    };
    let stranger = History::found("BR");
    let forged = honest.to_string().replace(kenya.nation.origin.as_str(), stranger.nation.origin.as_str());
    for (what, body, status, answer) in [
        ("nothing", String::new(), 400, None),
        ("a size with a leading zero", honest.to_string().replacen("old 4", "old 04", 1), 400, None),
        ("no blank line", honest.to_string().replacen("\n\n", "\n", 1), 400, None),
        ("backwards", with(&|it| it.old = 8), 400, None),
        ("an unknown log", forged, 404, None),
        ("a signature of nobody", with(&|it| it.note = stranger_signs(&kenya)), 403, None),
        ("another memory", with(&|it| it.old = 3), 409, Some("4\n")),
        ("no proof", with(&|it| it.proof.clear()), 422, None),
        ("another proof", with(&|it| it.proof[0] = Digest::of(b"other")), 422, None),
    ] {
        let refused = ask(&node, &body);
        assert_eq!(refused.status, status, "{what}: {}", refused.text());
        let media_type = if status == 409 { "text/x.tlog.size" } else { "text/plain; charset=utf-8" };
        assert_eq!(refused.header("content-type"), media_type, "{what}");
        assert!(answer.is_none_or(|answer| answer == refused.text()), "{what}");
    }
    assert_eq!(Answer::of(node.agent.get(format!("{}{ADDRESS}", node.url)).call()).status, 405);
    assert_eq!(ask(&node, &honest).status, 200, "the memory has moved");
}

#[test]
fn two_histories_are_shown_with_what_proves_them_and_a_missing_proof_is_not() {
    let (node, kenya) = partners();
    let shown = || node.ask(r#"{ nation(code: "KE") { evidence { earlier later proof } } }"#, &json!({}));
    assert_eq!(ask(&node, &request(&kenya, 0, 7)).status, 200);
    let checkpoint = |size: u64| Checkpoint { origin: kenya.nation.origin.clone(), size, root: Digest::of(b"another") };
    let sign = |size: u64| checkpoint::sign(checkpoint(size), &kenya.nation.key(Role::Log, 0)).unwrap();
    for (size, is_known) in [(8, false), (7, true)] {
        let other = sign(size);
        let forked = Request { old: 7, proof: Vec::new(), note: other.note().clone() };
        assert_eq!(ask(&node, &forked).status, if is_known { 409 } else { 422 }, "two roots of one size");
        let evidence = &shown()["nation"][0]["evidence"];
        assert_eq!(evidence.is_object(), is_known, "{evidence}");
        if is_known {
            assert_eq!(evidence["later"], other.to_string());
            let proof: Evidence = serde_json::from_str(evidence["proof"].as_str().unwrap()).unwrap();
            assert_eq!(proof.verify().unwrap().log(), &kenya.log_key());
        }
    }
}

/// The checkpoint of seven entries with a line in the log's name that its key did not make.
fn stranger_signs(kenya: &History) -> chancery_schema::log::note::Note {
    let line = Signature::new(&kenya.log_key(), vec![1; 64]);
    chancery_schema::log::note::Note::new(kenya.checkpoint(7).note().text(), vec![line]).unwrap()
}

#[test]
fn a_request_is_bounded_and_does_not_wait_for_ever() {
    let (node, kenya) = partners();
    let filled = format!("{}{}", request(&kenya, 0, 2), "— x AAAAAAAA\n".repeat(512));
    assert_eq!(ask(&node, &filled).status, 400, "more lines than a note has");
    assert_eq!(ask(&node, &"x".repeat(REQUEST_BYTES_MAX + 1)).status, 413);
    let begun = std::time::Instant::now();
    let head = format!("POST {ADDRESS} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nold");
    let mut slow = node.connect(&head);
    let mut answer = [0; 12];
    std::io::Read::read_exact(&mut slow, &mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 503");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}
