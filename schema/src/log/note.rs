//! Signed notes: text, a blank line, and one line for each signature.
//!
//! Follows C2SP signed-note <https://c2sp.org/signed-note>, v1.0.0.
//! In scope: notes, signature lines, verifier keys, Ed25519 signatures (type 0x01).
//! Out of scope: what the text says (see [`super::checkpoint`]), timestamps (see
//! [`super::cosignature`]).

use std::fmt;
use std::str::FromStr;

use crate::base64;
use crate::digest::Digest;
use crate::key::{PublicKey, SignError, Signer};
use crate::limits::{NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX, ORIGIN_BYTES_MAX};
use crate::log::cosignature;

/// The first four bytes of SHA-256 of `name ‖ 0x0A ‖ type ‖ public key`: a hint, not an identity.
pub type KeyId = [u8; 4];

/// What a key signs, as the type byte of C2SP signed-note says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyType {
    /// 0x01: the text itself.
    Ed25519,
    /// 0x04: the text and the time of signing (C2SP tlog-cosignature).
    Cosignature,
}

/// A public key that verifies notes: `name+hex(key id)+base64(type ‖ public key)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key_type: KeyType,
    public: PublicKey,
}

/// One signature line, not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    name: String,
    key_id: KeyId,
    bytes: Vec<u8>,
}

/// A note that is well formed, its signatures not yet verified. Its text form is unique, so
/// [`fmt::Display`] gives back the very bytes it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// Why a note, a signature line or a verifier key is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Too many bytes.
    #[error("the note is larger than {NOTE_BYTES_MAX} bytes")]
    Large,
    /// Not UTF-8, or a control character other than the end of a line.
    #[error("the note is not plain UTF-8 text")]
    Text,
    /// No text, no blank line, or no final end of line.
    #[error("a note is lines of text, a blank line, and lines of signatures")]
    Shape,
    /// Not `— name base64`.
    #[error("a signature line is an em dash, a key name, and base64")]
    Line,
    /// Too many signatures.
    #[error("the note has more than {NOTE_SIGNATURES_MAX} signatures")]
    Signatures,
    /// A name with a space, a `+`, nothing, or too much in it.
    #[error("a key name has 1 to {ORIGIN_BYTES_MAX} bytes, no space and no '+'")]
    Name,
    /// Not a verifier key, or its parts contradict each other.
    #[error("not a verifier key of type 1 or 4, such as name+0123abcd+base64")]
    VerifierKey,
    /// No known key has signed.
    #[error("no known key has signed the note")]
    Unsigned,
    /// A known key seems to have signed and has not.
    #[error("the signature of {name} does not hold")]
    Forged {
        /// The key's name.
        name: String,
    },
}

impl KeyType {
    /// The type byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }
}

impl VerifierKey {
    /// Names a public key.
    ///
    /// # Errors
    /// When the name cannot stand in a note.
    pub fn new(name: &str, key_type: KeyType, public: PublicKey) -> Result<Self, NoteError> {
        if is_name(name) { Ok(Self { name: name.to_owned(), key_type, public }) } else { Err(NoteError::Name) }
    }

    /// The key's name; of a log's key, the origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The Ed25519 public key.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The key id that its signature lines carry.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        let typed = [&[b'\n', self.key_type.byte()], self.public.as_bytes().as_slice()].concat();
        let [a, b, c, d, ..] = *Digest::of_parts(&[self.name.as_bytes(), &typed]).as_bytes();
        [a, b, c, d]
    }

    /// Whether a line claims to be by this key.
    #[must_use]
    pub fn claims(&self, signature: &Signature) -> bool {
        self.name == signature.name && self.key_id() == signature.key_id
    }

    /// Checks that `signature` is by this key on `text`.
    ///
    /// # Errors
    /// When it is not.
    pub fn verify(&self, text: &str, signature: &Signature) -> Result<(), NoteError> {
        let forged = || NoteError::Forged { name: self.name.clone() };
        let (message, bytes) = match self.key_type {
            KeyType::Ed25519 => (text.to_owned(), signature.bytes.as_slice()),
            KeyType::Cosignature => {
                let (timestamp, bytes) = cosignature::split(&signature.bytes).ok_or_else(forged)?;
                (cosignature::message(text, timestamp), bytes)
            }
        };
        let holds = self.claims(signature) && self.public.verify(message.as_bytes(), bytes).is_ok();
        if holds { Ok(()) } else { Err(forged()) }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.key_type.byte()], self.public.as_bytes().as_slice()].concat();
        let key_id = u32::from_be_bytes(self.key_id());
        write!(f, "{}+{key_id:08x}+{}", self.name, base64::encode(&key))
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(_), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::VerifierKey);
        };
        let bytes = base64::decode(key).map_err(|_| NoteError::VerifierKey)?;
        let (key_type, public) = match bytes.split_first() {
            Some((0x01, public)) => (KeyType::Ed25519, public),
            Some((0x04, public)) => (KeyType::Cosignature, public),
            _ => return Err(NoteError::VerifierKey),
        };
        let public = public.try_into().map_err(|_| NoteError::VerifierKey)?;
        let public = PublicKey::from_bytes(public).map_err(|_| NoteError::VerifierKey)?;
        let key = Self::new(name, key_type, public)?;
        // The key id is right exactly when the key writes itself as it was read.
        if key.to_string() == text { Ok(key) } else { Err(NoteError::VerifierKey) }
    }
}

