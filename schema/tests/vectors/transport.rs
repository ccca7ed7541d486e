//! What travels: frames, packages of entries, bundles, and what a bundle proves.

use std::collections::BTreeMap;

use chancery_schema::base64;
use chancery_schema::bundle::{Bundle, LoggedRecord, Purpose, Trust, Verdict as Judgement, verify};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::frame::{Decoder, Frame, Package};
use chancery_schema::key::{Role, Signer};
use chancery_schema::limits::{BUNDLE_FRAMES_MAX, FRAME_BYTES_MAX, PACKAGE_ENTRIES_MAX, PROOF_HASHES_MAX};
use chancery_schema::log::checkpoint::{self, Checkpoint, SignedCheckpoint};
use chancery_schema::log::policy::Policy;
use chancery_schema::log::tree::{self, EMPTY_ROOT, MemoryTree, leaf_hash, subtree_consistency_proof};
use chancery_schema::record::Kind;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use super::golden::{Case, Verdict, bad, check, good, list_of, reason, text_of};
use super::history::{History, witness_key};
use super::nation::{Nation, blob};

/// A frame, however wrong: its digest is right.
fn raw_frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap();
    [&length.to_be_bytes()[..], &[kind], Digest::of(payload).as_bytes(), payload].concat()
}

fn number(frame: &Frame) -> u8 {
    frame.to_bytes()[4]
}

/// A package's payload from its parts, however wrong.
fn raw_package(
    origin: &[u8],
    start: u64,
    size: u64,
    count: u16,
    entries: &[&[u8]],
    hashes: u8,
    proof: &[u8],
) -> Vec<u8> {
    let short = |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
    let mut payload = short(origin);
    payload.extend(start.to_be_bytes());
    payload.extend(size.to_be_bytes());
    payload.extend(count.to_be_bytes());
    for entry in entries {
        payload.extend(short(entry));
    }
    payload.push(hashes);
    payload.extend(proof);
    payload
}

#[test]
fn frames_are_whole_and_unchanged() {
    let about = "Frames (schema/src/frame.rs), in base64: the length of the payload in four bytes, big-endian, the \
                 type, SHA-256 of the payload, the payload. `expect`: type and payload of each whole frame (of a \
                 package its parts; positions as text), and how many bytes wait for more. `refused` is part of the \
                 reason; nothing after it is read.";
    let of = |bytes: &[u8]| json!({ "frames": base64::encode(bytes) });
    let frame = |kind: u8, payload: &[u8]| of(&raw_frame(kind, payload));
    let blob = raw_frame(5, b"hello");
    let origin: &[u8] = b"fr.example.org/chancery";
    let package = |start: u64, size: u64, count: u16, entries: &[&[u8]]| {
        frame(3, &raw_package(origin, start, size, count, entries, 0, &[]))
    };
    let whole = raw_package(origin, 0, 2, 2, &[b"one", b""], 1, EMPTY_ROOT.as_bytes());
    let head = |length: u32| [&length.to_be_bytes()[..], &[5], &[0; 32]].concat();
    let long = u32::try_from(FRAME_BYTES_MAX).unwrap() + 1;
    let changed = |at: usize| {
        let mut bytes = blob.clone();
        bytes[at] ^= 1;
        of(&bytes)
    };
    let (malformed, digest) = ("a package frame is malformed", "does not have the digest that the frame names");
    let many = |count: usize| vec![b"".as_slice(); count];
    let cases = vec![
        good("nothing", of(&[])),
        good("a header", frame(1, b"{}")),
        good("a checkpoint", frame(2, b"note")),
        good("an envelope", frame(4, b"{}")),
        good("a blob", of(&blob)),
        good("an empty blob", frame(5, b"")),
        good("a proof", frame(6, b"proof")),
        good("a missing blob", frame(7, EMPTY_ROOT.as_bytes())),
        good("the end", frame(8, &[0, 0, 0, 0, 0, 0, 1, 0])),
        good("the end of the longest stream", frame(8, &[0xff; 8])),
        good("two frames", of(&[&blob[..], &raw_frame(8, &[0; 8])].concat())),
        good("a package", frame(3, &whole)),
        good("a package of 256 entries", package(0, 256, 256, &many(256))),
        good("a package up to a multiple of 256", package(1023, 1024, 1, &[b"a"])),
        good("a package with 63 hashes", frame(3, &raw_package(origin, 0, 1, 1, &[b"a"], 63, &[7; 63 * 32]))),
        good("a head that is not whole", of(&blob[..36])),
        good("a payload that is not whole", of(&blob[..blob.len() - 1])),
        good("a frame and the beginning of another", of(&[&blob[..], &blob[..5]].concat())),
        good("the head of the longest frame", of(&head(long - 1))),
        bad("a frame longer than any", of(&head(long)), "a frame of 16777217 bytes is longer than 16777216"),
        bad("a frame of 2^32 - 1 bytes", of(&head(u32::MAX)), "a frame of 4294967295 bytes is longer than"),
        bad(
            "a length in the other byte order",
            of(&[&[5, 0, 0, 0][..], &blob[4..]].concat()),
            "a frame of 83886080 bytes is longer than",
        ),
        bad("type 0", frame(0, b"a"), "frames of type 0 are unknown"),
        good("type 9", frame(9, b"a")),
        bad("type 10", frame(10, b"a"), "frames of type 10 are unknown"),
        bad("type 255", frame(255, b""), "frames of type 255 are unknown"),
        bad("a payload that was changed", changed(blob.len() - 1), digest),
        bad("a digest that was changed", changed(5), digest),
        bad("a length that is too short", changed(3), digest),
        bad("a good frame and one that was changed", of(&[&blob[..], &blob[..blob.len() - 1], b"!"].concat()), digest),
        bad("a missing digest of 31 bytes", frame(7, &[0; 31]), "a missing frame is malformed"),
        bad("a missing digest of 33 bytes", frame(7, &[0; 33]), "a missing frame is malformed"),
        bad("an end of 7 bytes", frame(8, &[0; 7]), "a end frame is malformed"),
        bad("an end of 9 bytes", frame(8, &[0; 9]), "a end frame is malformed"),
        bad("an end without count", frame(8, &[]), "a end frame is malformed"),
        bad("a package of nothing", frame(3, &[]), malformed),
        bad("a package without entries", package(0, 2, 0, &[]), malformed),
        bad("a package of 257 entries", package(0, 1000, 257, &many(257)), malformed),
        bad("a package over a multiple of 256", package(255, 1000, 2, &[b"a", b"b"]), malformed),
        bad("a package past its tree", package(1, 2, 2, &[b"a", b"b"]), malformed),
        bad("a package at the end of all numbers", package(u64::MAX, u64::MAX, 1, &[b"a"]), malformed),
        bad("a package with an entry too few", package(0, 2, 2, &[b"a"]), malformed),
        bad("a package with an entry too many", package(0, 2, 1, &[b"a", b"b"]), malformed),
        bad("a package of 65,535 entries and nothing", package(0, 1 << 40, u16::MAX, &[]), malformed),
        bad("a package cut inside an entry", frame(3, &whole[..48]), malformed),
        bad("a package cut inside a hash", frame(3, &whole[..whole.len() - 1]), malformed),
        bad("a package with a byte more", frame(3, &[&whole[..], &[0]].concat()), malformed),
        bad("a package with 64 hashes", frame(3, &raw_package(origin, 0, 1, 1, &[b"a"], 64, &[7; 64 * 32])), malformed),
        bad(
            "a package with a hash less than it says",
            frame(3, &raw_package(origin, 0, 1, 1, &[b"a"], 2, &[7; 32])),
            malformed,
        ),
        bad("a package of no log", frame(3, &raw_package(b"", 0, 1, 1, &[b"a"], 0, &[])), malformed),
        bad(
            "a package of a log in upper case",
            frame(3, &raw_package(b"FR.example.org", 0, 1, 1, &[b"a"], 0, &[])),
            malformed,
        ),
        bad(
            "a package of a log that is not UTF-8",
            frame(3, &raw_package(b"\xff", 0, 1, 1, &[b"a"], 0, &[])),
            malformed,
        ),
        bad("a package whose log's name is longer than it", frame(3, &[0xff, 0xff, b'a']), malformed),
    ];
    assert_eq!((PACKAGE_ENTRIES_MAX, PROOF_HASHES_MAX), (256, 63));
    check("frame", about, &cases, |case| {
        let bytes = base64::decode(text_of(case, "frames")).unwrap();
        let mut decoder = Decoder::default();
        decoder.push(&bytes);
        let (mut frames, mut read) = (Vec::new(), 0);
        while let Some(frame) = decoder.next_frame().map_err(|error| reason(&error))? {
            read += frame.to_bytes().len();
            frames.push(describe_frame(&frame));
        }
        assert_eq!(decoder.is_empty(), read == bytes.len());
        assert_eq!(frames_byte_by_byte(&bytes), frames.len(), "it does not matter how the bytes arrive");
        Ok(json!({ "frames": frames, "waiting": bytes.len() - read }))
    });
}

