//! Keys and the one way a signature is checked.
//!
//! **The Ed25519 profile.** Libraries disagree on odd keys and signatures (RFC 8032 leaves room), so
//! every verifier of Chancery applies one rule, and this file is the only place that does it here:
//!
//! 1. the public key A is canonically encoded, not of small order, and torsion-free;
//! 2. R is canonically encoded and not of small order; S < L;
//! 3. the cofactorless equation holds (`verify_strict`); batch verification is never used.

use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base64;
use crate::digest::Digest;
use crate::name::{Nation, Origin};
use crate::word::Word;

/// DER of `SubjectPublicKeyInfo` for Ed25519 up to the key itself (RFC 8410 §4).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// An Ed25519 public key that meets the profile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PublicKey(VerifyingKey);

/// Why a key or a signature is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a point of the curve in its one canonical encoding.
    #[error("the public key is not canonically encoded")]
    NotCanonical,
    /// Anyone can sign for such a key.
    #[error("the public key is of small order")]
    SmallOrder,
    /// Implementations disagree on signatures of such a key.
    #[error("the public key is not torsion-free")]
    MixedOrder,
    /// Not an Ed25519 `SubjectPublicKeyInfo`.
    #[error("the public key is not the DER of an Ed25519 SubjectPublicKeyInfo")]
    NotSpki,
    /// Of a later version, perhaps.
    #[error("the key is of an algorithm that this version does not know")]
    UnknownAlgorithm,
    /// The key id is another key's.
    #[error("the key id is not that of the public key")]
    KeyId,
    /// The signature does not hold.
    #[error("the signature does not hold")]
    BadSignature,
}

impl PublicKey {
    /// Checks the 32 bytes of a public key against the profile.
    ///
    /// # Errors
    /// When two verifiers could disagree on signatures of this key.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotCanonical)?;
        let point = key.to_edwards();
        if point.compress().as_bytes() != bytes {
            return Err(KeyError::NotCanonical);
        }
        if point.is_small_order() {
            return Err(KeyError::SmallOrder);
        }
        if !point.is_torsion_free() {
            return Err(KeyError::MixedOrder);
        }
        Ok(Self(key))
    }

    /// Reads `SubjectPublicKeyInfo` DER and checks the key in it.
    ///
    /// # Errors
    /// When the DER is another algorithm's, or the key does not meet the profile.
    pub fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        let bytes = der.strip_prefix(&SPKI_PREFIX).ok_or(KeyError::NotSpki)?;
        Self::from_bytes(bytes.try_into().map_err(|_| KeyError::NotSpki)?)
    }

    /// The 32 bytes of the key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// `SubjectPublicKeyInfo` DER, 44 bytes.
    #[must_use]
    pub fn to_spki(&self) -> Vec<u8> {
        [&SPKI_PREFIX[..], self.as_bytes()].concat()
    }

    /// The key id: SHA-256 of the `SubjectPublicKeyInfo` DER.
    #[must_use]
    pub fn key_id(&self) -> Digest {
        Digest::of(&self.to_spki())
    }

    /// Checks `signature` on `message` by this key, under the profile.
    ///
    /// # Errors
    /// When the signature does not hold.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), KeyError> {
        let signature = Signature::from_slice(signature).map_err(|_| KeyError::BadSignature)?;
        self.0.verify_strict(message, &signature).map_err(|_| KeyError::BadSignature)
    }
}

/// Checks `signature` on `message` by the key `public`, under the whole profile.
///
/// # Errors
/// When the key does not meet the profile or the signature does not hold.
pub fn verify(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> Result<(), KeyError> {
    PublicKey::from_bytes(public)?.verify(message, signature)
}

/// Something that signs and never shows its secret: a key in memory, a card, a security module.
pub trait Signer {
    /// The 32 bytes of the Ed25519 public key.
    fn public_key(&self) -> [u8; 32];

    /// Signs `message` (pure Ed25519, RFC 8032).
    ///
    /// # Errors
    /// When the device that holds the key does not answer or refuses.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError>;
}

/// A signing device that did not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("failed to sign: {0}")]
pub struct SignError(pub String);

impl Signer for SigningKey {
    fn public_key(&self) -> [u8; 32] {
        self.verifying_key().to_bytes()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        Ok(ed25519_dalek::Signer::try_sign(self, message).map_err(|error| SignError(error.to_string()))?.to_bytes())
    }
}

/// Algorithms that a charter may require. A second one joins here and nowhere else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// Ed25519 (RFC 8032) under the profile of this file.
    Ed25519,
}