impl Signature {
    /// A line by `key`; `bytes` are what follows the key id.
    #[must_use]
    pub fn new(key: &VerifierKey, bytes: Vec<u8>) -> Self {
        Self { name: key.name.clone(), key_id: key.key_id(), bytes }
    }

    /// Reads one line, without its end.
    ///
    /// # Errors
    /// When it is not an em dash, a name, and canonical base64 of more than a key id.
    pub fn parse(line: &str) -> Result<Self, NoteError> {
        let (name, payload) = line.strip_prefix("— ").and_then(|rest| rest.split_once(' ')).ok_or(NoteError::Line)?;
        let payload = base64::decode(payload).map_err(|_| NoteError::Line)?;
        let (key_id, bytes) = payload.split_first_chunk().ok_or(NoteError::Line)?;
        if !is_name(name) || bytes.is_empty() {
            return Err(NoteError::Line);
        }
        Ok(Self { name: name.to_owned(), key_id: *key_id, bytes: bytes.to_vec() })
    }

    /// The name of the key that seems to have signed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of the key that seems to have signed.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// What follows the key id.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The line, without its end.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "— {} {}", self.name, base64::encode(&[&self.key_id, self.bytes.as_slice()].concat()))
    }
}

impl Note {
    /// A note of `text`, with one signature at least.
    ///
    /// # Errors
    /// When it could not be read back: see [`Note::parse`].
    pub fn new(text: &str, signatures: Vec<Signature>) -> Result<Self, NoteError> {
        let note = Self { text: text.to_owned(), signatures };
        if Self::parse(note.to_string().as_bytes())? == note { Ok(note) } else { Err(NoteError::Shape) }
    }

    /// Reads a note and believes nothing in it.
    ///
    /// # Errors
    /// When it is too large, not text, or not in the shape of a note.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::Large);
        }
        let note = str::from_utf8(bytes).map_err(|_| NoteError::Text)?;
        if note.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
            return Err(NoteError::Text);
        }
        let blank = note.rfind("\n\n").ok_or(NoteError::Shape)?;
        let (text, rest) = note.split_at_checked(blank + 1).ok_or(NoteError::Shape)?;
        let lines = rest.strip_prefix('\n').and_then(|rest| rest.strip_suffix('\n')).ok_or(NoteError::Shape)?;
        let signatures = lines.split('\n').take(NOTE_SIGNATURES_MAX + 1).map(Signature::parse);
        let signatures = signatures.collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > NOTE_SIGNATURES_MAX {
            return Err(NoteError::Signatures);
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// Which of `keys` have signed, each once. Lines of other keys are passed over.
    ///
    /// # Errors
    /// When none has, or when a line that claims to be by one of them is not.
    pub fn verify<'k>(&self, keys: &'k [VerifierKey]) -> Result<Vec<&'k VerifierKey>, NoteError> {
        let mut signers: Vec<&VerifierKey> = Vec::new();
        for line in &self.signatures {
            for key in keys.iter().filter(|key| key.claims(line)) {
                key.verify(&self.text, line)?;
                if !signers.contains(&key) {
                    signers.push(key);
                }
            }
        }
        if signers.is_empty() { Err(NoteError::Unsigned) } else { Ok(signers) }
    }

    /// Adds a line, unless the note has it already.
    ///
    /// # Errors
    /// When the note would become too large.
    pub fn add(&mut self, signature: Signature) -> Result<(), NoteError> {
        if self.signatures.contains(&signature) {
            return Ok(());
        }
        if self.signatures.len() >= NOTE_SIGNATURES_MAX {
            return Err(NoteError::Signatures);
        }
        if self.to_string().len() + signature.to_string().len() + 1 > NOTE_BYTES_MAX {
            return Err(NoteError::Large);
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// What is signed, with the end of its last line.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines.
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

/// Signs `text` under `name` (type 0x01).
///
/// # Errors
/// When the name or the key cannot stand in a note, or the device does not sign.
pub fn sign(text: &str, name: &str, signer: &dyn Signer) -> Result<Signature, SignError> {
    let key = verifier_key(name, KeyType::Ed25519, signer)?;
    Ok(Signature::new(&key, signer.sign(text.as_bytes())?.to_vec()))
}

/// The verifier key of a signer.
///
/// # Errors
/// When the name or the key cannot stand in a note.
pub fn verifier_key(name: &str, key_type: KeyType, signer: &dyn Signer) -> Result<VerifierKey, SignError> {
    let public = PublicKey::from_bytes(&signer.public_key()).map_err(|error| SignError(error.to_string()))?;
    VerifierKey::new(name, key_type, public).map_err(|error| SignError(error.to_string()))
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    (1..=ORIGIN_BYTES_MAX).contains(&name.len()) && name.chars().all(plain)
}
