//! Drafts: what will be signed, as JSON that people can edit, with its blobs in `blobs/` beside it.
//!
//! A draft is the body of a record and the word for its kind: `{"kind": "license", …}`. The header
//! comes with the signature. A withdrawal or redaction names the kind of what it ends as `endsKind`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chancery_schema::digest::Digest;
use chancery_schema::json;
use chancery_schema::limits::{BLOB_BYTES_MAX, ENVELOPE_BYTES_MAX};
use chancery_schema::record::{BlobRef, Body, Kind};
use serde_json::{Map, Value};

use crate::files::{read_bounded, write_whole};
use crate::output::{Exit, OrExit as _, Outcome, fail};

/// A body's own member `kind`, and how a draft calls it.
const OWN: (&str, &str) = ("kind", "endsKind");

/// A draft as it lies on disk.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What will be signed.
    pub kind: Kind,
    /// The members of the body.
    pub body: Map<String, Value>,
}

impl Draft {
    /// The draft of a body.
    ///
    /// # Errors
    /// When the body is not a JSON object.
    pub fn of<B: Body>(body: &B) -> Outcome<Self> {
        match serde_json::to_value(body).context("failed to write the draft")? {
            Value::Object(body) => Ok(Self { kind: B::KIND, body }),
            _ => fail(Exit::Other, format!("a {} is not a JSON object", B::KIND)),
        }
    }

    /// Reads a draft.
    ///
    /// # Errors
    /// When it is not one, with the place.
    pub fn read(path: &Path) -> Outcome<Self> {
        let attempted = || format!("failed to read the draft {}", path.display());
        let bytes = read_bounded(path, ENVELOPE_BYTES_MAX as u64)?;
        let value = json::parse(&bytes).or_exit(Exit::Usage, attempted)?;
        let Value::Object(mut body) = value else {
            return fail(Exit::Usage, format!("{} is not a draft: it is not a JSON object", path.display()));
        };
        let word = body.remove("kind");
        let kind = word.as_ref().and_then(Value::as_str).and_then(Kind::from_word);
        let Some(kind) = kind else {
            let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
            let problem =
                format!("{} does not say its kind; add \"kind\": one of {}", path.display(), kinds.join(", "));
            return fail(Exit::Usage, problem);
        };
        if let Some(own) = body.remove(OWN.1) {
            body.insert(OWN.0.to_owned(), own);
        }
        Ok(Self { kind, body })
    }

    /// Writes the draft.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn write(&self, path: &Path) -> Outcome {
        let mut draft = Map::from_iter([("kind".to_owned(), Value::from(self.kind.as_str()))]);
        let own = |member: String| if member == OWN.0 { OWN.1.to_owned() } else { member };
        draft.extend(self.body.clone().into_iter().map(|(member, value)| (own(member), value)));
        let text = serde_json::to_string_pretty(&draft).context("failed to write the draft")? + "\n";
        write_whole(path, text.as_bytes())
    }
}

/// Keeps a blob beside the file that will name it.
///
/// # Errors
/// When it is empty or larger than any record may name, or the disk does not take it.
pub fn keep_blob(beside: &Path, bytes: &[u8], media_type: &str) -> Outcome<BlobRef> {
    if bytes.is_empty() || bytes.len() as u64 > BLOB_BYTES_MAX {
        return fail(Exit::Usage, format!("a blob of {} bytes is not between 1 and {BLOB_BYTES_MAX}", bytes.len()));
    }
    let sha256 = Digest::of(bytes);
    let path = blob_path(beside, &sha256);
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).with_context(|| format!("failed to make the folder {}", folder.display()))?;
    write_whole(&path, bytes)?;
    Ok(BlobRef { sha256, size_bytes: bytes.len() as u64, media_type: media_type.to_owned() })
}

/// Where the blob with this digest lies, beside a draft or an envelope.
#[must_use]
pub fn blob_path(beside: &Path, digest: &Digest) -> PathBuf {
    beside.parent().unwrap_or(Path::new("")).join("blobs").join(digest.to_string())
}