fn describe_frame(frame: &Frame) -> Value {
    let bytes = frame.to_bytes();
    match frame {
        Frame::Package(package) => json!({
            "type": number(frame),
            "origin": package.origin,
            "start": package.start.to_string(),
            "treeSize": package.tree_size.to_string(),
            "entries": package.entries.iter().map(|entry| base64::encode(entry)).collect::<Vec<_>>(),
            "proof": package.proof.len(),
        }),
        _ => json!({ "type": number(frame), "payload": base64::encode(&bytes[37..]) }),
    }
}

fn frames_byte_by_byte(bytes: &[u8]) -> usize {
    let mut decoder = Decoder::default();
    let mut count = 0;
    for byte in bytes {
        decoder.push(&[*byte]);
        while decoder.next_frame().unwrap().is_some() {
            count += 1;
        }
    }
    count
}

#[test]
fn a_package_proves_its_entries() {
    let about = "Packages of entries (schema/src/frame.rs) against the `root` of the tree whose size they name, by a \
                 reader who holds `tail`: the leaf hashes from the multiple of 256 at or before the package's start \
                 up to it. `frame` is in base64, hashes are in hexadecimal. `expect`: the leaf hash of the first entry \
                 and of the last. `refused` is part of the reason.";
    let entry = |index: u64| index.to_be_bytes().to_vec();
    let tree: MemoryTree = (0..600).map(|index| leaf_hash(&entry(index))).collect();
    let root = |size: u64| tree::root(&tree, size).unwrap();
    let package = |start: u64, end: u64, size: u64| Package {
        origin: "fr.example.org/chancery".parse().unwrap(),
        start,
        tree_size: size,
        entries: (start..end).map(entry).collect(),
        proof: subtree_consistency_proof(&tree, start - start % 256, end, size).unwrap(),
    };
    let tail =
        |start: u64| -> Vec<Digest> { (start - start % 256..start).map(|index| leaf_hash(&entry(index))).collect() };
    let of = |package: &Package, tail: &[Digest], root: Digest| {
        let frame = Frame::Package(package.clone()).to_bytes();
        json!({ "frame": base64::encode(&frame), "tail": tail, "root": root })
    };
    let fair = |start: u64, end: u64, size: u64| of(&package(start, end, size), &tail(start), root(size));
    let ten = package(260, 270, 600);
    let changed = |change: &dyn Fn(&mut Package)| {
        let mut package = ten.clone();
        change(&mut package);
        of(&package, &tail(260), root(600))
    };
    let other_tail = |change: &dyn Fn(&mut Vec<Digest>)| {
        let mut tail = tail(260);
        change(&mut tail);
        of(&ten, &tail, root(600))
    };
    let wrong = "does not lead to the root";
    let needed = |found: usize, expected: usize| format!("has {found} hashes where {expected} are needed");
    let proof = ten.proof.len();
    let cases = vec![
        good("the only entry", fair(0, 1, 1)),
        good("a whole package", fair(0, 256, 600)),
        good("the middle package", fair(256, 512, 600)),
        good("the last package", fair(512, 600, 600)),
        good("from within a package", fair(260, 270, 600)),
        good("the rest of a package", fair(300, 512, 600)),
        good("the last entry", fair(599, 600, 600)),
        good("a package that is the tree", fair(0, 256, 256)),
        bad("another root", of(&ten, &tail(260), root(599)), wrong),
        bad("an entry that was changed", changed(&|package| package.entries[3][7] ^= 1), wrong),
        bad("two entries exchanged", changed(&|package| package.entries.swap(0, 1)), wrong),
        bad(
            "a byte of one entry given to the next",
            changed(&|package| {
                let byte = package.entries[3].pop().unwrap();
                package.entries[4].insert(0, byte);
            }),
            wrong,
        ),
        bad("an entry too few", changed(&|package| drop(package.entries.pop())), needed(proof, proof + 1)),
        bad("an entry too many", changed(&|package| package.entries.push(entry(270))), needed(proof, proof + 1)),
        bad("without proof", changed(&|package| package.proof.clear()), needed(0, proof)),
        bad("a hash too few", changed(&|package| package.proof.truncate(proof - 1)), needed(proof - 1, proof)),
        bad("a hash too many", changed(&|package| package.proof.push(EMPTY_ROOT)), needed(proof + 1, proof)),
        bad("two hashes exchanged", changed(&|package| package.proof.swap(0, 1)), wrong),
        bad(
            "another start, of which the reader holds another tail",
            changed(&|package| package.start = 261),
            needed(4, 5),
        ),
        bad("the next multiple of 256", changed(&|package| package.start = 516), needed(proof, 8)),
        bad("without tail", other_tail(&Vec::clear), needed(0, 4)),
        bad("a tail too short", other_tail(&|tail| tail.truncate(3)), needed(3, 4)),
        bad("a tail too long", other_tail(&|tail| tail.push(EMPTY_ROOT)), needed(5, 4)),
        bad("a tail that is another", other_tail(&|tail| tail[0] = EMPTY_ROOT), wrong),
    ];
    check("package", about, &cases, |case| {
        let mut decoder = Decoder::default();
        decoder.push(&base64::decode(text_of(case, "frame")).unwrap());
        let Some(Frame::Package(package)) = decoder.next_frame().unwrap() else { panic!("not a package") };
        let tail: Vec<Digest> = list_of(case, "tail").into_iter().map(|hash| hash.parse().unwrap()).collect();
        let root = text_of(case, "root").parse().unwrap();
        let leaves = package.verify(&tail, &root).map_err(|error| reason(&error))?;
        assert_eq!(leaves.len(), package.entries.len());
        Ok(json!({ "first": leaves.first(), "last": leaves.last() }))
    });
}

