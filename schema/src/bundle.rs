//! Bundles: a record with all its proof, in one file that needs no network (`.chancery`).
//!
//! A bundle is a pouch of one record: a header frame, then what tells of logs that came before, then each record as an envelope frame and the
//! frame of its C2SP tlog-proof, then blobs, then the end. All proofs stand under one checkpoint, so
//! nothing can be mixed from two histories. An introduction is a bundle of a nation's charter and
//! endpoints.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::admission::Submission;
use crate::digest::Digest;
use crate::envelope::{Envelope, EnvelopeError};
use crate::frame::{Decoder, Frame, FrameError};
use crate::json;
use crate::limits::{BUNDLE_BYTES_MAX, BUNDLE_FRAMES_MAX};
use crate::name::{Nation, Origin};
use crate::record::Record;

mod verify;

pub use self::verify::{Check, CosignerSeen, EndSeen, Outcome, Report, Trust, Verdict, verify};

/// The format that a header frame names.
pub const FORMAT: &str = "chancery.pouch/v1";

/// What a file of frames is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// One record with all its proof.
    Bundle,
    /// A nation's charter and endpoints.
    Introduction,
}

/// The header frame: what the file says it is. Nothing is believed because it stands here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// What the file is for.
    pub purpose: Purpose,
    /// Whose log its records are from.
    pub nation: Nation,
    /// That log.
    pub log: Origin,
    /// The record that the file is about: the model card, or the charter of an introduction. Where its body is
    /// erased, its redaction is in the file in its place.
    pub record: Digest,
}

/// A record and its proof.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoggedRecord {
    /// The envelope.
    pub envelope: Envelope,
    /// The C2SP tlog-proof, as text.
    pub proof: String,
}

/// A bundle as it was read: whole, but not yet verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bundle {
    /// What it says it is.
    pub header: Header,
    /// What tells of the logs that came before, the oldest first: of each the charters and the log succession, in
    /// log order, as [`crate::succession::read_former`] takes them.
    pub former: Vec<Envelope>,
    /// Its records, in the order of the log.
    pub records: Vec<LoggedRecord>,
    /// The blobs that its records name, as far as they are in it.
    pub blobs: BTreeMap<Digest, Vec<u8>>,
}

/// Why bytes are not a bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Larger than any reader takes.
    #[error("the bundle is larger than {BUNDLE_BYTES_MAX} bytes or has more than {BUNDLE_FRAMES_MAX} frames")]
    TooLarge,
    /// The frames cannot be read.
    #[error("the bundle cannot be read: {0}")]
    Frame(FrameError),
    /// An envelope in it cannot be read.
    #[error("an envelope in the bundle cannot be read: {0}")]
    Envelope(EnvelopeError),
    /// The header cannot be read.
    #[error("the bundle's header is malformed: {0}")]
    Header(String),
    /// The frames do not stand as a bundle asks.
    #[error("the bundle is not whole: {0}")]
    Order(&'static str),
}

impl From<FrameError> for BundleError {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}

impl From<EnvelopeError> for BundleError {
    fn from(error: EnvelopeError) -> Self {
        Self::Envelope(error)
    }
}

impl Bundle {
    /// Writes the bundle.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let header = serde_json::json!(self.header).to_string().into_bytes();
        let mut frames = vec![Frame::Header(header)];
        frames.extend(self.former.iter().map(|envelope| Frame::Former(envelope.to_bytes())));
        for record in &self.records {
            frames.push(Frame::Envelope(record.envelope.to_bytes()));
            frames.push(Frame::Proof(record.proof.clone().into_bytes()));
        }
        frames.extend(self.blobs.values().map(|bytes| Frame::Blob(bytes.clone())));
        frames.push(Frame::End(frames.len() as u64));
        frames.iter().flat_map(Frame::to_bytes).collect()
    }

    /// Reads a bundle. It is taken whole or not at all.
    ///
    /// # Errors
    /// When a byte is missing, changed, or too many.
    pub fn read(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() as u64 > BUNDLE_BYTES_MAX {
            return Err(BundleError::TooLarge);
        }
        let mut frames = frames(bytes)?.into_iter();
        let Some(Frame::Header(header)) = frames.next() else {
            return Err(BundleError::Order("no header comes first"));
        };
        let header = read_header(&header)?;
        let (mut former, mut records): (Vec<Envelope>, Vec<LoggedRecord>) = (Vec::new(), Vec::new());
        let mut blobs = BTreeMap::new();
        let mut seen = BTreeSet::new();
        while let Some(frame) = frames.next() {
            match (frame, blobs.is_empty()) {
                (Frame::Former(envelope), true) if records.is_empty() => {
                    let envelope = Envelope::from_fixed(&envelope)?;
                    if !seen.insert(envelope.record_digest()) {
                        return Err(BundleError::Order("a record stands twice"));
                    }
                    former.push(envelope);
                }
                (Frame::Envelope(envelope), true) => {
                    let Some(Frame::Proof(proof)) = frames.next() else {
                        return Err(BundleError::Order("an envelope stands without its proof"));
                    };
                    let envelope = Envelope::from_fixed(&envelope)?;
                    let proof = String::from_utf8(proof).map_err(|_| BundleError::Order("a proof is not text"))?;
                    if !seen.insert(envelope.record_digest()) {
                        return Err(BundleError::Order("a record stands twice"));
                    }
                    records.push(LoggedRecord { envelope, proof });
                }
                (Frame::Blob(blob), _) => {
                    if blobs.insert(Digest::of(&blob), blob).is_some() {
                        return Err(BundleError::Order("a blob stands twice"));
                    }
                }
                _ => return Err(BundleError::Order("a frame stands where it does not belong")),
            }
        }
        let is_about =
            |it: &LoggedRecord| it.envelope.record_digest() == header.record || redacts(it) == Some(header.record);
        if !records.iter().any(is_about) {
            return Err(BundleError::Order("the record that the header names is missing"));
        }
        Ok(Self { header, former, records, blobs })
    }
}

/// The record whose body is erased, when this one is a redaction.
fn redacts(record: &LoggedRecord) -> Option<Digest> {
    match Submission::open(record.envelope.clone()).ok()?.record {
        Record::Redaction(redaction) => Some(redaction.redacts),
        _ => None,
    }
}

/// The frames of a file, without the end frame, which must be there and count right.
fn frames(bytes: &[u8]) -> Result<Vec<Frame>, BundleError> {
    let mut decoder = Decoder::default();
    decoder.push(bytes);
    let mut frames = Vec::new();
    loop {
        match decoder.next_frame()?.ok_or(BundleError::Order("it was cut before its end"))? {
            Frame::End(count) if count == frames.len() as u64 && decoder.is_empty() => return Ok(frames),
            Frame::End(_) => return Err(BundleError::Order("it does not end where it says")),
            frame => frames.push(frame),
        }
        if frames.len() > BUNDLE_FRAMES_MAX {
            return Err(BundleError::TooLarge);
        }
    }
}

fn read_header(bytes: &[u8]) -> Result<Header, BundleError> {
    let value = json::parse(bytes).map_err(|error| BundleError::Header(error.to_string()))?;
    let header = Header::deserialize(&value).map_err(|error| BundleError::Header(error.to_string()))?;
    if json::differs(&value, &serde_json::json!(header)).is_some() {
        return Err(BundleError::Header("it has another form than it is written in".to_owned()));
    }
    if header.format == FORMAT { Ok(header) } else { Err(BundleError::Header(format!("its format is not {FORMAT}"))) }
}
