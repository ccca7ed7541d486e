//! T27: records are redacted, and nothing of them is left in any file of any node: not of the nation's own, nor of
//! a partner that held them, nor of one that joins later. All that is not redacted is proven as before.
//!
//! Nodes are real processes. Each record has a word that stands nowhere else, in its text and in its blob; the
//! files are searched for it as it is and as base64 has it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chancery_schema::admission::Submission;
use chancery_schema::base64;
use chancery_schema::bundle::{self, Bundle, Trust};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::key::{Role, Signer};
use chancery_schema::log::tree::leaf_hash;
use chancery_schema::record::{Header, Kind, Nonce, payload};
use chancery_tests::command::{chancery, succeed};
use chancery_tests::database::is_postgres;
use chancery_tests::federation::{Federation, PATIENCE};
use chancery_tests::nation::Nation;
use chancery_tests::node::{NATIONS, Node};
use chancery_tests::row::{Share, Tally};
use serde_json::{Value, json};

/// What is asked of a record that was redacted.
const REDACTED: &str = "query ($digest: Digest!) { record(digest: $digest) {
    verdict { state } envelope entry proof index erasure { receipts { nation { code } } silent { code } }
} }";

/// A record that is redacted, and the word that stands in it alone.
struct Secret {
    digest: Digest,
    word: String,
}

/// A publisher whose key is in memory, so that hundreds of records are signed at once.
struct Publisher {
    nation: Nation,
    issued_at: String,
    nonces: u64,
}

pub fn run(share: Share) -> (Tally, String) {
    let count = share.of(9, 200);
    let home = tempfile::tempdir().unwrap();
    let mut tally = Tally::default();
    let mut federation = Federation::start(home.path(), &NATIONS[..2]).unwrap();
    let mut publisher = Publisher::enrol(federation.node("FR"));
    let secrets: Vec<Secret> = (0..count).map(|number| publisher.secret(federation.node("FR"), number)).collect();
    let kept: Vec<Digest> =
        (0..count.div_ceil(2)).map(|number| publisher.card(federation.node("FR"), &format!("kept-{number}"))).collect();
    wait(|| kept.iter().chain(secrets.iter().map(|it| &it.digest)).all(|digest| holds(federation.node("KE"), digest)));
    for code in ["FR", "KE"] {
        let found = search(&files(&federation.node(code).folder), &secrets);
        tally.expect(found == secrets.len(), || format!("{code} has {found} of {count} words before any is redacted"));
    }

    let node = federation.node("FR");
    let mut redact = chancery(node.home());
    redact.arg("redact").args(secrets.iter().map(|secret| secret.digest.to_string()));
    redact.args(["--reason", "personal-data", "--yes", "--node", &node.url]).arg("--key");
    redact.arg(node.folder.join("keys").join("registrar.key")).arg("--keep").arg(home.path());
    succeed(&mut redact).unwrap();
    join(home.path(), &mut federation);
    wait(|| federation.nodes.iter().all(|node| secrets.iter().all(|secret| is_gone(node, &secret.digest))));

    let fingerprint = federation.node("FR").fingerprint().unwrap().parse().unwrap();
    for node in &federation.nodes {
        for digest in &kept {
            let bundle = Bundle::read(&node.get(&format!("/bundle/{digest}")).unwrap()).unwrap();
            let verdict = bundle::verify(&bundle, &Trust::Fingerprint(fingerprint)).verdict;
            tally.expect(verdict == bundle::Verdict::Verified, || format!("{}: {digest} is {verdict:?}", node.code));
        }
        for secret in &secrets {
            let shown = ask(node, &secret.digest);
            let proven = shown["entry"].is_string() && shown["proof"].is_string() && shown["envelope"].is_null();
            tally.expect(proven, || format!("{}: {} is not shown as it should be: {shown}", node.code, secret.digest));
        }
    }
    for node in &mut federation.nodes {
        node.stop().unwrap();
    }
    let (mut searched, mut bytes) = (0, 0);
    for node in &federation.nodes {
        let files = files(&node.folder);
        searched += files.len();
        bytes += files.iter().map(|(_, content)| content.len()).sum::<usize>();
        for secret in &secrets {
            let place = files.iter().find(|(_, content)| has(content, &secret.word)).map(|(path, _)| path);
            tally.expect(place.is_none(), || format!("{}: {} is in {place:?}", node.code, secret.word));
        }
    }
    let rebuilt: Vec<Value> = federation.nodes.iter().map(rebuild).collect();
    for view in &rebuilt {
        tally.expect(view["before"] == view["after"], || format!("a view that is computed again is another: {view}"));
        tally.expect(view["after"] == rebuilt[0]["after"], || format!("nodes have other views: {rebuilt:?}"));
    }
    let tried = format!(
        "{count} cards, licenses and weights redacted, 3 nodes of which one joined after, {searched} files of {} KiB \
         searched for each word; {} other records proven on each, receipts of all 3{}",
        bytes >> 10,
        kept.len(),
        left_in_write_ahead_log(&secrets),
    );
    (tally, tried)
}

