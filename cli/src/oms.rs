//! The OpenSSF's model signatures (OMS), for software that knows nothing of nations: the digests of a
//! folder's files, signed by one P-256 key, in a Sigstore bundle of version 0.3.
//!
//! Follows <https://github.com/ossf/model-signing-spec>, v1.0, and its tool `model-signing` where that is
//! older. In scope: the method `key`, whole files, SHA-256. Out of scope: certificates and keyless
//! signatures, shards, other hashes; those are refused by name.
//!
//! **A bundle is an export and never a record.** It names no nation, log, time or license. Its subject, the
//! OMS root, hashes the files' digests and neither their names nor their sizes: folders whose files were
//! renamed in place have the same one. So the root is an alias under which a weights record is found; what
//! is compared with a folder is the signed list of files.

mod key;

use anyhow::{Context as _, ensure};
use chancery_schema::base64;
use chancery_schema::digest::Digest;
use chancery_schema::envelope::{PAYLOAD_TYPE, pre_authentication_encoding};
use chancery_schema::json;
use chancery_schema::limits::FILES_MAX;
use chancery_schema::record::{Weights, oms_order, path_clash, path_problem};
use chancery_schema::statement::{STATEMENT_TYPE, Subject};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::key::{Key, PublicKey};

/// The largest bundle, in bytes: 4,096 files with paths of 1,024 bytes, written with escapes, in base64.
pub const BUNDLE_BYTES_MAX: u64 = 16 << 20;

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const PREDICATE_TYPE: &str = "https://model_signing/signature/v1.0";

/// What the specification leaves out of every folder, at its top.
const NOT_OF_THE_MODEL: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];

/// The files that a bundle is about.
#[derive(Clone, PartialEq, Debug)]
pub struct Manifest {
    /// What the signer calls the model; nothing rests on it.
    pub name: String,
    /// Path and SHA-256 of each file, in the order of the root.
    pub files: Vec<(String, Digest)>,
    /// Files and folders that the signer left out.
    pub ignored: Vec<String>,
}

impl Manifest {
    /// The files of a weights record, under the name `name`.
    #[must_use]
    pub fn of(weights: &Weights, name: String) -> Self {
        let files = oms_order(&weights.files).into_iter().map(|file| (file.path.clone(), file.sha256)).collect();
        let ignored = NOT_OF_THE_MODEL.iter().map(|path| (*path).to_owned());
        let more = weights.ignored.iter().filter(|path| !NOT_OF_THE_MODEL.contains(&path.as_str()));
        Self { name, files, ignored: ignored.chain(more.cloned()).collect() }
    }

    /// The OMS root: an alias of these files, see the module.
    #[must_use]
    pub fn root(&self) -> Digest {
        Digest::of_parts(&self.files.iter().map(|(_, sha256)| sha256.as_bytes().as_slice()).collect::<Vec<_>>())
    }

    /// Whether what lies at `path` is no part of the model: the signer or the specification leaves it out,
    /// and nothing in it is signed.
    #[must_use]
    pub fn leaves_out(&self, path: &str) -> bool {
        let is_in = |path: &str, folder: &str| {
            path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let named = self.ignored.iter().map(String::as_str).chain(NOT_OF_THE_MODEL).any(|ignored| is_in(path, ignored));
        named && !self.files.iter().any(|(signed, _)| is_in(signed, path))
    }

    /// Signs the manifest and answers the bundle.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn sign(&self, key: &Key) -> anyhow::Result<Vec<u8>> {
        bundle(&serde_json::to_vec(&self.statement()?)?, key)
    }

    fn statement(&self) -> anyhow::Result<Statement> {
        let resource = |(name, digest): &(String, Digest)| {
            let algorithm = SHA256.to_owned();
            Resource { name: name.clone(), algorithm, digest: *digest }
        };
        let predicate = Predicate {
            serialization: Serialization {
                method: FILES.to_owned(),
                hash_type: SHA256.to_owned(),
                allow_symlinks: false,
                ignore_paths: self.ignored.clone(),
            },
            resources: self.files.iter().map(resource).collect(),
        };
        Ok(Statement {
            r#type: STATEMENT_TYPE.to_owned(),
            subject: vec![Subject::new(&*self.name, self.root())],
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate: serde_json::to_value(predicate)?,
        })
    }