/// A log of FR with terms and a card under them, and two cosigners.
struct Archive {
    history: History,
    partners: [Nation; 2],
}

/// The case whose bundle the others change.
const CARD_BUNDLE: &str = "a card with all that it needs";

/// Where its records stand.
const CHARTER: usize = 0;
const PUBLISHER: usize = 1;
const TERMS: usize = 2;
const CARD: usize = 3;
const STRANGERS_CARD: usize = 4;
const ANOTHER_CHARTER: usize = 5;
const OTHER_SIZE: usize = 6;

impl Archive {
    fn new() -> Self {
        let mut history = History::found("FR");
        let terms = history.nation.license("open");
        let card = card_under(&mut history.nation, &terms, 0);
        let strangers = card_under(&mut history.nation, &terms, 1);
        let again = history.nation.charter();
        let mut draft = history.nation.card_draft("model", "1.1");
        draft["license"] = json!(terms.record_digest());
        draft["sourceDocument"] = blob(b"# model 1.0\n", "text/markdown");
        draft["sourceDocument"]["sizeBytes"] = json!(13);
        let key = history.nation.key(Role::Publisher, 0);
        let other_size = history.nation.sign(Kind::ModelCard, draft, &[&key]);
        for envelope in [terms, card, strangers, again, other_size] {
            history.push(envelope);
        }
        Self { history, partners: ["KE", "BR"].map(Nation::new) }
    }

    fn checkpoint(&self) -> SignedCheckpoint {
        self.history.cosigned(7, &self.partners.iter().collect::<Vec<_>>())
    }

    fn bundle(&self, indexes: &[usize]) -> Bundle {
        let mut bundle = self.history.bundle(indexes, &self.checkpoint());
        for text in ["Sample terms open.\n", "# model 1.0\n"] {
            bundle.blobs.insert(Digest::of(text.as_bytes()), text.as_bytes().to_vec());
        }
        bundle
    }

    /// The card with all that it needs.
    fn card(&self) -> Bundle {
        self.bundle(&[CHARTER, PUBLISHER, TERMS, CARD])
    }

    fn policy(&self, quorum: &str) -> String {
        let witnesses = self.partners.each_ref().map(|it| format!("witness {} {}\n", it.code, witness_key(it)));
        format!("log {}\n{}{quorum}\n", self.history.log_key(), witnesses.concat())
    }
}

/// The case whose bundle those of [`reign_cases`] change.
const REIGN_BUNDLE: &str = "a card under the tenth charter";

/// A log with ten charters: after the publisher version n stands at entry n, and then a card. Of the
/// three roots of each two stay in the next one, and sign it.
fn reign() -> History {
    let mut history = History::found("FR");
    let mut before = history.envelopes[CHARTER].clone();
    for version in 2..=10 {
        let draft = history.nation.next_charter_draft(version.into(), &before, &[version - 1, version, version + 1]);
        before = history.nation.sign_charter(draft, &[version - 1, version]);
        history.push(before.clone());
    }
    let card = history.nation.card("model", "1.0");
    history.push(card);
    history
}

fn reign_bundle(history: &History, indexes: &[usize]) -> Vec<u8> {
    history.bundle(indexes, &history.checkpoint(history.size())).write()
}

/// Bundles from that log, for a reader who has pinned the first charter and seen none since.
fn reign_cases(history: &History, whole: &[u8]) -> Vec<Case> {
    let pinned = |mut case: Value, fingerprint: Digest| {
        case["fingerprint"] = json!(fingerprint);
        case
    };
    let of = |indexes: &[usize]| {
        pinned(spliced(REIGN_BUNDLE, whole, &reign_bundle(history, indexes)), history.fingerprint())
    };
    let without = |gone: usize| of(&(0..12).filter(|index| *index != gone).collect::<Vec<_>>());
    let tenth = history.envelopes[10].record_digest();
    vec![
        good(REIGN_BUNDLE, pinned(json!({ "bundle": base64::encode(whole) }), history.fingerprint())),
        good("ten charters alone", of(&[0, 2, 3, 4, 5, 6, 7, 8, 9, 10])),
        good("a card under the tenth charter, which is not told of it", of(&[CHARTER, PUBLISHER, 11])),
        bad("ten charters without the second", without(2), "signatures: version 1 of the charter is in force"),
        bad("ten charters without the ninth", without(9), "signatures: version 8 of the charter is in force"),
        bad("ten charters without the first", without(CHARTER), "nation: the first record is not a charter"),
        bad("the tenth charter pinned", pinned(json!({ "of": REIGN_BUNDLE }), tenth), "not the pinned"),
    ]
}

/// The case whose bundle those of [`Ended::cases`] change.
const ENDED_BUNDLE: &str = "a card whose weights and terms stand";

/// A log in which records end: charter, publisher, weights, terms (2 and 3), and a card that names both (5); terms
/// of nobody (4). Then what ends them, by the name of each case.
struct Ended {
    history: History,
    publisher: SigningKey,
    registrar: SigningKey,
}

