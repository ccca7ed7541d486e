//! A nation with keys in memory and an archive in a folder of its own. Seeds and clock are fixed, so
//! every run signs the same.
#![allow(dead_code, reason = "each test file uses what it needs")]

use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use chancery_registry::{Admission, Clock, Head, Identity, Mark, MirrorState, Receipt, Registry};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::frame::{Frame, Package};
use chancery_schema::key::{Algorithm, KeyRecord, PublicKey, Role, Signer};
use chancery_schema::log::checkpoint::{self, Checkpoint};
use chancery_schema::log::entry::Entry;
use chancery_schema::log::note::{KeyType, VerifierKey};
use chancery_schema::log::proof::Proof;
use chancery_schema::log::tree::{MemoryTree, leaf_hash, subtree_consistency_proof};
use chancery_schema::name::{Nation as Code, Origin};
use chancery_schema::record::{Header, Kind, Nonce, payload};
use chancery_schema::time::Timestamp;
use ed25519_dalek::SigningKey;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use serde_json::{Value, json};
use tempfile::TempDir;

pub use chancery_tests::database::{self, url};

/// A nation with every key it needs, and its archive.
pub struct Nation {
    pub code: Code,
    pub origin: Origin,
    pub registry: Registry,
    pub fingerprint: Digest,
    /// The clock: seconds since 1970.
    pub now: Arc<AtomicI64>,
    /// From which its keys are drawn: its code, unless it is a rival.
    seed: String,
    folder: TempDir,
    nonces: AtomicU64,
}

impl Nation {
    /// A nation whose log holds its charter, delegations to a publisher and an exchange, and an
    /// endpoint: four entries.
    pub async fn founded(code: &str) -> Self {
        Self::empty(code).await.found().await
    }

    /// Another nation that claims the same code and log.
    pub async fn rival(code: &str) -> Self {
        Self::with_seed(code, format!("rival {code}")).await.found().await
    }

    async fn found(self) -> Self {
        let mut nation = self;
        let charter = nation.charter();
        nation.fingerprint = nation.admit(&charter).await.record;
        let publisher = [Kind::ModelCard, Kind::Weights, Kind::License];
        nation.admit(&nation.delegation(Role::Publisher, &publisher, &["*"])).await;
        nation.admit(&nation.delegation(Role::Exchange, &[Kind::Accreditation], &[])).await;
        let endpoint = nation.endpoint();
        nation.admit(&endpoint).await;
        nation
    }

    /// A new log of the same nation, with so many of its roots, which goes on from the first `base` entries of this
    /// one, whose last charter is `last`, and mirrors them.
    pub async fn succeeded(&self, name: &str, (last, roots): (&Envelope, usize), base: u64) -> Self {
        let origin: Origin = format!("{}.example.org/{name}", self.code.as_str().to_lowercase()).parse().unwrap();
        let mut new = Self::at(&self.code, origin, self.seed.clone()).await;
        let mut draft = new.charter_draft();
        let roots: Vec<_> = [new.key(Role::Root), new.next_key(Role::Root)].into_iter().take(roots).collect();
        draft["threshold"] = json!(roots.len());
        draft["roots"] = json!(roots.iter().map(|key| new.record_of(key, Role::Root)).collect::<Vec<_>>());
        let roots: Vec<&SigningKey> = roots.iter().collect();
        new.fingerprint = new.admit(&new.sign_by(Kind::Charter, &draft, &roots)).await.record;
        let root = self.registry.root_at(&self.origin, base).await.unwrap().expect("so many entries");
        let checkpoint = Checkpoint { origin: self.origin.clone(), size: base, root };
        let succession = json!({
            "predecessor": self.log_key().to_string(),
            "fingerprint": self.fingerprint,
            "charter": last.record_digest(),
            "base": checkpoint::sign(checkpoint, &self.key(Role::Log)).unwrap().to_string(),
            "successor": new.fingerprint,
            "reason": "key-lost",
        });
        new.admit(&new.sign_by(Kind::LogSuccession, &succession, &roots)).await;
        new.admit(&new.delegation(Role::Exchange, &[Kind::Accreditation], &[])).await;
        new.admit(&new.endpoint()).await;
        new.registry.begin_former().await.unwrap();
        pull_to(self, &new.registry, base).await;
        new
    }