    /// Reads a bundle that `key` signed.
    ///
    /// # Errors
    /// With the reason, when it is not one, or says what this version cannot check.
    pub fn open(bytes: &[u8], key: &PublicKey) -> anyhow::Result<Self> {
        Self::from_payload(&verified_payload(bytes, key)?)
    }

    fn from_payload(payload: &[u8]) -> anyhow::Result<Self> {
        // The tool writes the size of shards with a fraction, which strict JSON does not take.
        let statement: Statement = read(payload).context("what was signed is not a statement of whole files")?;
        ensure!(statement.r#type == STATEMENT_TYPE, "what was signed is not a statement of in-toto, v1");
        let found = &statement.predicate_type;
        ensure!(found == PREDICATE_TYPE, "the statement is of the type {found:?}; only {PREDICATE_TYPE} is known");
        let predicate: Predicate = serde_json::from_value(statement.predicate).context("the statement is malformed")?;
        let [subject] = statement.subject.as_slice() else {
            anyhow::bail!("the statement has {} subjects, not one", statement.subject.len());
        };
        let Serialization { method, hash_type, ignore_paths, .. } = predicate.serialization;
        ensure!(method == FILES, "the files were signed by {method:?}; only whole files are known");
        let other = predicate.resources.iter().map(|file| &file.algorithm).find(|algorithm| *algorithm != SHA256);
        let other = other.or(Some(&hash_type).filter(|hash| *hash != SHA256));
        ensure!(other.is_none(), "the files were hashed by {:?}; only sha256 is known", other.unwrap_or(&hash_type));
        let files: Vec<_> = predicate.resources.into_iter().map(|file| (file.name, file.digest)).collect();
        ensure!((1..=FILES_MAX).contains(&files.len()), "{} files were signed, not 1 to {FILES_MAX}", files.len());
        for (path, _) in &files {
            ensure!(path_problem(path).is_none(), "the path {path:?} {}", path_problem(path).unwrap_or_default());
        }
        let clash = path_clash(files.iter().map(|(path, _)| path.as_str()), str::to_owned);
        ensure!(
            clash.is_none(),
            "the path {:?} stands twice, or is both a file and a folder",
            clash.unwrap_or_default()
        );
        let manifest = Self { name: subject.name.clone(), files, ignored: ignore_paths };
        ensure!(manifest.root() == subject.digest.sha256, "the subject is not the root over the files that are listed");
        Ok(manifest)
    }
}

/// A bundle of a payload and the signature of `key` on it.
fn bundle(payload: &[u8], key: &Key) -> anyhow::Result<Vec<u8>> {
    let sig = base64::encode(&key.sign(&pre_authentication_encoding(PAYLOAD_TYPE, payload)));
    let hint = key.public()?.hint().to_string();
    let bundle = Bundle {
        media_type: MEDIA_TYPE.to_owned(),
        verification_material: Material { public_key: Some(Hint { hint: Some(hint) }), tlog_entries: Vec::new() },
        dsse_envelope: Some(Envelope {
            payload: base64::encode(payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![Signature { sig, keyid: String::new() }],
        }),
    };
    Ok(serde_json::to_vec(&bundle)?)
}

/// The payload of a bundle, when its one signature is by `key`.
fn verified_payload(bytes: &[u8], key: &PublicKey) -> anyhow::Result<Vec<u8>> {
    let bundle: Bundle = read(bytes).context("it is not a Sigstore bundle")?;
    let found = &bundle.media_type;
    ensure!(found == MEDIA_TYPE, "it is of the media type {found:?}; only {MEDIA_TYPE} is known");
    let named = bundle.verification_material.public_key;
    let named = named.context("it was not signed with a key alone, but with a certificate or without any key")?;
    let envelope = bundle.dsse_envelope.context("it signs no statement, but bytes")?;
    let found = &envelope.payload_type;
    ensure!(found == PAYLOAD_TYPE, "its payload is of the type {found:?}; only {PAYLOAD_TYPE} is known");
    let [signature] = envelope.signatures.as_slice() else {
        anyhow::bail!("it has {} signatures; a bundle has exactly one", envelope.signatures.len());
    };
    let payload = base64::decode_either(&envelope.payload).context("its payload is malformed")?;
    let sig = base64::decode_either(&signature.sig).context("its signature is malformed")?;
    if !key.verifies(&pre_authentication_encoding(PAYLOAD_TYPE, &payload), &sig) {
        let own = key.hint().to_string();
        match named.hint {
            Some(hint) if hint != own => anyhow::bail!("it names the key {hint}, and the trusted one is {own}"),
            _ => anyhow::bail!("the signature does not hold: it, or what was signed, was changed"),
        }
    }
    Ok(payload)
}

/// Reads JSON that reads in one way.
fn read<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> anyhow::Result<T> {
    Ok(serde_json::from_value(json::parse(bytes)?)?)
}

/// The one hash, and the one method, that are known.
const SHA256: &str = "sha256";
const FILES: &str = "files";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    verification_material: Material,
    dsse_envelope: Option<Envelope>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    public_key: Option<Hint>,
    #[serde(default)]
    tlog_entries: Vec<Value>,
}

#[derive(Serialize, Deserialize)]
struct Hint {
    hint: Option<String>,
}

/// DSSE's, with what Sigstore makes of it: a key id that is empty, since the hint names the key.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Serialize, Deserialize)]
struct Signature {
    sig: String,
    #[serde(default)]
    keyid: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    r#type: String,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: Value,
}

#[derive(Serialize, Deserialize)]
struct Predicate {
    serialization: Serialization,
    resources: Vec<Resource>,
}

#[derive(Serialize, Deserialize)]
struct Serialization {
    method: String,
    hash_type: String,
    allow_symlinks: bool,
    #[serde(default)]
    ignore_paths: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Resource {
    name: String,
    algorithm: String,
    digest: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let file = |path: &str| (path.to_owned(), Digest::of(path.as_bytes()));
        let ignored = NOT_OF_THE_MODEL.iter().map(|path| (*path).to_owned()).chain(["cache".to_owned()]);
        Manifest { name: "model".to_owned(), files: ["a/b", "a-b", ".c"].map(file).into(), ignored: ignored.collect() }
    }