/// A third nation joins, and all accredit each other.
fn join(home: &Path, federation: &mut Federation) {
    let mut late = Node::found(home, &NATIONS[2]).unwrap();
    late.start().unwrap();
    for node in &federation.nodes {
        node.accredit(&late).unwrap();
        late.accredit(node).unwrap();
    }
    federation.nodes.push(late);
}

fn ask(node: &Node, digest: &Digest) -> Value {
    node.ask(REDACTED, &json!({ "digest": digest })).unwrap()["record"].take()
}

fn holds(node: &Node, digest: &Digest) -> bool {
    let shown = ask(node, digest);
    shown["verdict"]["state"] == "VALID"
}

/// A node knows that a record is redacted, and that every nation says that it is gone.
fn is_gone(node: &Node, digest: &Digest) -> bool {
    let shown = ask(node, digest);
    let receipts = shown["erasure"]["receipts"].as_array().map_or(0, Vec::len);
    shown["verdict"]["state"] == "REDACTED" && receipts == 3 && shown["erasure"]["silent"] == json!([])
}

fn wait(done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < 2 * PATIENCE, "it takes too long");
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// Computes the view again; answers its digest before and after.
fn rebuild(node: &Node) -> Value {
    let said = succeed(chancery(node.home()).args(["--json", "view", "rebuild", "--dir"]).arg(&node.folder)).unwrap();
    serde_json::from_str(&said).unwrap()
}

impl Publisher {
    fn enrol(node: &Node) -> Self {
        let nation = Nation::new(&node.code);
        let at = |name: &str| node.home().join(name);
        let half = json!({
            "nation": nation.code,
            "origin": nation.origin,
            "role": Role::Publisher,
            "key": nation.key_record(Role::Publisher, 0),
        });
        std::fs::write(at("lab.pub.json"), half.to_string()).unwrap();
        let run = |arguments: &[&str]| succeed(chancery(node.home()).current_dir(node.home()).args(arguments)).unwrap();
        run(&["enrol", "request", "--key", "lab.pub.json", "--holder", "Lab", "--model", "*", "--out", "request.json"]);
        let registrar = node.folder.join("keys").join("registrar.key").display().to_string();
        run(&["enrol", "approve", "request.json", "--key", &registrar, "--out", "delegation.dsse.json"]);
        run(&["publish", "delegation.dsse.json", "--node", &node.url]);
        let delegation = std::fs::read(at("delegation.dsse.json")).unwrap();
        let issued_at = Submission::read(&delegation).unwrap().header.issued_at.to_string();
        Self { nation, issued_at, nonces: 0 }
    }

    /// Publishes a card, a license or weights with a word that stands nowhere else.
    fn secret(&mut self, node: &Node, number: usize) -> Secret {
        let word = Digest::of(format!("word {number}").as_bytes()).to_string();
        let digest = match number % 3 {
            0 => self.card(node, &word),
            1 => self.license(node, &word),
            _ => self.weights(node, &word),
        };
        Secret { digest, word }
    }

    fn card(&mut self, node: &Node, word: &str) -> Digest {
        let document = upload(node, format!("# About {word}\n").as_bytes(), "text/markdown");
        let name = self.name();
        let draft = json!({
            "org": "lab",
            "name": name,
            "version": "1.0",
            "displayName": { "en": format!("Of {word}") },
            "weights": [],
            "declaredLicense": format!("by {word}"),
            "tags": [word],
            "sourceDocument": document,
            "text": { "en": format!("It was {word} who said so.") },
        });
        self.publish(node, Kind::ModelCard, &draft)
    }

    fn license(&mut self, node: &Node, word: &str) -> Digest {
        let text = upload(node, format!("Ask {word} first.\n").as_bytes(), "text/plain");
        let name = self.name();
        let draft = json!({
            "org": "lab",
            "name": name,
            "title": { "en": format!("Terms of {word}") },
            "texts": [{ "language": "en", "blob": text }],
            "policyType": "offer",
        });
        self.publish(node, Kind::License, &draft)
    }

