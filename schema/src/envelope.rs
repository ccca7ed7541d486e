//! DSSE envelopes: a payload and the signatures on it.
//!
//! Follows <https://github.com/secure-systems-lab/dsse>, protocol v1.0.2.
//! In scope: pre-authentication encoding, the fixed form, signing, checking signatures.
//! Out of scope: which keys may sign what (see [`crate::admission`]).
//!
//! **The fixed form** (F). A node receives any valid DSSE JSON and keeps it in exactly one byte form:
//! `{"payloadType":"application/vnd.in-toto+json","payload":"…","signatures":[{"keyid":"…","sig":"…"},…]}`
//! without white space, in standard base64 with padding, signatures in ascending order of key id and
//! one for each key. The log's entry names the SHA-256 of this form. The payload's own bytes are
//! never written again: the record digest is their SHA-256.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::base64;
use crate::digest::Digest;
use crate::json;
use crate::key::{PublicKey, SignError, Signer};
use crate::limits::{ENVELOPE_BYTES_MAX, SIGNATURE_BYTES_MAX, SIGNATURES_MAX};

/// The payload type of every record: an in-toto statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// A payload with its signatures. Nothing in it is verified until [`Envelope::verified_by`] says so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Envelope {
    payload: Vec<u8>,
    signatures: BTreeMap<Digest, Vec<u8>>,
}

/// Why bytes are not an envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Larger than every node agrees to hold.
    #[error("the envelope is larger than {ENVELOPE_BYTES_MAX} bytes; put large parts into blobs")]
    TooLarge,
    /// Not JSON that reads in one way.
    #[error("the envelope is {0}")]
    Json(json::NotStrict),
    /// A member is missing or of another type.
    #[error("the envelope's {0} is missing or malformed")]
    Member(&'static str),
    /// Signed as something else.
    #[error("the payload type is not {PAYLOAD_TYPE}")]
    PayloadType,
    /// One key must count once.
    #[error("the key {0} signs twice")]
    KeyTwice(Digest),
    /// Valid, but not in the one byte form in which records are kept.
    #[error("the envelope is not in its fixed form")]
    NotFixed,
}

impl From<json::NotStrict> for EnvelopeError {
    fn from(error: json::NotStrict) -> Self {
        Self::Json(error)
    }
}

/// DSSE's pre-authentication encoding: what is signed.
#[must_use]
pub fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

impl Envelope {
    /// Signs `payload` with each of `signers`.
    ///
    /// # Errors
    /// When a signer's device does not sign.
    pub fn sign(payload: Vec<u8>, signers: &[&dyn Signer]) -> Result<Self, SignError> {
        let mut envelope = Self { payload, signatures: BTreeMap::new() };
        for signer in signers {
            envelope.add_signature(*signer)?;
        }
        Ok(envelope)
    }

    /// Adds the signature of one more key.
    ///
    /// # Errors
    /// When the key does not meet the profile, or its device does not sign.
    pub fn add_signature(&mut self, signer: &dyn Signer) -> Result<(), SignError> {
        let key = PublicKey::from_bytes(&signer.public_key()).map_err(|error| SignError(error.to_string()))?;
        let signature = signer.sign(&pre_authentication_encoding(PAYLOAD_TYPE, &self.payload))?;
        self.signatures.insert(key.key_id(), signature.to_vec());
        Ok(())
    }

    /// Takes in the signatures that another envelope has on the same payload; of another payload, none.
    pub fn take_signatures(&mut self, other: &Self) {
        if self.payload == other.payload {
            self.signatures.extend(other.signatures.clone());
        }
    }

    /// Reads any valid DSSE JSON: unknown members are ignored, both base64 alphabets are taken.
    ///
    /// # Errors
    /// When `bytes` are too large, ambiguous, or not an envelope of our payload type.
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        if bytes.len() > ENVELOPE_BYTES_MAX {
            return Err(EnvelopeError::TooLarge);
        }
        let envelope = json::parse(bytes)?;
        let text = |value: &Value, member: &str| value.get(member).and_then(Value::as_str).map(str::to_owned);
        let bytes_of = |value: &Value, member: &str| base64::decode_either(&text(value, member)?).ok();
        if text(&envelope, "payloadType").ok_or(EnvelopeError::Member("payloadType"))? != PAYLOAD_TYPE {
            return Err(EnvelopeError::PayloadType);
        }
        let payload = bytes_of(&envelope, "payload").ok_or(EnvelopeError::Member("payload"))?;
        let list = envelope.get("signatures").and_then(Value::as_array);
        let list = list.ok_or(EnvelopeError::Member("signatures"))?;
        if !(1..=SIGNATURES_MAX).contains(&list.len()) {
            return Err(EnvelopeError::Member("signatures"));
        }
        let mut signatures = BTreeMap::new();
        for signature in list {
            let keyid = text(signature, "keyid").and_then(|text| text.parse().ok());
            let keyid: Digest = keyid.ok_or(EnvelopeError::Member("keyid"))?;
            let sig = bytes_of(signature, "sig").filter(|sig| (1..=SIGNATURE_BYTES_MAX).contains(&sig.len()));
            if signatures.insert(keyid, sig.ok_or(EnvelopeError::Member("sig"))?).is_some() {
                return Err(EnvelopeError::KeyTwice(keyid));
            }
        }
        let envelope = Self { payload, signatures };
        if envelope.to_bytes().len() > ENVELOPE_BYTES_MAX {
            return Err(EnvelopeError::TooLarge);
        }
        Ok(envelope)
    }

    /// Reads an envelope that must already be in its fixed form.
    ///
    /// # Errors
    /// As [`Envelope::parse`], and when one byte differs from the fixed form.
    pub fn from_fixed(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let envelope = Self::parse(bytes)?;
        if envelope.to_bytes() == bytes { Ok(envelope) } else { Err(EnvelopeError::NotFixed) }
    }

    /// The fixed form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let signatures: Vec<Value> =
            self.signatures.iter().map(|(keyid, sig)| json!({ "keyid": keyid, "sig": base64::encode(sig) })).collect();
        let envelope = json!({
            "payloadType": PAYLOAD_TYPE,
            "payload": base64::encode(&self.payload),
            "signatures": signatures,
        });
        envelope.to_string().into_bytes()
    }

    /// SHA-256 of the fixed form: what the log's entry names.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    /// SHA-256 of the payload: the record's own digest, by which others refer to it.
    #[must_use]
    pub fn record_digest(&self) -> Digest {
        Digest::of(&self.payload)
    }

    /// The signed bytes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The key ids that claim to have signed, ascending.
    pub fn key_ids(&self) -> impl Iterator<Item = Digest> + '_ {
        self.signatures.keys().copied()
    }

    /// Whether `key` signed this payload: its key id is listed and the signature holds.
    #[must_use]
    pub fn verified_by(&self, key: &PublicKey) -> bool {
        let message = || pre_authentication_encoding(PAYLOAD_TYPE, &self.payload);
        self.signatures.get(&key.key_id()).is_some_and(|signature| key.verify(&message(), signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pre_authentication_encoding_is_that_of_the_specification() {
        let encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world");
        assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }
}