impl Ended {
    fn new() -> Self {
        let mut history = History::found("FR");
        let publisher = history.nation.key(Role::Publisher, 0);
        let registrar = history.nation.key(Role::Registrar, 0);
        let weights = history.nation.sign(Kind::Weights, super::records::weights(), &[&publisher]);
        let terms = history.nation.license("open");
        let stray = history.nation.license("stray");
        let mut draft = history.nation.card_draft("model", "1.0");
        draft["weights"] = json!([weights.record_digest()]);
        draft["license"] = json!(terms.record_digest());
        let card = history.nation.sign(Kind::ModelCard, draft, &[&publisher]);
        for envelope in [weights, terms, stray, card] {
            history.push(envelope);
        }
        Self { history, publisher, registrar }
    }

    fn digest(&self, index: usize) -> Digest {
        self.history.envelopes[index].record_digest()
    }

    /// A bundle of the records at `indexes`, about the record that stands, or stood, at `about`.
    fn bundle(&self, indexes: &[usize], about: usize) -> Bundle {
        let mut bundle = self.history.bundle(indexes, &self.history.checkpoint(self.history.size()));
        bundle.header.record = self.digest(about);
        bundle
    }

    fn withdrawal(&mut self, (kind, scope, index): (Kind, &str, usize), signer: &SigningKey) -> usize {
        let draft = json!({
            "kind": kind, "withdraws": self.digest(index), "scope": scope, "reason": "safety",
            "statement": { "en": "It gives dangerous advice." },
        });
        let envelope = self.history.nation.sign(Kind::Withdrawal, draft, &[signer]);
        self.history.push(envelope);
        self.history.envelopes.len() - 1
    }

    fn redaction(&mut self, (kind, scope, index): (Kind, &str, usize), said: Value) -> usize {
        let mut draft = json!({
            "kind": kind, "redacts": self.digest(index), "scope": scope, "index": index,
            "signers": self.history.envelopes[index].key_ids().collect::<Vec<_>>(), "reason": "personal-data",
        });
        if kind == Kind::ModelCard {
            draft["version"] = json!("1.0");
        }
        draft.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        let envelope = self.history.nation.sign(Kind::Redaction, draft, &[&self.registrar]);
        self.history.push(envelope);
        self.history.envelopes.len() - 1
    }

    fn revocation(&mut self, key: &SigningKey, since: usize) -> usize {
        let keyid = chancery_schema::key::PublicKey::from_bytes(&key.public_key()).unwrap().key_id();
        let draft = json!({ "key": keyid, "reason": "compromised-since", "since": since });
        let roots = [0, 1].map(|number| self.history.nation.key(Role::Root, number));
        let envelope = self.history.nation.sign(Kind::Revocation, draft, &[&roots[0], &roots[1]]);
        self.history.push(envelope);
        self.history.envelopes.len() - 1
    }

    fn cases(&self, whole: &[u8]) -> Vec<Case> {
        const CARD: (Kind, &str, usize) = (Kind::ModelCard, "lab:model", 5);
        const WEIGHTS: (Kind, &str, usize) = (Kind::Weights, "lab:model", 2);
        const TERMS: (Kind, &str, usize) = (Kind::License, "lab:open", 3);
        // After the card, what `then` enters; the bundle of the records it names, about the record at `about`.
        let of = |about: usize, then: &dyn Fn(&mut Self) -> Vec<usize>| {
            let mut log = Self::new();
            let indexes = then(&mut log);
            let mut case = spliced(ENDED_BUNDLE, whole, &log.bundle(&indexes, about).write());
            case["fingerprint"] = json!(self.history.fingerprint());
            case
        };
        let nothing = || json!({});
        let as_redacted = |said: Value| {
            of(5, &|log| {
                let end = log.redaction(CARD, said.clone());
                vec![0, 1, end]
            })
        };
        let unsaid = "signatures: no model-card ";
        vec![
            good(ENDED_BUNDLE, {
                let fingerprint = self.history.fingerprint();
                json!({ "bundle": base64::encode(whole), "fingerprint": fingerprint })
            }),
            good(
                "a card that was withdrawn",
                of(5, &|log| {
                    let end = log.withdrawal(CARD, &log.registrar.clone());
                    vec![0, 1, 2, 3, 5, end]
                }),
            ),
            good(
                "a card whose withdrawal is void",
                of(5, &|log| {
                    let other = log.history.nation.key(Role::Publisher, 1);
                    let mut draft = log.history.nation.delegation_draft(
                        Role::Publisher,
                        &[Kind::ModelCard, Kind::Withdrawal],
                        &["*"],
                    );
                    draft["key"] = json!(log.history.nation.key_record(Role::Publisher, 1));
                    let delegation = log.history.nation.sign(Kind::Delegation, draft, &[&log.registrar]);
                    log.history.push(delegation);
                    let end = log.withdrawal(CARD, &other);
                    let gone = log.revocation(&other, end);
                    vec![0, 1, 2, 3, 5, end - 1, end, gone]
                }),
            ),
            good(
                "a card that was withdrawn, and whose key was compromised before",
                of(5, &|log| {
                    let end = log.withdrawal(CARD, &log.registrar.clone());
                    let gone = log.revocation(&log.publisher.clone(), 5);
                    vec![0, 1, 2, 3, 5, end, gone]
                }),
            ),
            good(
                "a card whose terms were withdrawn",
                of(5, &|log| {
                    let end = log.withdrawal(TERMS, &log.registrar.clone());
                    vec![0, 1, 2, 3, 5, end]
                }),
            ),
            good(
                "a card whose weights were redacted",
                of(5, &|log| {
                    let end = log.redaction(WEIGHTS, nothing());
                    vec![0, 1, 3, 5, end]
                }),
            ),
            good(
                "a card whose weights and terms were redacted, and that was withdrawn",
                of(5, &|log| {
                    let first = log.redaction(TERMS, nothing());
                    let second = log.redaction(WEIGHTS, nothing());
                    let end = log.withdrawal(CARD, &log.registrar.clone());
                    vec![0, 1, 5, first, second, end]
                }),
            ),
            good(
                "a card that was redacted, with its body",
                of(5, &|log| {
                    let end = log.redaction(CARD, nothing());
                    vec![0, 1, 2, 3, 5, end]
                }),
            ),
            good("a card that was redacted", as_redacted(nothing())),
            good(
                "a card that was withdrawn and then redacted",
                of(5, &|log| {
                    let first = log.withdrawal(CARD, &log.registrar.clone());
                    let end = log.redaction(CARD, nothing());
                    vec![0, 1, first, end]
                }),
            ),
            good(
                "a card that was redacted, and whose key was compromised before",
                of(5, &|log| {
                    let end = log.redaction(CARD, nothing());
                    let gone = log.revocation(&log.publisher.clone(), 5);
                    vec![0, 1, end, gone]
                }),
            ),
            good(
                "a card that was redacted by a key that was revoked",
                of(5, &|log| {
                    let end = log.redaction(CARD, nothing());
                    let gone = log.revocation(&log.registrar.clone(), end);
                    vec![0, 1, end, gone]
                }),
            ),
            good(
                "redacted weights",
                of(2, &|log| {
                    let end = log.redaction(WEIGHTS, nothing());
                    vec![0, 1, end]
                }),
            ),
            good(
                "a redaction itself",
                of(6, &|log| {
                    let end = log.redaction(CARD, nothing());
                    vec![0, 1, end]
                }),
            ),
            bad("a redacted card, at the place of a record of the bundle", as_redacted(json!({ "index": 1 })), unsaid),
            bad("a redacted card, after its redaction", as_redacted(json!({ "index": 9 })), unsaid),
            bad("a redacted card, in the place of its redaction", as_redacted(json!({ "index": 6 })), unsaid),
            bad(
                "two redacted records in one place",
                of(5, &|log| {
                    let first = log.redaction((Kind::License, "lab:stray", 4), json!({ "index": 5 }));
                    let end = log.redaction(CARD, nothing());
                    vec![0, 1, first, end]
                }),
                unsaid,
            ),
            bad(
                "a card that was redacted twice",
                of(5, &|log| {
                    let first = log.redaction(CARD, nothing());
                    let end = log.redaction(CARD, json!({ "reason": "law" }));
                    vec![0, 1, first, end]
                }),
                "signatures: the record ",
            ),
            bad(
                "a card with its body, redacted with other signers",
                of(5, &|log| {
                    let other = json!({ "signers": [log.digest(0)] });
                    let end = log.redaction(CARD, other);
                    vec![0, 1, 2, 3, 5, end]
                }),
                "signatures: the record ",
            ),
            bad(
                "a card that was redacted by one who may not",
                of(5, &|log| {
                    log.registrar = log.publisher.clone();
                    let end = log.redaction(CARD, nothing());
                    vec![0, 1, end]
                }),
                "signatures: the publisher key of ",
            ),
            bad(
                "a card whose weights are missing without a redaction",
                of(5, &|_| vec![0, 1, 3, 5]),
                "signatures: no weights ",
            ),
            bad(
                "a card that came after the redaction of its weights",
                of(7, &|log| {
                    let end = log.redaction(WEIGHTS, nothing());
                    let mut draft = log.history.nation.card_draft("model", "1.1");
                    draft["weights"] = json!([log.digest(2)]);
                    let card = log.history.nation.sign(Kind::ModelCard, draft, &[&log.publisher]);
                    log.history.push(card);
                    vec![0, 1, end, 7]
                }),
                "signatures: the weights ",
            ),
        ]
    }
}