    /// A nation whose log is empty.
    pub async fn empty(code: &str) -> Self {
        Self::with_seed(code, code.to_owned()).await
    }

    async fn with_seed(code: &str, seed: String) -> Self {
        let origin: Origin = format!("{}.example.org/chancery", code.to_lowercase()).parse().expect("an origin");
        Self::at(&code.parse().expect("a nation"), origin, seed).await
    }

    async fn at(code: &Code, origin: Origin, seed: String) -> Self {
        let code = code.clone();
        let now = Arc::new(AtomicI64::new(day().unix_seconds()));
        let folder = tempfile::tempdir().expect("a folder");
        let identity = identity(&seed, &origin);
        let registry = open(folder.path(), Some(identity), &now).await;
        let fingerprint = Digest::of(b"");
        Self { code, origin, registry, fingerprint, now, seed, folder, nonces: AtomicU64::new(0) }
    }

    /// Opens the archive again, with a sequencer of its own.
    pub async fn reopened(&self) -> Registry {
        open(self.folder.path(), Some(identity(&self.seed, &self.origin)), &self.now).await
    }

    pub fn url(&self) -> String {
        url(self.folder.path())
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A backup of the archive, in a folder of its own. On `PostgreSQL` the archive's own connections end.
    pub async fn backup(&self) -> TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        if database::is_postgres() {
            let _ = database::copy(self.folder(), folder.path());
        } else {
            let copy = url(folder.path());
            self.execute(&format!("VACUUM INTO '{}'", copy.trim_start_matches("sqlite:"))).await;
        }
        folder
    }

    /// Opens a backup as the node itself would, with its keys and this mark.
    pub async fn restored(&self, backup: &Path, mark: &Arc<Memory>) -> Registry {
        let mark = Some(Arc::clone(mark) as _);
        open(backup, Some(Identity { mark, ..self.identity() }), &self.now).await
    }