/// What a key is for. A proof of possession binds it, so no key can be shown in another role.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// One of a nation's k of n officers; kept offline.
    Root,
    /// Delegates and revokes the keys below.
    Registrar,
    /// Signs the checkpoints of the nation's log.
    Log,
    /// Cosigns the checkpoints of others: a larger, consistent tree was seen.
    Witness,
    /// Cosigns the checkpoints of others: every entry is held.
    Mirror,
    /// Signs models, weights and license terms.
    Publisher,
    /// Signs accreditations and exchanges of licenses.
    Exchange,
    /// Signs evaluations of others' models.
    Evaluator,
    /// Signs what a node says of itself.
    Node,
    /// Identifies a node to its partners on the wire.
    Transport,
}

impl Role {
    /// The role's one word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Registrar => "registrar",
            Self::Log => "log",
            Self::Witness => "witness",
            Self::Mirror => "mirror",
            Self::Publisher => "publisher",
            Self::Exchange => "exchange",
            Self::Evaluator => "evaluator",
            Self::Node => "node",
            Self::Transport => "transport",
        }
    }
}

/// A public key as records carry it, with the proof that its holder asked for this role.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyRecord {
    /// SHA-256 of the public key's `SubjectPublicKeyInfo` DER.
    pub keyid: Digest,
    /// The algorithm.
    pub alg: Word<Algorithm>,
    /// The `SubjectPublicKeyInfo` DER in base64.
    pub public_key: String,
    /// Base64 of this key's signature over [`possession_message`].
    pub proof_of_possession: String,
}

/// What a key signs to show that its holder asked for `role` in the log `origin` of `nation`.
#[must_use]
pub fn possession_message(nation: &Nation, origin: &Origin, role: Role, keyid: &Digest) -> Vec<u8> {
    let role = role.as_str();
    format!("chancery.proof-of-possession/v1\n{nation}\n{origin}\n{role}\n{keyid}\n").into_bytes()
}

impl KeyRecord {
    /// Makes the record of `signer`'s key for a role.
    ///
    /// # Errors
    /// When the key does not meet the profile, or its device does not sign.
    pub fn issue(signer: &dyn Signer, nation: &Nation, origin: &Origin, role: Role) -> Result<Self, SignError> {
        let key = PublicKey::from_bytes(&signer.public_key()).map_err(|error| SignError(error.to_string()))?;
        let keyid = key.key_id();
        let proof = signer.sign(&possession_message(nation, origin, role, &keyid))?;
        Ok(Self {
            keyid,
            alg: Algorithm::Ed25519.into(),
            public_key: base64::encode(&key.to_spki()),
            proof_of_possession: base64::encode(&proof),
        })
    }

    /// As [`KeyRecord::open`], but a key of an unknown algorithm is let stand: it can sign nothing that
    /// this version counts.
    ///
    /// # Errors
    /// When the key is of a known algorithm and does not hold.
    pub fn check(&self, nation: &Nation, origin: &Origin, role: Role) -> Result<(), KeyError> {
        match self.open(nation, origin, role) {
            Ok(_) | Err(KeyError::UnknownAlgorithm) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Checks profile, key id and proof of possession, and answers the key.
    ///
    /// # Errors
    /// When the algorithm is unknown, or any of the three does not hold for this nation, log and role.
    pub fn open(&self, nation: &Nation, origin: &Origin, role: Role) -> Result<PublicKey, KeyError> {
        let Some(Algorithm::Ed25519) = self.alg.known() else { return Err(KeyError::UnknownAlgorithm) };
        let der = base64::decode(&self.public_key).map_err(|_| KeyError::NotSpki)?;
        let key = PublicKey::from_spki(&der)?;
        let proof = base64::decode(&self.proof_of_possession).map_err(|_| KeyError::BadSignature)?;
        if key.key_id() != self.keyid {
            return Err(KeyError::KeyId);
        }
        key.verify(&possession_message(nation, origin, role, &self.keyid), &proof)?;
        Ok(key)
    }
}