/// A card under terms, signed by the publisher's key of that number.
fn card_under(nation: &mut Nation, terms: &Envelope, number: u8) -> Envelope {
    let mut draft = nation.card_draft("model", "1.0");
    draft["license"] = json!(terms.record_digest());
    let key = nation.key(Role::Publisher, number);
    nation.sign(Kind::ModelCard, draft, &[&key])
}

fn frames_of(bytes: &[u8]) -> Vec<Frame> {
    let mut decoder = Decoder::default();
    decoder.push(bytes);
    std::iter::from_fn(|| decoder.next_frame().unwrap()).collect()
}

fn joined(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(Frame::to_bytes).collect()
}

/// How `other` differs from the bundle of the good case `of`: at a byte, so many are replaced by these.
fn spliced(of: &str, bundle: &[u8], other: &[u8]) -> Value {
    let at = bundle.iter().zip(other).take_while(|(one, other)| one == other).count();
    let (rest, other) = (&bundle[at..], &other[at..]);
    let same = rest.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count();
    let (removed, inserted) = (rest.len() - same, &other[..other.len() - same]);
    json!({ "of": of, "at": at, "remove": removed, "insert": base64::encode(inserted) })
}

/// The bundle of a case: whole in base64, or as [`spliced`] says.
pub fn bundle_bytes(whole: &BTreeMap<&str, Vec<u8>>, case: &Value) -> Vec<u8> {
    if let Some(bundle) = case.get("bundle") {
        return base64::decode(bundle.as_str().unwrap()).unwrap();
    }
    let mut bytes = whole[text_of(case, "of")].clone();
    let place = |member: &str| usize::try_from(case[member].as_u64().unwrap()).unwrap();
    if case.get("at").is_some() {
        let inserted = base64::decode(text_of(case, "insert")).unwrap();
        bytes.splice(place("at")..place("at") + place("remove"), inserted);
    }
    bytes
}

