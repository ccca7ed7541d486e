//! Fifty genuine records of every kind, in one log, with the blobs that they name.

use std::collections::BTreeMap;

use chancery_schema::admission::State;
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::key::Role;
use chancery_schema::limits::CHUNK_BYTES;
use chancery_schema::log::policy::Policy;
use chancery_schema::record::{Kind, WeightsFile, chunk_hash, chunk_root, manifest_text, oms_root};
use chancery_tests::history::{History, witness_key};
use chancery_tests::nation::{Judge, Nation, blob};
use serde_json::{Value, json};

/// How many records there are.
pub const COUNT: usize = 50;

/// A log, and what is known beside it.
pub struct Golden {
    /// The log.
    pub history: History,
    /// The state of the log before each record, as a mirror knows it.
    pub states: Vec<State>,
    /// The blobs that the records name.
    pub blobs: BTreeMap<Digest, Vec<u8>>,
    /// The partners that cosign.
    pub partners: [Nation; 2],
}

impl Golden {
    /// Signs and enters the records.
    pub fn make() -> Self {
        let mut history = History::found("FR");
        let mut blobs = BTreeMap::new();
        let partners = [Nation::new("KE"), Nation::new("BR")];
        keys_and_partners(&mut history, &partners);
        for number in 0.. {
            for envelope in release(&mut history.nation, number, &mut blobs) {
                if history.envelopes.len() < COUNT {
                    history.push(envelope);
                }
            }
            if history.envelopes.len() == COUNT {
                break;
            }
        }
        let states = states(&history);
        Self { history, states, blobs, partners }
    }

    /// The log's key and both partners: without all three signatures nothing is believed.
    pub fn policy(&self) -> Policy {
        let [first, second] = self.partners.each_ref().map(witness_key);
        let log = self.history.log_key();
        let text = format!("log {log}\nwitness w1 {first}\nwitness w2 {second}\ngroup both all w1 w2\nquorum both\n");
        Policy::parse(text.as_bytes()).unwrap()
    }

    /// The positions of the records of one kind.
    pub fn positions(&self, kind: Kind) -> impl Iterator<Item = usize> + '_ {
        (0..COUNT).filter(move |index| self.history.entry(*index).kind() == kind.as_str())
    }
}

/// The body of an endpoint of a nation.
pub fn endpoint_draft(nation: &Nation) -> Value {
    json!({ "key": nation.key_record(Role::Transport, 0), "addresses": ["/dns4/node.example.org/tcp/4001"] })
}

/// The body of an accreditation of `partner`.
pub fn accreditation_draft(partner: &Nation) -> Value {
    json!({
        "partner": partner.code,
        "fingerprint": Digest::of(partner.code.as_str().as_bytes()),
        "partnerLog": partner.origin,
        "scopes": ["mirror", "cosign", "exchange"],
        "quota": { "entriesPerDay": 1000, "bytesPerDay": 1 << 30 },
    })
}

/// The body of weights with one small file, whose bytes are known, and one of four chunks, of which
/// only the hashes are; with the blob of chunk hashes.
pub fn weights_draft(name: &str) -> (Value, Vec<u8>) {
    let small = small_file(name);
    let leaves: Vec<[u8; 32]> =
        (0..4).map(|chunk| *chunk_hash(format!("{name} {chunk}").as_bytes()).as_bytes()).collect();
    let file = |path: &str, size_bytes, sha256, leaves: &[[u8; 32]]| WeightsFile {
        path: path.to_owned(),
        size_bytes,
        sha256,
        chunk_root: chunk_root(leaves),
        format: None,
    };
    let first = *chunk_hash(&small).as_bytes();
    let files = [
        file("config.json", small.len() as u64, Digest::of(&small), &[first]),
        file("model.safetensors", 3 * CHUNK_BYTES + 1, Digest::of(name.as_bytes()), &leaves),
    ];
    let hashes = [[first].as_slice(), &leaves].concat().concat();
    let draft = json!({
        "org": "lab",
        "name": name,
        "version": "1.0",
        "totalBytes": files.iter().map(|file| file.size_bytes).sum::<u64>(),
        "chunkBytes": CHUNK_BYTES,
        "chunkHashes": blob(&hashes, "application/octet-stream"),
        "manifest": Digest::of(manifest_text(&files).as_bytes()),
        "omsRoot": oms_root(&files),
        "files": files,
    });
    (draft, hashes)
}

/// The bytes of the small file.
pub fn small_file(name: &str) -> Vec<u8> {
    format!("{{\"model_type\":\"{name}\",\"hidden_size\":4096}}").into_bytes()
}

fn keys_and_partners(history: &mut History, partners: &[Nation]) {
    let nation = &mut history.nation;
    let (registrar, exchange, node) =
        (nation.key(Role::Registrar, 0), nation.key(Role::Exchange, 0), nation.key(Role::Node, 0));
    let mut envelopes = vec![
        nation.delegation(Role::Exchange, &[Kind::Accreditation], &[]),
        nation.delegation(Role::Node, &[Kind::Endpoint], &[]),
        nation.sign(Kind::Endpoint, endpoint_draft(nation), &[&registrar]),
        nation.sign(Kind::Endpoint, endpoint_draft(nation), &[&node, &registrar]),
    ];
    envelopes.extend(partners.iter().map(|it| nation.sign(Kind::Accreditation, accreditation_draft(it), &[&exchange])));
    for envelope in envelopes {
        history.push(envelope);
    }
}

/// Weights, license and card of one model.
fn release(nation: &mut Nation, number: usize, blobs: &mut BTreeMap<Digest, Vec<u8>>) -> [Envelope; 3] {
    let name = format!("model-{number}");
    let publisher = nation.key(Role::Publisher, 0);
    let (weights, hashes) = weights_draft(&name);
    let weights = nation.sign(Kind::Weights, weights, &[&publisher]);
    let license = nation.license(&name);
    let mut card = nation.card_draft(&name, "1.0");
    card["weights"] = json!([weights.record_digest()]);
    card["license"] = json!(license.record_digest());
    let card = nation.sign(Kind::ModelCard, card, &[&publisher]);
    let texts = [format!("Sample terms {name}.\n"), format!("# {name} 1.0\n")].map(String::into_bytes);
    blobs.extend(texts.into_iter().chain([hashes]).map(|bytes| (Digest::of(&bytes), bytes)));
    [weights, license, card]
}

fn states(history: &History) -> Vec<State> {
    let mut judge = Judge::default();
    let judged = history.envelopes.iter().map(|envelope| {
        let before = judge.state.clone();
        judge.admit(&history.nation.origin, envelope).unwrap();
        before
    });
    judged.collect()
}