    fn refusal(bytes: &[u8], key: &PublicKey) -> String {
        format!("{:#}", Manifest::open(bytes, key).unwrap_err())
    }

    #[test]
    fn what_was_signed_is_read_back() {
        let key = Key::generate().unwrap();
        let bundle = manifest().sign(&key).unwrap();
        assert_eq!(Manifest::open(&bundle, &key.public().unwrap()).unwrap(), manifest());
    }

    /// `fixture.sig` was made by model-signing 1.1.1, of a folder with three files.
    #[test]
    fn a_bundle_of_model_signing_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        std::fs::write(&path, include_str!("oms/fixture.pub.pem")).unwrap();
        let key = PublicKey::read(&path).unwrap();
        let manifest = Manifest::open(include_bytes!("oms/fixture.sig"), &key).unwrap();
        let paths: Vec<&str> = manifest.files.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, [".hidden", "a.txt", "sub/b.bin"]);
        assert!(manifest.files.contains(&("a.txt".to_owned(), Digest::of(b"a\n"))));
        assert!(manifest.ignored.contains(&"model.sig".to_owned()));
    }

    #[test]
    fn a_changed_bundle_is_refused_with_its_reason() {
        let key = Key::generate().unwrap();
        let (public, whole) = (key.public().unwrap(), manifest().sign(&key).unwrap());
        let whole: Value = serde_json::from_slice(&whole).unwrap();
        let check = |words: &str, change: &dyn Fn(&mut Value)| {
            let mut bundle = whole.clone();
            change(&mut bundle);
            let reason = refusal(bundle.to_string().as_bytes(), &public);
            assert!(reason.contains(words), "{reason:?} lacks {words:?}");
        };
        let envelope = "/dsseEnvelope";
        let at = |bundle: &mut Value, place: &str, value: Value| *bundle.pointer_mut(place).unwrap() = value;
        let text = |bundle: &Value, place: &str| bundle.pointer(place).unwrap().as_str().unwrap().to_owned();
        let turned = |bundle: &Value, place: &str| {
            let mut bytes = base64::decode(&text(bundle, place)).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            Value::from(base64::encode(&bytes))
        };
        let sig = "/dsseEnvelope/signatures/0/sig";
        check("does not hold", &|bundle| at(bundle, sig, turned(bundle, sig)));
        check("does not hold", &|bundle| at(bundle, "/dsseEnvelope/payload", turned(bundle, "/dsseEnvelope/payload")));
        check("it has 2 signatures", &|bundle| {
            let one = bundle.pointer(envelope).unwrap()["signatures"][0].clone();
            at(bundle, "/dsseEnvelope/signatures", Value::from(vec![one.clone(), one]));
        });
        check("it has 0 signatures", &|bundle| {
            at(bundle, "/dsseEnvelope/signatures", Value::from(Vec::<Value>::new()));
        });
        check("payload is of the type", &|bundle| at(bundle, "/dsseEnvelope/payloadType", "text/plain".into()));
        check("media type", &|bundle| at(bundle, "/mediaType", MEDIA_TYPE.replace("v0.3", "v0.1").into()));
        check("with a certificate", &|bundle| at(bundle, "/verificationMaterial/publicKey", Value::Null));
        check("signs no statement", &|bundle| at(bundle, envelope, Value::Null));
        check("not a Sigstore bundle", &|bundle| *bundle = Value::from("model.sig"));
        let stranger = Key::generate().unwrap().public().unwrap();
        let reason = refusal(whole.to_string().as_bytes(), &stranger);
        assert!(reason.contains(&format!("the trusted one is {}", stranger.hint())), "{reason}");
    }

    #[test]
    fn a_statement_that_says_something_else_is_refused_with_its_reason() {
        let key = Key::generate().unwrap();
        let whole = serde_json::to_value(manifest().statement().unwrap()).unwrap();
        let check = |words: &str, place: &str, value: Value| {
            let mut statement = whole.clone();
            *statement.pointer_mut(place).unwrap() = value;
            let bytes = bundle(statement.to_string().as_bytes(), &key).unwrap();
            let reason = refusal(&bytes, &key.public().unwrap());
            assert!(reason.contains(words), "{reason:?} lacks {words:?}");
        };
        check("statement of in-toto", "/_type", "https://in-toto.io/Statement/v0.1".into());
        check("is of the type", "/predicateType", "https://model_signing/Digests/v0.1".into());
        check("has 0 subjects", "/subject", Value::from(Vec::<Value>::new()));
        check("not the root", "/subject/0/digest/sha256", Digest::of(b"another").to_string().into());
        check("not the root", "/predicate/resources/0/digest", Digest::of(b"another").to_string().into());
        check("signed by \"shards\"", "/predicate/serialization/method", "shards".into());
        check("hashed by \"blake3\"", "/predicate/serialization/hash_type", "blake3".into());
        check("hashed by \"blake3\"", "/predicate/resources/1/algorithm", "blake3".into());
        check("not relative to the folder", "/predicate/resources/0/name", "../a".into());
        check("stands twice", "/predicate/resources/0/name", "a-b".into());
        check("0 files were signed", "/predicate/resources", Value::from(Vec::<Value>::new()));
        check("malformed", "/predicate/resources/0/digest", "abc".into());
        let twice = bundle(br#"{"_type":"a","_type":"b"}"#, &key).unwrap();
        assert!(refusal(&twice, &key.public().unwrap()).contains("not a statement"));
    }

    #[test]
    fn what_is_signed_is_never_left_out() {
        let manifest = Manifest { ignored: vec!["a".to_owned(), "cache".to_owned()], ..manifest() };
        for path in [".git", ".git/config", ".gitignore", "cache", "cache/x"] {
            assert!(manifest.leaves_out(path), "{path} should be left out");
        }
        for path in ["a", "a/b", "a-b", ".c", "cached", "x/.git", "x"] {
            assert!(!manifest.leaves_out(path), "{path} should be looked at");
        }
        assert!(manifest.leaves_out("a/c"), "it is in a folder that is left out, and nobody signed it");
    }
}
