//! Pouches as a sender would make them, and as one that lies would.

use std::collections::BTreeMap;

use chancery_registry::blobs_named;
use chancery_schema::digest::Digest;
use chancery_schema::frame::{Frame, Package};
use chancery_schema::key::{Role, Signer};
use chancery_schema::log::note::Signature;
use chancery_schema::log::tree::subtree_consistency_proof;
use chancery_schema::pouch::{Holding, Seal};
use chancery_schema::record::{Header, Kind};
use chancery_tests::history::History;
use chancery_tests::nation::Nation;
use ed25519_dalek::SigningKey;
use serde_json::json;

/// France's log of 20 entries: charter, publisher, node, endpoint, then cards, each with its document. With
/// another `story` the cards are other ones.
pub fn france(story: &str) -> History {
    let mut history = History::found("FR");
    let node = history.nation.delegation(Role::Node, &[Kind::Endpoint, Kind::Evidence], &[]);
    history.push(node);
    let draft = json!({ "key": history.nation.key_record(Role::Transport, 0), "addresses": [] });
    let key = history.nation.key(Role::Node, 0);
    let endpoint = history.nation.sign(Kind::Endpoint, draft, &[&key]);
    history.push(endpoint);
    for number in 4..20 {
        let card = history.nation.card(&format!("m{story}"), &number.to_string());
        history.push(card);
    }
    history
}

/// A log in a pouch: its head, and packages of `each` entries with what follows them, from entry 0 on.
pub fn log_frames(history: &History, each: usize, size: u64) -> Vec<Frame> {
    let each = if each == 0 { 256 } else { each as u64 };
    let mut frames = vec![note(history, size)];
    let mut start = 0;
    while start < size {
        let end = size.min(start + each);
        frames.extend(package_frames(history, start, end, size));
        start = end;
    }
    frames
}

/// The same without the first packages.
pub fn from_the_middle(history: &History, start: u64, size: u64) -> Vec<Frame> {
    let mut frames = vec![note(history, size)];
    frames.extend(package_frames(history, start, size, size));
    frames
}

fn note(history: &History, size: u64) -> Frame {
    let kenya = Nation::new("KE");
    Frame::Checkpoint(history.cosigned(size, &[&kenya]).to_string().into_bytes())
}

/// A package, the envelopes and blobs of its entries, and a cosigned checkpoint at its end.
fn package_frames(history: &History, start: u64, end: u64, size: u64) -> Vec<Frame> {
    let blobs: BTreeMap<Digest, Vec<u8>> = documents(history);
    let range = usize::try_from(start).unwrap()..usize::try_from(end).unwrap();
    let package = Package {
        origin: history.nation.origin.clone(),
        start,
        tree_size: size,
        entries: range.clone().map(|index| history.entry(index).to_bytes()).collect(),
        proof: proof(history, end, size),
    };
    let mut frames = vec![Frame::Package(package)];
    for envelope in &history.envelopes[range] {
        let bytes = envelope.to_bytes();
        let named = blobs_named(&bytes);
        frames.push(Frame::Envelope(bytes));
        frames.extend(named.iter().map(|blob| Frame::Blob(blobs[&blob.sha256].clone())));
    }
    frames.push(note(history, end));
    frames
}

fn proof(history: &History, end: u64, size: u64) -> Vec<Digest> {
    let tree = (0..usize::try_from(size).unwrap()).map(|index| history.entry(index).leaf_hash());
    let tree: chancery_schema::log::tree::MemoryTree = tree.collect();
    subtree_consistency_proof(&tree, 0, end, size).unwrap()
}

fn documents(history: &History) -> BTreeMap<Digest, Vec<u8>> {
    let names =
        ["m", "mrebuilt"].into_iter().flat_map(|name| (4..20).map(move |number| format!("# {name} {number}\n")));
    let documents = names.map(String::into_bytes).map(|bytes| (Digest::of(&bytes), bytes)).collect();
    assert!(history.size() >= 2);
    documents
}

/// What a lying sender may put in the place of a frame.
pub fn lies(history: &History, frame: &Frame) -> Vec<(&'static str, Frame)> {
    match frame {
        Frame::Package(package) => {
            package_lies(package).into_iter().map(|(what, it)| (what, Frame::Package(it))).collect()
        }
        Frame::Envelope(bytes) => vec![
            ("changed", Frame::Envelope(flipped(bytes))),
            (
                "replaced",
                Frame::Envelope(
                    history.envelopes[0].to_bytes().repeat(1 + usize::from(bytes == &history.envelopes[0].to_bytes())),
                ),
            ),
            ("called a blob", Frame::Blob(bytes.clone())),
            ("missing by another digest", Frame::Missing(Digest::of(b"other"))),
            ("oversize", Frame::Envelope(vec![b'x'; 2 << 20])),
        ],
        Frame::Blob(bytes) => vec![
            ("changed", Frame::Blob(flipped(bytes))),
            ("called an envelope", Frame::Envelope(bytes.clone())),
            ("missing by another digest", Frame::Missing(Digest::of(b"other"))),
            ("oversize", Frame::Blob(vec![b'x'; 16 << 20])),
        ],
        Frame::Checkpoint(bytes) => {
            let text = String::from_utf8(bytes.clone()).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            let changed = text.replacen(lines[2], &Digest::of(b"other").to_base64(), 1);
            let other = text.replacen(lines[0], "br.example.org/chancery", 1);
            vec![
                ("with another root", Frame::Checkpoint(changed.into_bytes())),
                ("of another log", Frame::Checkpoint(other.into_bytes())),
                ("changed", Frame::Checkpoint(flipped(bytes))),
                ("cut", Frame::Checkpoint(bytes[..bytes.len() / 2].to_vec())),
                (
                    "without signatures",
                    Frame::Checkpoint(format!("{}\n{}\n{}\n\n", lines[0], lines[1], lines[2]).into_bytes()),
                ),
            ]
        }
        _ => Vec::new(),
    }
}

