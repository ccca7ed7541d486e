//! A nation with keys of its own, that signs records and keeps a log in memory: only the schema, no
//! database, no network. Seeds are fixed, so every run signs the same.

#![allow(clippy::missing_panics_doc, reason = "fixtures: what cannot fail is said where it is expected")]

use chancery_schema::admission::{Admitted, Policy, Refusal, State, Submission, decide};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::key::{Algorithm, KeyRecord, Role, Signer};
use chancery_schema::log::checkpoint::{self, Checkpoint};
use chancery_schema::log::note::{self, KeyType};
use chancery_schema::log::tree::leaf_hash;
use chancery_schema::name::{Nation as Code, Origin};
use chancery_schema::record::{Header, Kind, Nonce, payload};
use chancery_schema::time::Timestamp;
use ed25519_dalek::SigningKey;
use serde_json::{Map, Value, json};

/// A nation with every key it needs.
pub struct Nation {
    /// Its code.
    pub code: Code,
    /// Its log.
    pub origin: Origin,
    nonces: u16,
}

/// The time at which fixtures are signed.
#[must_use]
pub fn day() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().expect("a time")
}

impl Nation {
    /// The nation `code`, with the origin `<code>.example.org/chancery`.
    #[must_use]
    pub fn new(code: &str) -> Self {
        let origin = format!("{}.example.org/chancery", code.to_lowercase());
        Self { code: code.parse().expect("a nation"), origin: origin.parse().expect("an origin"), nonces: 0 }
    }

    /// The key of a role; `number` tells several of one role apart.
    #[must_use]
    pub fn key(&self, role: Role, number: u8) -> SigningKey {
        let seed = format!("{} {} {number}", self.code, role.as_str());
        SigningKey::from_bytes(Digest::of(seed.as_bytes()).as_bytes())
    }

    /// The key's record.
    #[must_use]
    pub fn key_record(&self, role: Role, number: u8) -> KeyRecord {
        KeyRecord::issue(&self.key(role, number), &self.code, &self.origin, role).expect("a key in memory signs")
    }

    /// The next header: a fresh nonce, the fixed day.
    pub fn header(&mut self) -> Header {
        self.nonces += 1;
        let mut nonce = [0; 16];
        nonce[14..].copy_from_slice(&self.nonces.to_be_bytes());
        Header {
            nonce: Nonce::from_bytes(nonce),
            nation: self.code.clone(),
            log: self.origin.clone(),
            issued_at: day(),
            audience: None,
        }
    }

    /// Signs a draft with the given keys.
    ///
    /// # Panics
    /// When the draft is not of its kind.
    pub fn sign(&mut self, kind: Kind, draft: Value, signers: &[&SigningKey]) -> Envelope {
        let Value::Object(draft) = draft else { panic!("a draft is an object") };
        self.sign_map(kind, &draft, signers)
    }

    fn sign_map(&mut self, kind: Kind, draft: &Map<String, Value>, signers: &[&SigningKey]) -> Envelope {
        let payload = payload(kind, &self.header(), draft).expect("a well-formed draft");
        let signers: Vec<&dyn Signer> = signers.iter().map(|key| *key as &dyn Signer).collect();
        Envelope::sign(payload, &signers).expect("keys in memory sign")
    }

    /// The charter's draft: three roots of whom two must sign, one registrar.
    #[must_use]
    pub fn charter_draft(&self) -> Value {
        let cosigner = |role: Role| json!({ "name": format!("{}/{}", self.origin, role.as_str()), "key": self.key_record(role, 0) });
        json!({
            "version": 1,
            "displayName": { "en": format!("Nation {}", self.code) },
            "threshold": 2,
            "roots": [self.key_record(Role::Root, 0), self.key_record(Role::Root, 1), self.key_record(Role::Root, 2)],
            "registrars": [self.key_record(Role::Registrar, 0)],
            "logKey": self.key_record(Role::Log, 0),
            "witness": cosigner(Role::Witness),
            "mirror": cosigner(Role::Mirror),
            "algorithms": [Algorithm::Ed25519],
            "expires": "2030-01-01T00:00:00Z",
        })
    }

    /// The charter, signed by two roots.
    pub fn charter(&mut self) -> Envelope {
        let (first, second) = (self.key(Role::Root, 0), self.key(Role::Root, 1));
        self.sign(Kind::Charter, self.charter_draft(), &[&first, &second])
    }

