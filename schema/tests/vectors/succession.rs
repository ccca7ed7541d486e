//! Logs that take the place of others: what bundles of the new one prove to who pinned the old one, and which
//! base somebody may accept who mirrored it.

use std::collections::BTreeMap;

use chancery_schema::base64;
use chancery_schema::bundle::Bundle;
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::key::Role;
use chancery_schema::log::checkpoint::Checkpoint;
use chancery_schema::log::tree::{EMPTY_ROOT, MemoryTree};
use chancery_schema::record::Kind;
use chancery_schema::succession::{Rule, Seen, accepts};
use serde_json::{Value, json};

use crate::golden::{Case, bad, check, good};
use crate::history::History;
use crate::nation::Nation;
use crate::transport::{bundle_bytes, read_bundle};

/// An old log with two charters, the second of the roots 1 to 3.
fn old() -> History {
    let mut history = History::found("FR");
    let draft = history.nation.next_charter_draft(2, &history.envelopes[0], &[1, 2, 3]);
    let next = history.nation.sign_charter(draft, &[1, 2]);
    history.push(next);
    history
}

/// What a succession of `old` says at the size of its base.
fn said(old: &History, base: u64) -> Value {
    json!({
        "predecessor": old.log_key().to_string(),
        "fingerprint": old.fingerprint(),
        "charter": old.envelopes[2].record_digest(),
        "base": old.checkpoint(base).to_string(),
        "reason": "key-lost",
    })
}

/// The log `<old>-2` with the roots of these numbers, that says what it follows, and lets a publisher speak.
fn new(origin: &str, roots: &[u8], change: impl Fn(&mut Value), mut said: Value) -> History {
    let mut nation = Nation::new("FR");
    nation.origin = origin.parse().unwrap();
    let mut draft = nation.charter_draft();
    draft["roots"] = json!(roots.iter().map(|root| nation.key_record(Role::Root, *root)).collect::<Vec<_>>());
    change(&mut draft);
    let charter = nation.sign_charter(draft, &roots[..2]);
    if said.get("successor").is_none() {
        said["successor"] = json!(charter.record_digest());
    }
    let keys = [nation.key(Role::Root, roots[0]), nation.key(Role::Root, roots[1])];
    let succession = nation.sign(Kind::LogSuccession, said, &[&keys[0], &keys[1]]);
    let publisher = nation.publisher();
    let terms = nation.license("terms");
    let mut history = History { nation, envelopes: Vec::new(), tree: MemoryTree::new() };
    for envelope in [charter, succession, publisher, terms] {
        history.push(envelope);
    }
    history
}

fn told(history: &History) -> Vec<Envelope> {
    let kinds = [Kind::Charter, Kind::LogSuccession].map(|kind| format!("predicate:{}:", kind.as_str()));
    let tells = |it: &&Envelope| {
        let text = String::from_utf8_lossy(it.payload()).into_owned();
        kinds.iter().any(|kind| text.contains(kind))
    };
    history.envelopes.iter().filter(tells).cloned().collect()
}

/// A license of the new log, with all that it rests on, and what is told of logs before.
fn bundle(new: &History, former: Vec<Envelope>) -> Bundle {
    let mut bundle = new.bundle(&[0, 1, 2, 3], &new.checkpoint(4));
    bundle.former = former;
    bundle
}