    /// Lets time pass.
    pub fn wait(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Opens the archive again, for a node that has the next keys to cosign with.
    pub async fn reopened_with_next_cosigners(&self) -> Registry {
        let mut identity = self.identity();
        identity.witness.1 = Arc::new(self.next_key(Role::Witness));
        identity.mirror.1 = Arc::new(self.next_key(Role::Mirror));
        open(self.folder.path(), Some(identity), &self.now).await
    }

    /// The database beside the archive's back.
    pub async fn sql(&self) -> DatabaseConnection {
        Database::connect(self.url()).await.expect("the database opens")
    }

    pub async fn execute(&self, sql: &str) {
        self.sql().await.execute_unprepared(&database::statement(sql)).await.expect("the statement runs");
    }

    pub async fn admit(&self, envelope: &Envelope) -> Receipt {
        match self.registry.admit(&envelope.to_bytes()).await.expect("the archive answers") {
            Admission::Admitted(receipt) => receipt,
            Admission::Refused(refusal) => panic!("refused: {refusal}"),
        }
    }

    /// Accredits a partner for mirroring and cosigning, and keeps its introduction.
    pub async fn befriend(&self, partner: &Self) {
        self.befriend_for(partner, &["mirror", "cosign", "exchange"]).await;
    }

    pub async fn befriend_for(&self, partner: &Self, scopes: &[&str]) {
        self.admit(&self.accreditation(partner, scopes)).await;
        let introduction = partner.registry.introduction().await.expect("an introduction");
        self.registry.introduce(&introduction).await.expect("the introduction is kept");
    }

    pub fn log_key(&self) -> VerifierKey {
        let public = PublicKey::from_bytes(&self.key(Role::Log).public_key()).expect("a key");
        VerifierKey::new(self.origin.as_str(), KeyType::Ed25519, public).expect("a name")
    }

    /// Checks a receipt offline, as its publisher would; answers the size of the tree it is under.
    pub fn verify(&self, envelope: &Envelope, kind: Kind, receipt: &Receipt) -> u64 {
        let entry = Entry::new(kind.as_str(), envelope.digest()).expect("an entry");
        let proof = Proof::parse(receipt.proof.as_bytes()).expect("a proof");
        let (index, signed) = proof.verify(&entry.to_bytes(), &self.log_key()).expect("the proof holds");
        assert_eq!((index, receipt.record), (receipt.index, envelope.record_digest()));
        signed.checkpoint().size
    }

    pub fn charter(&self) -> Envelope {
        self.sign(Kind::Charter, &self.charter_draft(), Role::Root)
    }

    /// The charter that follows `before`: with a second root, who must sign too, and new keys in the
    /// place of those of `roles`.
    pub fn second_charter(&self, before: &Envelope, roles: &[Role]) -> Envelope {
        let next = |role: Role| json!(self.record_of(&self.next_key(role), role));
        let mut draft = self.charter_draft();
        draft["version"] = json!(2);
        draft["previous"] = json!(before.record_digest());
        draft["threshold"] = json!(2);
        draft["roots"] = json!([self.key_record(Role::Root), next(Role::Root)]);
        for role in roles {
            match role {
                Role::Registrar => draft["registrars"] = json!([next(Role::Registrar)]),
                _ => draft[role.as_str()]["key"] = next(*role),
            }
        }
        self.sign_by(Kind::Charter, &draft, &[&self.key(Role::Root), &self.next_key(Role::Root)])
    }

    fn charter_draft(&self) -> Value {
        let cosigner = |role: Role| json!({ "name": cosigner_name(&self.origin, role), "key": self.key_record(role) });
        json!({
            "version": 1,
            "displayName": { "en": format!("Nation {}", self.code) },
            "threshold": 1,
            "roots": [self.key_record(Role::Root)],
            "registrars": [self.key_record(Role::Registrar)],
            "logKey": self.key_record(Role::Log),
            "witness": cosigner(Role::Witness),
            "mirror": cosigner(Role::Mirror),
            "algorithms": [Algorithm::Ed25519],
            "expires": "2030-01-01T00:00:00Z",
        })
    }

    pub fn delegation(&self, role: Role, kinds: &[Kind], models: &[&str]) -> Envelope {
        let draft = json!({
            "holder": format!("{} of {}", role.as_str(), self.code),
            "role": role,
            "key": self.key_record(role),
            "kinds": kinds,
            "models": models,
            "validFrom": "2026-01-01T00:00:00Z",
            "validUntil": "2028-01-01T00:00:00Z",
        });
        self.sign(Kind::Delegation, &draft, Role::Registrar)
    }

    pub fn endpoint(&self) -> Envelope {
        self.endpoint_by(&self.key(Role::Registrar))
    }

    pub fn endpoint_by(&self, registrar: &SigningKey) -> Envelope {
        let address = format!("/dns4/node.{}.example.org/tcp/4001", self.code.as_str().to_lowercase());
        let draft = json!({ "key": self.key_record(Role::Transport), "addresses": [address] });
        self.sign_by(Kind::Endpoint, &draft, &[registrar])
    }

    pub fn accreditation(&self, partner: &Self, scopes: &[&str]) -> Envelope {
        let draft = json!({
            "partner": partner.code,
            "fingerprint": partner.fingerprint,
            "partnerLog": partner.origin,
            "scopes": scopes,
        });
        self.sign(Kind::Accreditation, &draft, Role::Exchange)
    }

    /// A card, its document not yet uploaded.
    pub fn card(&self, name: &str) -> Envelope {
        self.sign(Kind::ModelCard, &Self::card_draft(name), Role::Publisher)
    }

    /// A newer card of the same version.
    pub fn superseding(&self, name: &str, before: &Envelope) -> Envelope {
        let mut draft = Self::card_draft(name);
        draft["supersedes"] = json!(before.record_digest());
        self.sign(Kind::ModelCard, &draft, Role::Publisher)
    }

    pub fn card_draft(name: &str) -> Value {
        let document = document(name);
        json!({
            "org": "lab",
            "name": name,
            "version": "1.0",
            "displayName": { "en": format!("Sample {name}") },
            "weights": [],
            "sourceDocument": {
                "sha256": Digest::of(&document),
                "sizeBytes": document.len(),
                "mediaType": "text/markdown"
            },
            "text": { "en": format!("What {name} is.") },
        })
    }

    /// Uploads the document of a card and admits the card.
    pub async fn publish(&self, name: &str) -> (Envelope, Receipt) {
        self.upload(name).await;
        let card = self.card(name);
        let receipt = self.admit(&card).await;
        (card, receipt)
    }

    pub async fn upload(&self, name: &str) {
        let document = document(name);
        self.registry.put_blob(Digest::of(&document), document).await.expect("the archive answers");
    }

    pub fn sign(&self, kind: Kind, draft: &Value, role: Role) -> Envelope {
        self.sign_by(kind, draft, &[&self.key(role)])
    }

    pub fn sign_by(&self, kind: Kind, draft: &Value, keys: &[&SigningKey]) -> Envelope {
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&self.nonces.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        let header = Header {
            nonce: Nonce::from_bytes(nonce),
            nation: self.code.clone(),
            log: self.origin.clone(),
            issued_at: day(),
            audience: None,
        };
        let payload = payload(kind, &header, draft.as_object().expect("an object")).expect("a well-formed draft");
        let signers: Vec<&dyn Signer> = keys.iter().map(|key| *key as &dyn Signer).collect();
        Envelope::sign(payload, &signers).expect("keys in memory sign")
    }

    /// The identity that its node has.
    pub fn identity(&self) -> Identity {
        identity(&self.seed, &self.origin)
    }

    pub fn key(&self, role: Role) -> SigningKey {
        key(&self.seed, role)
    }

    /// The key that follows [`Nation::key`] in its role.
    pub fn next_key(&self, role: Role) -> SigningKey {
        key(&format!("{} next", self.seed), role)
    }

    fn key_record(&self, role: Role) -> KeyRecord {
        self.record_of(&self.key(role), role)
    }

    fn record_of(&self, key: &SigningKey, role: Role) -> KeyRecord {
        KeyRecord::issue(key, &self.code, &self.origin, role).expect("keys in memory sign")
    }
}

/// A mark in memory.
#[derive(Default)]
pub struct Memory(pub Mutex<Option<String>>);

impl Memory {
    /// The mark that remembers this head.
    pub fn of(head: &Head) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(head.note.clone()))))
    }

    pub fn note(&self) -> Option<String> {
        self.0.lock().expect("nobody panicked").clone()
    }
}