    fn weights(&mut self, node: &Node, word: &str) -> Digest {
        let (content, path) = (word.as_bytes(), format!("of-{word}.bin"));
        let (sha256, chunk) = (Digest::of(content), leaf_hash(content));
        let manifest = format!("chancery.manifest/v1\n{sha256} {} {path}\n", content.len());
        let hashes = upload(node, chunk.as_bytes(), "application/octet-stream");
        let name = self.name();
        let draft = json!({
            "org": "lab",
            "name": name,
            "version": "1.0",
            "files": [{ "path": path, "sizeBytes": content.len(), "sha256": sha256, "chunkRoot": chunk }],
            "totalBytes": content.len(),
            "chunkBytes": 8_388_608,
            "chunkHashes": hashes,
            "manifest": Digest::of(manifest.as_bytes()),
            "omsRoot": Digest::of(sha256.as_bytes()),
        });
        self.publish(node, Kind::Weights, &draft)
    }

    /// The next name that says nothing.
    fn name(&mut self) -> String {
        self.nonces += 1;
        format!("m-{}", self.nonces)
    }

    fn publish(&mut self, node: &Node, kind: Kind, draft: &Value) -> Digest {
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&self.nonces.to_be_bytes());
        let header = Header {
            nonce: Nonce::from_bytes(nonce),
            nation: self.nation.code.clone(),
            log: self.nation.origin.clone(),
            issued_at: self.issued_at.parse().unwrap(),
            audience: None,
        };
        let payload = payload(kind, &header, draft.as_object().unwrap()).unwrap();
        let key = self.nation.key(Role::Publisher, 0);
        let signer: &dyn Signer = &key;
        let envelope = Envelope::sign(payload, &[signer]).unwrap();
        let publish = "mutation ($input: PublishInput!) { publish(input: $input) { status reason } }";
        let text = String::from_utf8(envelope.to_bytes()).unwrap();
        let answer = node.ask(publish, &json!({ "input": { "envelope": text } })).unwrap();
        assert_eq!(answer["publish"]["status"], "ADMITTED", "{answer}");
        envelope.record_digest()
    }
}

fn upload(node: &Node, bytes: &[u8], media_type: &str) -> Value {
    let (digest, length) = (Digest::of(bytes), bytes.len());
    ureq::put(format!("{}/blob/{digest}", node.url)).send(bytes).unwrap();
    json!({ "sha256": digest, "sizeBytes": length, "mediaType": media_type })
}

/// Every file of a node, with the log of its process: on `PostgreSQL` also those of all tables of the cluster.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut paths = vec![folder.with_extension("log")];
    walk(folder, &mut paths);
    if let Some(data) = cluster() {
        walk(&data.join("base"), &mut paths);
    }
    // A table may be gone since it was listed.
    paths.into_iter().filter_map(|path| std::fs::read(&path).ok().map(|bytes| (path, bytes))).collect()
}

/// The data of the cluster, with all that is in memory written out; none on `SQLite`.
fn cluster() -> Option<PathBuf> {
    let socket = PathBuf::from(is_postgres().then(|| std::env::var_os("CHANCERY_TEST_POSTGRES")).flatten()?);
    chancery_tests::database::write_out();
    Some(socket.join("data"))
}

/// How much of it the database's own write-ahead log still has, which only the server recycles.
fn left_in_write_ahead_log(secrets: &[Secret]) -> String {
    let Some(data) = cluster() else { return String::new() };
    let mut paths = Vec::new();
    walk(&data.join("pg_wal"), &mut paths);
    let files: Vec<_> = paths.into_iter().filter_map(|path| std::fs::read(&path).ok().map(|it| (path, it))).collect();
    format!("; PostgreSQL's write-ahead log still has {} of the words", search(&files, secrets))
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for item in std::fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            walk(&path, paths);
        } else {
            paths.push(path);
        }
    }
}

/// How many of the words are in any of the files.
fn search(files: &[(PathBuf, Vec<u8>)], secrets: &[Secret]) -> usize {
    secrets.iter().filter(|secret| files.iter().any(|(_, content)| has(content, &secret.word))).count()
}

/// Whether a word is there, as it is or as base64 has it, wherever it begins.
fn has(content: &[u8], word: &str) -> bool {
    let shifted = (0..3_usize).map(|shift| {
        let text = base64::encode(&[vec![b' '; shift], word.as_bytes().to_vec()].concat());
        // Without what also depends on its neighbours.
        text.as_bytes()[4..text.len() - 4].to_vec()
    });
    std::iter::once(word.as_bytes().to_vec()).chain(shifted).any(|wanted| contains(content, &wanted))
}

fn contains(content: &[u8], wanted: &[u8]) -> bool {
    let Some(first) = wanted.first() else { return true };
    let mut rest = content;
    while let Some(place) = rest.iter().position(|byte| byte == first) {
        if rest[place..].starts_with(wanted) {
            return true;
        }
        rest = &rest[place + 1..];
    }
    false
}