#[test]
fn a_bundle_is_whole_or_nothing() {
    let about = "Bundles (schema/src/bundle.rs): `bundle` in base64, or the bundle of the case called `of` in which \
                 the `remove` bytes from byte `at` on are replaced by those of `insert`. `expect`: the header, the \
                 record digests in order, and the digests of the blobs. What a bundle proves is in \
                 bundle-verdict.json. `refused` is part of the reason.";
    let archive = Archive::new();
    let bytes = archive.card().write();
    let whole = BTreeMap::from([(CARD_BUNDLE, bytes.clone())]);
    let frames = frames_of(&bytes);
    let other = |other: &[u8]| spliced(CARD_BUNDLE, &bytes, other);
    // Frames 1 to 8 are envelopes and proofs, 9 and 10 are blobs, 11 is the end.
    let changed = |change: &dyn Fn(&mut Vec<Frame>)| {
        let mut frames = frames.clone();
        frames.pop();
        change(&mut frames);
        frames.push(Frame::End(frames.len() as u64));
        other(&joined(&frames))
    };
    let headed = |change: &dyn Fn(String) -> String| {
        let Frame::Header(header) = &frames[0] else { panic!("a header comes first") };
        let header = change(String::from_utf8(header.clone()).unwrap());
        changed(&|frames| frames[0] = Frame::Header(header.clone().into_bytes()))
    };
    let renamed = |from: &str, to: &str| {
        headed(&|header| {
            assert!(header.contains(from), "{from}");
            header.replacen(from, to, 1)
        })
    };
    let blobs = |count: usize| {
        changed(&|frames| frames.extend((0..count).map(|number| Frame::Blob(number.to_be_bytes().to_vec()))))
    };
    let flipped = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        other(&bytes)
    };
    let (cut, alone) = ("it was cut before its end", "an envelope stands without its proof");
    let (ends, stray) = ("it does not end where it says", "a frame stands where it does not belong");
    let last = bytes.len() - frames[11].to_bytes().len();
    let first = frames[0].to_bytes().len();
    let record = archive.history.envelopes[CARD].record_digest().to_string();
    let introduction = {
        let mut bundle = archive.history.bundle(&[CHARTER], &archive.history.checkpoint(7));
        bundle.header.purpose = Purpose::Introduction;
        bundle
    };
    let mut cases = vec![
        good(CARD_BUNDLE, json!({ "bundle": base64::encode(&bytes) })),
        good("without blobs", changed(&|frames| frames.truncate(9))),
        good("blobs in another order", changed(&|frames| frames.swap(9, 10))),
        good("an introduction", other(&introduction.write())),
        good("unknown members of the header", renamed(r#""purpose""#, r#""later":[1],"purpose""#)),
        good("a header with white space", headed(&|header| header.replace(',', ",\n "))),
        good("as many frames as are read", blobs(BUNDLE_FRAMES_MAX - 11)),
        bad("a frame too many", blobs(BUNDLE_FRAMES_MAX - 10), "has more than 256 frames"),
        bad("nothing", other(&[]), cut),
        bad("the end alone", other(&raw_frame(8, &[0; 8])), "no header comes first"),
        bad("no end", other(&bytes[..last]), cut),
        bad("cut after its header", other(&bytes[..first]), cut),
        bad("cut inside its header", other(&bytes[..20]), cut),
        bad("the last byte is missing", other(&bytes[..bytes.len() - 1]), cut),
        bad("a byte more", other(&[&bytes[..], &[0]].concat()), ends),
        bad("a second bundle after it", other(&bytes.repeat(2)), ends),
        bad(
            "an end that counts one less",
            other(&[&bytes[..last], &raw_frame(8, &10_u64.to_be_bytes())].concat()),
            ends,
        ),
        bad("an end that counts itself", other(&[&bytes[..last], &raw_frame(8, &12_u64.to_be_bytes())].concat()), ends),
        bad("an end in the middle", changed(&|frames| frames.insert(9, Frame::End(9))), ends),
        bad("a byte of its header was changed", flipped(40), "does not have the digest that the frame names"),
        bad("a byte of an envelope was changed", flipped(first + 300), "does not have the digest that the frame names"),
        bad("a byte of a blob was changed", flipped(last - 1), "does not have the digest that the frame names"),
        bad(
            "a frame of a type that nobody knows yet",
            other(&[&bytes[..last], &raw_frame(10, b""), &raw_frame(8, &12_u64.to_be_bytes())].concat()),
            "frames of type 10 are unknown",
        ),
        bad("no header", changed(&|frames| drop(frames.remove(0))), "no header comes first"),
        bad("two headers", changed(&|frames| frames.insert(1, frames[0].clone())), stray),
        bad("a header that is not JSON", headed(&|_| "header".to_owned()), "header is malformed: not strict JSON"),
        bad(
            "a header with a key that stands twice",
            renamed(r#""format""#, r#""nation":"KE","format""#),
            "the key \"nation\" stands twice",
        ),
        bad("a header that is a list", headed(&|header| format!("[{header}]")), "header is malformed"),
        bad("another format", renamed("chancery.pouch/v1", "chancery.pouch/v2"), "its format is not chancery.pouch/v1"),
        bad("a purpose that nobody knows", renamed(r#""bundle""#, r#""gift""#), "unknown variant `gift`"),
        bad("a nation that is none", renamed(r#""FR""#, r#""France""#), "\"France\" is not a nation code"),
        bad("a log that is none", renamed("fr.example.org/chancery", "https://fr.example.org"), "is not an origin"),
        bad("no record in the header", renamed(r#""record""#, r#""recard""#), "missing field `record`"),
        bad(
            "the record of the header is not there",
            changed(&|frames| drop(frames.drain(7..9))),
            "the record that the header names is missing",
        ),
        bad(
            "the header names another record",
            renamed(&record, &EMPTY_ROOT.to_string()),
            "the record that the header names is missing",
        ),
        bad(
            "no record at all",
            changed(&|frames| drop(frames.drain(1..9))),
            "the record that the header names is missing",
        ),
        bad("an envelope without its proof", changed(&|frames| drop(frames.remove(4))), alone),
        bad("the last envelope without its proof", changed(&|frames| frames.truncate(8)), alone),
        bad("a proof without its envelope", changed(&|frames| drop(frames.remove(3))), stray),
        bad("a proof before its envelope", changed(&|frames| frames.swap(1, 2)), stray),
        bad(
            "a record twice",
            changed(&|frames| {
                let pair = [frames[3].clone(), frames[4].clone()];
                frames.splice(5..5, pair);
            }),
            "a record stands twice",
        ),
        bad(
            "an envelope that is not in its fixed form",
            changed(&|frames| {
                let Frame::Envelope(envelope) = &mut frames[1] else { panic!("an envelope") };
                envelope.push(b'\n');
            }),
            "the envelope is not in its fixed form",
        ),
        bad(
            "an envelope that is none",
            changed(&|frames| frames[1] = Frame::Envelope(b"{}".to_vec())),
            "payloadType is missing or malformed",
        ),
        bad(
            "a proof that is not UTF-8",
            changed(&|frames| frames[2] = Frame::Proof(vec![0xff])),
            "a proof is not text",
        ),
        bad("a blob twice", changed(&|frames| frames.push(frames[9].clone())), "a blob stands twice"),
        bad(
            "a record after the blobs",
            changed(&|frames| {
                let blob = frames.remove(9);
                frames.insert(7, blob);
            }),
            stray,
        ),
    ];
    for (name, frame) in [
        ("a checkpoint", Frame::Checkpoint(archive.checkpoint().to_string().into_bytes())),
        ("a missing body", Frame::Missing(EMPTY_ROOT)),
    ] {
        cases.push(bad(format!("{name} among the records"), changed(&|frames| frames.insert(5, frame.clone())), stray));
    }
    check("bundle", about, &cases, |case| {
        let bytes = bundle_bytes(&whole, case);
        let bundle = Bundle::read(&bytes).map_err(|error| reason(&error))?;
        assert_eq!(Bundle::read(&bundle.write()), Ok(bundle.clone()), "what is written is read");
        Ok(json!({
            "header": bundle.header,
            "records": bundle.records.iter().map(|it| it.envelope.record_digest()).collect::<Vec<_>>(),
            "blobs": bundle.blobs.keys().collect::<Vec<_>>(),
        }))
    });
}

#[test]
fn a_bundle_proves_what_it_says_or_nothing() {
    let about = "What a bundle proves (schema/src/bundle/verify.rs) to a reader who pins a `fingerprint`, or trusts a \
                 `policy`. The bundle as in bundle.json; those of the cases called `of` are here. `expect`: the \
                 verdict, each step and how it ended, and what is then known. `refused`: the step that failed, a \
                 colon, and part of the reason.";
    let archive = Archive::new();
    let history = &archive.history;
    let bundle = archive.card();
    let bytes = bundle.write();
    let mut whole = BTreeMap::from([(CARD_BUNDLE, bytes.clone())]);
    let pinned = |mut case: Value| {
        case["fingerprint"] = json!(history.fingerprint());
        case
    };
    let policed = |mut case: Value, policy: String| {
        case["policy"] = json!(policy);
        case
    };
    let other = |bundle: &Bundle| spliced(CARD_BUNDLE, &bytes, &bundle.write());
    let changed = |change: &dyn Fn(&mut Bundle)| {
        let mut bundle = bundle.clone();
        change(&mut bundle);
        pinned(other(&bundle))
    };
    let same = || json!({ "of": CARD_BUNDLE });
    let cosigned = |policy: &str| policed(same(), archive.policy(policy));
    let both = "group both all KE BR\nquorum both";
    let with_note = |from: &str, to: &str| {
        changed(&|bundle| {
            for record in &mut bundle.records {
                assert!(record.proof.contains(from), "{from}");
                record.proof = record.proof.replacen(from, to, 1);
            }
        })
    };
    let under = |checkpoint: &SignedCheckpoint, index: usize| LoggedRecord {
        envelope: history.envelopes[index].clone(),
        proof: history.proof(index, checkpoint).to_string(),
    };
    // The same log at the same size, signed alike, and cosigned by one partner only.
    let less_seen = history.cosigned(7, &[&archive.partners[0]]);
    let smaller = history.cosigned(4, &archive.partners.iter().collect::<Vec<_>>());
    let cosignatures: Vec<String> = archive.checkpoint().note().signatures().iter().map(ToString::to_string).collect();
    let line_of_smaller = smaller.note().signatures()[1].to_string();
    let mut moved = History { nation: Nation::new("FR"), envelopes: Vec::new(), tree: MemoryTree::new() };
    for index in [PUBLISHER, CHARTER, TERMS, CARD] {
        moved.push(history.envelopes[index].clone());
    }
    let impostor = {
        // Another nation's log key signs the same tree under the origin of FR.
        let root = history.checkpoint(7).checkpoint().root;
        let checkpoint = Checkpoint { origin: history.nation.origin.clone(), size: 7, root };
        checkpoint::sign(checkpoint, &Nation::new("KE").key(Role::Log, 0)).unwrap()
    };
    let kenya = History::found("KE");
    let resigned = |index: usize| {
        // The payload as it is, and a signature that is not of its publisher.
        let payload = history.envelopes[index].payload().to_vec();
        Envelope::sign(payload, &[&history.nation.key(Role::Publisher, 1) as &dyn Signer]).unwrap()
    };
    let does_not_lead = "log: failed to verify that the entry is in the log";
    // A card, and after it the end of its key, for which a bundle of the card has place too.
    let revoked = |draft: Value| {
        let mut log = History::found("FR");
        let card = log.nation.card("model", "1.0");
        log.push(card);
        let mut draft = draft;
        draft["key"] = json!(log.nation.key_record(Role::Publisher, 0).keyid);
        let revocation = log.nation.sign(Kind::Revocation, draft, &[&log.nation.key(Role::Registrar, 0)]);
        log.push(revocation);
        let mut bundle = log.bundle(&[0, 1, 2, 3], &log.checkpoint(4));
        bundle.header.record = log.envelopes[2].record_digest();
        let bytes = base64::encode(&bundle.write());
        json!({ "bundle": bytes, "fingerprint": log.fingerprint() })
    };
    let mut cases = vec![
        good(CARD_BUNDLE, pinned(json!({ "bundle": base64::encode(&bytes) }))),
        good("a card, by a policy that asks for nobody", cosigned("quorum none")),
        good("a card, by a policy that asks for one", cosigned("quorum BR")),
        good("a card, by a policy that asks for both", cosigned(both)),
        good(
            "a card that one of two has seen: under-witnessed",
            policed(
                other(&{
                    let mut bundle = bundle.clone();
                    bundle.records = [CHARTER, PUBLISHER, TERMS, CARD].map(|index| under(&less_seen, index)).into();
                    bundle
                }),
                archive.policy(both),
            ),
        ),
        good("a card whose key was retired after it", revoked(json!({ "reason": "retired" }))),
        good(
            "a card whose key was compromised before it",
            revoked(json!({ "reason": "compromised-since", "since": 2 })),
        ),
        good(
            "a card whose key was compromised after it",
            revoked(json!({ "reason": "compromised-since", "since": 3 })),
        ),
        good(
            "a card whose key was compromised, nobody knows when",
            revoked(json!({ "reason": "compromised-unknown" })),
        ),
        good("a card without its blobs", changed(&|bundle| bundle.blobs.clear())),
        good(
            "a card without its document",
            changed(&|bundle| drop(bundle.blobs.remove(&Digest::of(b"# model 1.0\n")))),
        ),
        bad(
            "with a blob that no record names",
            changed(&|bundle| drop(bundle.blobs.insert(Digest::of(b"more"), b"more".to_vec()))),
            "blobs: no record of the bundle names the blob ",
        ),
        bad(
            "with a blob of another size than its record says",
            pinned(other(&archive.bundle(&[CHARTER, PUBLISHER, TERMS, OTHER_SIZE]))),
            "blobs: the blob ",
        ),
        good(
            "terms, of which the bundle is about the second last",
            changed(&|bundle| bundle.header.record = history.envelopes[TERMS].record_digest()),
        ),
        good("the charter alone", pinned(other(&history.bundle(&[CHARTER], &archive.checkpoint())))),
        bad(
            "another fingerprint",
            {
                let mut case = same();
                case["fingerprint"] = json!(kenya.fingerprint());
                case
            },
            format!(
                "nation: the charter of FR has the fingerprint {}, not the pinned {}",
                history.fingerprint(),
                kenya.fingerprint()
            ),
        ),
        bad(
            "the digest of the envelope for a fingerprint",
            {
                let mut case = same();
                case["fingerprint"] = json!(history.envelopes[CHARTER].digest());
                case
            },
            "not the pinned",
        ),
        bad(
            "a policy that names another log",
            policed(same(), format!("log {}\nquorum none\n", kenya.log_key())),
            "which the policy does not name",
        ),
        bad(
            "a policy that names no log",
            policed(same(), "quorum none\n".to_owned()),
            "which the policy does not name",
        ),
        bad(
            "a header that names another nation",
            changed(&|bundle| bundle.header.nation = kenya.nation.code.clone()),
            "nation: the bundle's header names another nation or log than its charter",
        ),
        bad(
            "a header that names another log",
            changed(&|bundle| bundle.header.log = kenya.nation.origin.clone()),
            "nation: the bundle's header names another nation or log than its charter",
        ),
        bad(
            "without charter",
            changed(&|bundle| drop(bundle.records.remove(0))),
            "nation: the first record is not a charter",
        ),
        bad(
            "another nation's charter",
            changed(&|bundle| {
                bundle.records[0] = LoggedRecord {
                    envelope: kenya.envelopes[0].clone(),
                    proof: kenya.proof(0, &kenya.checkpoint(2)).to_string(),
                }
            }),
            "nation: the charter of KE has the fingerprint",
        ),
        bad(
            "the charter is not entry 0",
            changed(&|bundle| {
                let checkpoint = moved.checkpoint(4);
                bundle.records = (0..4)
                    .map(|index| LoggedRecord {
                        envelope: moved.envelopes[index].clone(),
                        proof: moved.proof(index, &checkpoint).to_string(),
                    })
                    .collect();
                bundle.records.swap(0, 1);
            }),
            "log: the records do not stand in the order of the log, from its charter on",
        ),
        bad(
            "the log's key did not sign",
            changed(&|bundle| {
                bundle.records = [CHARTER, PUBLISHER, TERMS, CARD].map(|index| under(&impostor, index)).into();
            }),
            "log: failed to open the checkpoint of a proof",
        ),
        bad(
            "the checkpoint's size was changed",
            with_note("\n7\n", "\n8\n"),
            "log: failed to open the checkpoint of a proof",
        ),
        bad(
            "the checkpoint is another log's",
            changed(&|bundle| {
                let (_, note) = bundle.records[3].proof.split_once("\n\n").unwrap();
                let note = note.to_owned();
                for record in &mut bundle.records {
                    record.proof = record.proof.replace(&note, &kenya.checkpoint(2).to_string());
                }
            }),
            "log: failed to open the checkpoint of a proof",
        ),
        bad(
            "a proof of another entry",
            changed(&|bundle| {
                let proof = bundle.records[2].proof.clone();
                bundle.records[3].proof = proof;
            }),
            does_not_lead,
        ),
        bad(
            "a proof that says another index",
            changed(&|bundle| bundle.records[3].proof = bundle.records[3].proof.replacen("index 3", "index 2", 1)),
            does_not_lead,
        ),
        bad(
            "a proof without its hashes",
            changed(&|bundle| {
                let (_, note) = bundle.records[3].proof.split_once("\n\n").unwrap();
                bundle.records[3].proof = format!("c2sp.org/tlog-proof@v1\nindex 3\n\n{note}");
            }),
            does_not_lead,
        ),
        bad("no proof", changed(&|bundle| bundle.records[3].proof.clear()), "log: a proof is c2sp.org/tlog-proof@v1"),
        bad(
            "proofs under two sizes",
            changed(&|bundle| bundle.records[3] = under(&smaller, CARD)),
            "log: the proofs stand under different checkpoints",
        ),
        bad(
            "proofs under one checkpoint cosigned differently",
            changed(&|bundle| bundle.records[3] = under(&less_seen, CARD)),
            "log: the proofs stand under different checkpoints",
        ),
        bad(
            "records out of order",
            changed(&|bundle| bundle.records.swap(1, 2)),
            "log: the records do not stand in the order of the log",
        ),
        bad(
            "an envelope that was signed again by another",
            changed(&|bundle| bundle.records[3].envelope = resigned(CARD)),
            does_not_lead,
        ),
        bad(
            "an envelope with a signature more",
            changed(&|bundle| {
                bundle.records[3].envelope.add_signature(&history.nation.key(Role::Publisher, 1)).unwrap();
            }),
            does_not_lead,
        ),
        bad(
            "without the publisher's delegation",
            changed(&|bundle| drop(bundle.records.remove(1))),
            "signatures: the key ",
        ),
        bad(
            "without the terms that the card names",
            changed(&|bundle| drop(bundle.records.remove(2))),
            "signatures: no license ",
        ),
        bad(
            "a card by a stranger, though it stands in the log",
            pinned(other(&archive.bundle(&[CHARTER, PUBLISHER, TERMS, STRANGERS_CARD]))),
            "signatures: the key ",
        ),
        bad(
            "another first charter, though it stands in the log",
            pinned(other(&archive.bundle(&[CHARTER, ANOTHER_CHARTER]))),
            "signatures: version 1 of the charter is in force",
        ),
        bad(
            "a cosignature of another size",
            {
                let mut case = with_note(&cosignatures[1], &line_of_smaller);
                case.as_object_mut().unwrap().remove("fingerprint");
                policed(case, archive.policy("quorum BR"))
            },
            "cosignatures: the signature of ke.example.org/chancery/witness does not hold",
        ),
    ];
    let history = reign();
    let reign = reign_bundle(&history, &(0..history.envelopes.len()).collect::<Vec<_>>());
    cases.extend(reign_cases(&history, &reign));
    whole.insert(REIGN_BUNDLE, reign);
    let ended = Ended::new();
    let bytes = ended.bundle(&[0, 1, 2, 3, 4, 5], 5).write();
    cases.extend(ended.cases(&bytes));
    whole.insert(ENDED_BUNDLE, bytes);
    check("bundle-verdict", about, &cases, |case| read_bundle(&bundle_bytes(&whole, case), case));
}

pub fn read_bundle(bytes: &[u8], case: &Value) -> Verdict {
    let bundle = Bundle::read(bytes).unwrap();
    let trust = match case.get("policy") {
        Some(policy) => Trust::Policy(Box::new(Policy::parse(policy.as_str().unwrap().as_bytes()).unwrap())),
        None => Trust::Fingerprint(text_of(case, "fingerprint").parse().unwrap()),
    };
    let report = verify(&bundle, &trust);
    let last = report.checks.last().unwrap();
    if report.verdict == Judgement::Failed {
        return Err(format!("{}: {}", last.what, last.detail));
    }
    let cosigners = report.cosigners.iter().map(|it| json!([it.name, it.at]));
    Ok(json!({
        "verdict": report.verdict,
        "checks": report.checks.iter().map(|check| json!([check.what, check.outcome])).collect::<Vec<_>>(),
        "nation": report.nation,
        "log": report.log,
        "charterVersion": report.charter_version,
        "record": report.record,
        "kind": report.kind,
        "index": report.index,
        "size": report.size,
        "signers": report.signers,
        "cosigners": cosigners.collect::<Vec<_>>(),
        "end": report.end,
    }))
}