impl Mark for Memory {
    fn read(&self) -> std::io::Result<Option<String>> {
        Ok(self.note())
    }

    fn write(&self, note: &str) -> std::io::Result<()> {
        *self.0.lock().expect("nobody panicked") = Some(note.to_owned());
        Ok(())
    }
}

/// Rebuilds the own log of `own` from a partner's mirror, up to what that holds.
pub async fn recover(own: &Registry, partner: &Registry, origin: &Origin) -> chancery_registry::Result<MirrorState> {
    let head = partner.head(origin).await?.expect("a mirror");
    let mut state = own.own_log().await?;
    let proof = partner.consistency(origin, state.size, head.size).await?.expect("a proof");
    own.recover_to(&head.note, &proof).await?;
    while state.size < head.size {
        let (package, bodies) = partner.package(origin, state.size, head.size).await?.expect("a package");
        state = own.recover(&package, &bodies).await?;
    }
    Ok(state)
}

/// Brings a mirror up to the source's head.
pub async fn pull(source: &Nation, mirror: &Registry) -> MirrorState {
    let head = source.registry.head(&source.origin).await.unwrap().expect("a head");
    mirror.set_pending(&source.origin, &head.note).await.unwrap();
    loop {
        let state = mirror.mirror(&source.origin).await.unwrap().expect("a mirror");
        if state.size == head.size {
            return state;
        }
        let package = source.registry.package(&source.origin, state.size, head.size).await.unwrap();
        let (package, bodies) = package.expect("a package");
        mirror.extend(&package, &bodies).await.unwrap();
    }
}