    /// The draft of the charter that follows `before`: roots of these numbers, of whom two must sign.
    #[must_use]
    pub fn next_charter_draft(&self, version: u64, before: &Envelope, roots: &[u8]) -> Value {
        let roots: Vec<KeyRecord> = roots.iter().map(|number| self.key_record(Role::Root, *number)).collect();
        let mut draft = self.charter_draft();
        draft["version"] = json!(version);
        draft["previous"] = json!(before.record_digest());
        draft["roots"] = json!(roots);
        draft
    }

    /// Signs a draft of a charter with the roots of these numbers.
    pub fn sign_charter(&mut self, draft: Value, roots: &[u8]) -> Envelope {
        let keys: Vec<SigningKey> = roots.iter().map(|number| self.key(Role::Root, *number)).collect();
        self.sign(Kind::Charter, draft, &keys.iter().collect::<Vec<_>>())
    }

    /// The draft of a delegation to the first key of `role`.
    #[must_use]
    pub fn delegation_draft(&self, role: Role, kinds: &[Kind], models: &[&str]) -> Value {
        json!({
            "holder": format!("{} of {}", role.as_str(), self.code),
            "role": role,
            "key": self.key_record(role, 0),
            "kinds": kinds,
            "models": models,
            "validFrom": "2026-01-01T00:00:00Z",
            "validUntil": "2028-01-01T00:00:00Z",
        })
    }

    /// A delegation to the first key of `role`, signed by the registrar.
    pub fn delegation(&mut self, role: Role, kinds: &[Kind], models: &[&str]) -> Envelope {
        let draft = self.delegation_draft(role, kinds, models);
        self.sign(Kind::Delegation, draft, &[&self.key(Role::Registrar, 0)])
    }

    /// A publisher for every model.
    pub fn publisher(&mut self) -> Envelope {
        self.delegation(Role::Publisher, &[Kind::ModelCard, Kind::Weights, Kind::License], &["*"])
    }

    /// The draft of the evidence that this nation's log has signed two trees of one entry.
    #[must_use]
    pub fn evidence_draft(&self) -> Value {
        let log = self.key(Role::Log, 0);
        let note = |entry: &[u8]| {
            let checkpoint = Checkpoint { origin: self.origin.clone(), size: 1, root: leaf_hash(entry) };
            checkpoint::sign(checkpoint, &log).expect("a key in memory signs").to_string()
        };
        let accused = note::verifier_key(self.origin.as_str(), KeyType::Ed25519, &log).expect("an origin is a name");
        json!({ "accused": accused.to_string(), "earlier": note(b"one"), "later": note(b"other") })
    }

    /// License terms with one text.
    pub fn license(&mut self, name: &str) -> Envelope {
        let text = format!("Sample terms {name}.\n");
        let draft = json!({
            "org": "lab",
            "name": name,
            "title": { "en": format!("Sample terms {name}") },
            "texts": [{ "language": "en", "blob": blob(text.as_bytes(), "text/plain") }],
            "prevailingLanguage": "en",
            "policyType": "offer",
            "closed": false,
            "clauses": [],
        });
        self.sign(Kind::License, draft, &[&self.key(Role::Publisher, 0)])
    }

    /// A card of `name@version` that describes a document.
    pub fn card(&mut self, name: &str, version: &str) -> Envelope {
        let draft = self.card_draft(name, version);
        self.sign(Kind::ModelCard, draft, &[&self.key(Role::Publisher, 0)])
    }

    /// The draft of [`Nation::card`].
    #[must_use]
    pub fn card_draft(&self, name: &str, version: &str) -> Value {
        let document = format!("# {name} {version}\n");
        json!({
            "org": "lab",
            "name": name,
            "version": version,
            "displayName": { "en": format!("Sample {name}"), "ar": "نموذج" },
            "weights": [],
            "sourceDocument": blob(document.as_bytes(), "text/markdown"),
            "text": { "en": document },
        })
    }
}

/// A reference to bytes.
#[must_use]
pub fn blob(bytes: &[u8], media_type: &str) -> Value {
    json!({ "sha256": Digest::of(bytes), "sizeBytes": bytes.len(), "mediaType": media_type })
}

/// A log as its records make it, judged in memory.
#[derive(Default)]
pub struct Judge {
    /// What the log's state is.
    pub state: State,
}

impl Judge {
    /// Judges one more envelope as a mirror of `origin` would, and remembers it if it counts.
    ///
    /// # Errors
    /// With the reason, when it does not count.
    pub fn admit(&mut self, origin: &Origin, envelope: &Envelope) -> Result<Admitted, Refusal> {
        let submission = Submission::open(envelope.clone())?;
        let admitted = decide(submission, &self.state, &Policy::Mirror { origin: origin.clone() })?;
        self.state.apply(&admitted);
        Ok(admitted)
    }
}