#[test]
fn who_pinned_an_old_log_walks_to_the_new_one() {
    let about = "What a bundle of a log that took the place of another proves (schema/src/succession.rs) to a reader \
                 who pins a `fingerprint`; `expect` and `refused` as in bundle-verdict.json.";
    let old = old();
    let second = |said| new("fr.example.org/chancery-2", &[1, 2, 3], |_| (), said);
    let right = second(said(&old, 3));
    let third_says = json!({
        "predecessor": right.log_key().to_string(),
        "fingerprint": right.fingerprint(),
        "charter": right.fingerprint(),
        "base": right.checkpoint(4).to_string(),
        "reason": "planned",
    });
    let third = new("fr.example.org/chancery-3", &[1, 2, 3], |_| (), third_says);
    let pinned = |bundle: &Bundle, fingerprint: Digest| json!({ "bundle": base64::encode(&bundle.write()), "fingerprint": fingerprint });
    let with = |new: &History| pinned(&bundle(new, told(&old)), old.fingerprint());
    let changed = |member: &str, value: Value| {
        let mut said = said(&old, 3);
        said[member] = value;
        with(&second(said))
    };
    let other = History::found("KE");
    let first_only: Vec<Envelope> = told(&old).into_iter().take(1).collect();
    let cases: Vec<Case> = vec![
        good("an old log is pinned", with(&right)),
        good("the new log is pinned", pinned(&bundle(&right, told(&old)), right.fingerprint())),
        good(
            "the new log is pinned and nothing told of the old one",
            pinned(&bundle(&right, vec![]), right.fingerprint()),
        ),
        good(
            "the oldest of three logs is pinned",
            pinned(&bundle(&third, [told(&old), told(&right)].concat()), old.fingerprint()),
        ),
        good(
            "the second of three logs is pinned",
            pinned(&bundle(&third, [told(&old), told(&right)].concat()), right.fingerprint()),
        ),
        bad(
            "an old log is pinned and not told of",
            pinned(&bundle(&right, vec![]), old.fingerprint()),
            "nation: the charter of FR has the fingerprint",
        ),
        bad(
            "an old log is pinned and the one between not told of",
            pinned(&bundle(&third, told(&old)), old.fingerprint()),
            "succession: the succession names another key",
        ),
        bad(
            "the logs stand in another order",
            pinned(&bundle(&third, [told(&right), told(&old)].concat()), old.fingerprint()),
            "nation: the log fr.example.org/chancery does not say that it follows",
        ),
        bad(
            "the last charter of the old log is left out",
            pinned(&bundle(&right, first_only), old.fingerprint()),
            "succession: the succession names another last charter",
        ),
        bad(
            "another charter is named",
            changed("charter", json!(EMPTY_ROOT)),
            "succession: the succession names another last charter",
        ),
        bad(
            "another fingerprint is named",
            changed("fingerprint", json!(EMPTY_ROOT)),
            "succession: the succession names another fingerprint",
        ),
        bad(
            "the roots signed it for another log",
            changed("successor", json!(EMPTY_ROOT)),
            "signatures: it was signed for the log whose first charter is",
        ),
        bad(
            "another root is in the new charter",
            with(&new("fr.example.org/chancery-2", &[1, 2, 4], |_| (), said(&old, 3))),
            "succession: the first charter of the new log has other roots",
        ),
        bad(
            "the roots are those of the old log's first charter",
            with(&new("fr.example.org/chancery-2", &[0, 1, 2], |_| (), said(&old, 3))),
            "succession: the first charter of the new log has other roots",
        ),
        bad(
            "one root more is in the new charter",
            with(&new("fr.example.org/chancery-2", &[1, 2, 3, 4], |_| (), said(&old, 3))),
            "succession: the first charter of the new log has other roots",
        ),
        bad(
            "fewer must sign the new log's charters",
            with(&new("fr.example.org/chancery-2", &[1, 2, 3], |draft| draft["threshold"] = json!(1), said(&old, 3))),
            "succession: the first charter of the new log has other threshold",
        ),
        bad(
            "another nation's log is told of",
            pinned(&bundle(&right, told(&other)), other.fingerprint()),
            "succession: the new log is of FR, and the earlier one of KE",
        ),
        bad(
            "a log that follows none is told an earlier one",
            {
                let mut alone = old.bundle(&[0, 1], &old.checkpoint(3));
                alone.former = told(&right);
                pinned(&alone, old.fingerprint())
            },
            "succession: the bundle tells of an earlier log",
        ),
        bad(
            "a delegation is told of the old log",
            pinned(&bundle(&right, old.envelopes.clone()), old.fingerprint()),
            "nation: an earlier log is told by charters",
        ),
        bad(
            "the charters of the old log begin with the second",
            pinned(&bundle(&right, told(&old).split_off(1)), old.fingerprint()),
            "nation: an earlier log:",
        ),
    ];
    check("succession", about, &cases, |case| read_bundle(&bundle_bytes(&BTreeMap::new(), case), case));
}

#[test]
fn a_chain_of_more_than_eight_earlier_logs_is_refused() {
    let mut logs = vec![old()];
    for number in 2..=10 {
        let before = logs.last().unwrap();
        let last = before.envelopes[if number == 2 { 2 } else { 0 }].record_digest();
        let said = json!({
            "predecessor": before.log_key().to_string(),
            "fingerprint": before.fingerprint(),
            "charter": last,
            "base": before.checkpoint(3).to_string(),
            "reason": "planned",
        });
        logs.push(new(&format!("fr.example.org/chancery-{number}"), &[1, 2, 3], |_| (), said));
    }
    let judged = |count: usize| {
        let former: Vec<Envelope> = logs[..count].iter().flat_map(told).collect();
        let case = json!({ "fingerprint": logs[0].fingerprint() });
        read_bundle(&bundle(&logs[count], former).write(), &case)
    };
    assert!(judged(8).is_ok(), "{:?}", judged(8));
    assert_eq!(judged(9), Err("nation: there are more than 8 earlier logs".to_owned()));
}

#[test]
fn a_base_is_accepted_only_if_nothing_that_was_cosigned_is_given_up() {
    let old = old();
    let base = |size| old.checkpoint(size).checkpoint().clone();
    let seen = |size, root, two_histories| Seen { size, root, two_histories };
    let right = |size| Some(base(size).root);
    let refused = |base: &Checkpoint, seen: &Seen| accepts(base, seen).map_err(|error| error.rule);
    assert_eq!(refused(&base(3), &seen(3, right(3), false)), Ok(0), "it is what was cosigned");
    assert_eq!(refused(&base(3), &seen(2, right(3), false)), Ok(0), "it was proven to have grown");
    assert_eq!(refused(&base(3), &seen(0, None, false)), Ok(0), "nothing was ever mirrored");
    assert_eq!(refused(&base(3), &seen(2, None, false)), Err(Rule::BaseUnproven));
    assert_eq!(refused(&base(2), &seen(2, None, true)), Err(Rule::BaseUnproven), "nor of two histories");
    assert_eq!(refused(&base(2), &seen(3, None, false)), Err(Rule::BaseSmaller), "no proof would mend that");
    assert_eq!(refused(&base(2), &seen(0, Some(EMPTY_ROOT), false)), Err(Rule::BaseForeign), "shown, and not held");
    assert_eq!(refused(&base(2), &seen(3, right(2), false)), Err(Rule::BaseSmaller));
    assert_eq!(refused(&base(2), &seen(3, right(2), true)), Ok(1), "of two histories some is given up");
    assert_eq!(refused(&base(3), &seen(3, Some(EMPTY_ROOT), false)), Err(Rule::BaseForeign));
    assert_eq!(refused(&base(2), &seen(3, Some(EMPTY_ROOT), true)), Err(Rule::BaseForeign), "nor of two histories");
}