/// Brings a mirror up to the first `size` entries of the source, its pending checkpoint.
pub async fn pull_to(source: &Nation, mirror: &Registry, size: u64) {
    let root = source.registry.root_at(&source.origin, size).await.unwrap().expect("so many entries");
    let checkpoint = Checkpoint { origin: source.origin.clone(), size, root };
    let note = checkpoint::sign(checkpoint, &source.key(Role::Log)).unwrap().to_string();
    mirror.set_pending(&source.origin, &note).await.unwrap();
    let mut held = mirror.mirror(&source.origin).await.unwrap().expect("a mirror").size;
    while held < size {
        let package = source.registry.package(&source.origin, held, size).await.unwrap();
        let (package, bodies) = package.expect("a package");
        held = mirror.extend(&package, &bodies).await.unwrap().size;
    }
}

/// Has the mirror take in a log that its operator, who holds the log's key, has continued at will: the
/// source's entries first, if nothing is held, and then `more`.
pub async fn take_in(source: &Nation, mirror: &Nation, more: &[Vec<u8>], bodies: &[Frame]) -> MirrorState {
    take_in_without(source, mirror, more, bodies, &[]).await
}

/// The same, without these bodies.
pub async fn take_in_without(
    source: &Nation,
    mirror: &Nation,
    more: &[Vec<u8>],
    bodies: &[Frame],
    without: &[Digest],
) -> MirrorState {
    let origin = source.origin.clone();
    let start = mirror.registry.mirror(&origin).await.unwrap().expect("a mirror").size;
    let mut frames = bodies.to_vec();
    let mut entries = mirror.registry.entries(&origin, 0, 256).await.unwrap();
    if start == 0 {
        entries = source.registry.entries(&origin, 0, 256).await.unwrap();
        let (_, beside) = source.registry.package(&origin, 0, entries.len() as u64).await.unwrap().expect("a package");
        frames.extend(beside);
    }
    frames.retain(|frame| !matches!(frame, Frame::Envelope(body) if without.contains(&Digest::of(body))));
    entries.extend_from_slice(more);
    let mut tree = MemoryTree::new();
    for entry in &entries {
        tree.push(leaf_hash(entry));
    }
    let tree_size = tree.size();
    let checkpoint = Checkpoint { origin: origin.clone(), size: tree_size, root: tree.root() };
    let signed = checkpoint::sign(checkpoint, &source.key(Role::Log)).unwrap();
    mirror.registry.set_pending(&origin, &signed.to_string()).await.unwrap();
    let proof = subtree_consistency_proof(&tree, 0, tree_size, tree_size).expect("a proof");
    let entries = entries.split_off(usize::try_from(start).unwrap());
    let package = Package { origin, start, tree_size, entries, proof };
    mirror.registry.extend(&package, &frames).await.unwrap()
}

/// The bytes of a card's document.
pub fn document(name: &str) -> Vec<u8> {
    format!("# {name}\n").into_bytes()
}

/// The day on which fixtures are signed.
pub fn day() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().expect("a time")
}

fn key(seed: &str, role: Role) -> SigningKey {
    SigningKey::from_bytes(Digest::of(format!("{seed} {}", role.as_str()).as_bytes()).as_bytes())
}

fn identity(seed: &str, origin: &Origin) -> Identity {
    let code = origin.as_str()[..2].to_uppercase().parse().expect("a nation");
    let cosigner = |role: Role| {
        let name = cosigner_name(origin, role).parse().expect("a name");
        (name, Arc::new(key(seed, role)) as _)
    };
    Identity {
        nation: code,
        origin: origin.clone(),
        log: Arc::new(key(seed, Role::Log)),
        witness: cosigner(Role::Witness),
        mirror: cosigner(Role::Mirror),
        mark: None,
    }
}

pub fn clock(now: &Arc<AtomicI64>) -> Clock {
    let now = Arc::clone(now);
    Arc::new(move || Timestamp::from_unix_seconds(now.load(Ordering::Relaxed)).expect("a time"))
}

async fn open(folder: &Path, identity: Option<Identity>, now: &Arc<AtomicI64>) -> Registry {
    Registry::open(&url(folder), identity, clock(now)).await.expect("the archive opens")
}

fn cosigner_name(origin: &Origin, role: Role) -> String {
    format!("{origin}/{}", role.as_str())
}