fn package_lies(package: &Package) -> Vec<(&'static str, Package)> {
    let changed = |change: &dyn Fn(&mut Package)| {
        let mut package = package.clone();
        change(&mut package);
        package
    };
    let mut lies = vec![
        ("beginning later", changed(&|it| it.start += 1)),
        ("beginning 256 later", changed(&|it| (it.start, it.tree_size) = (it.start + 256, it.tree_size + 256))),
        ("of a larger tree", changed(&|it| it.tree_size += 1)),
        ("of another log", changed(&|it| it.origin = "br.example.org/chancery".parse().unwrap())),
        ("with an entry changed", changed(&|it| it.entries[0] = flipped(&it.entries[0]))),
        ("with an entry doubled", changed(&|it| it.entries[1] = it.entries[0].clone())),
        ("with two entries swapped", changed(&|it| it.entries.swap(0, 1))),
        ("with an entry dropped", changed(&|it| drop(it.entries.pop()))),
        ("with a hash more", changed(&|it| it.proof.push(Digest::of(b"other")))),
    ];
    if !package.proof.is_empty() {
        lies.push(("with a hash changed", changed(&|it| it.proof[0] = Digest::of(b"other"))));
        lies.push(("with a hash dropped", changed(&|it| it.proof.truncate(it.proof.len() - 1))));
    }
    lies
}

fn flipped(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    bytes
}

/// A line with the name and key of one, and the signature of the other.
pub fn relined(claimed: &Signature, made: &Signature) -> Signature {
    let (claimed, made) = (claimed.to_string(), made.to_string());
    let (name, bytes) = claimed.rsplit_once(' ').unwrap();
    let key = chancery_schema::base64::decode(bytes).unwrap();
    let signature = chancery_schema::base64::decode(made.rsplit_once(' ').unwrap().1).unwrap();
    let bytes = [&key[..4], &signature[4..]].concat();
    Signature::parse(&format!("{name} {}", chancery_schema::base64::encode(&bytes))).unwrap()
}

/// What is sealed, and by whom.
pub struct Sealing {
    pub header: Header,
    pub holds: Vec<Holding>,
    pub key: SigningKey,
}

impl Sealing {
    /// As France's node seals these frames for Kenya.
    pub fn of(history: &History, frames: &[Frame]) -> Self {
        let mut nation = Nation::new("FR");
        let size = frames.iter().find_map(|frame| match frame {
            Frame::Checkpoint(note) => std::str::from_utf8(note).ok()?.lines().nth(1)?.parse().ok(),
            _ => None,
        });
        let header = Header { audience: Some(vec!["KE".parse().unwrap()]), ..nation.header() };
        let holds = vec![Holding { log: history.nation.origin.clone(), size: size.unwrap_or(20) }];
        Self { header, holds, key: history.nation.key(Role::Node, 0) }
    }

    /// The header's envelope over volumes with these contents.
    pub fn envelope(&self, contents: &[Vec<u8>]) -> Vec<u8> {
        let volumes = contents.iter().map(|contents| Digest::of(contents)).collect();
        let key: &dyn Signer = &self.key;
        match Seal::sign(self.header.clone(), self.holds.clone(), volumes, key).unwrap().to_frame() {
            Frame::Header(envelope) => envelope,
            other => panic!("a seal is a header and not {other:?}"),
        }
    }

    /// Volumes with these contents.
    pub fn over(&self, contents: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let header = Frame::Header(self.envelope(contents)).to_bytes();
        contents.iter().map(|contents| [&header[..], contents].concat()).collect()
    }
}

/// What follows the header of a volume.
pub fn volume(frames: &[Frame]) -> Vec<u8> {
    let end = Frame::End(frames.len() as u64 + 1);
    frames.iter().chain([&end]).flat_map(Frame::to_bytes).collect()
}

/// Volumes of these frames.
pub fn seal(sealing: &Sealing, parts: &[&[Frame]]) -> Vec<Vec<u8>> {
    sealing.over(&parts.iter().map(|frames| volume(frames)).collect::<Vec<_>>())
}
