//! The archive: a nation's own log, the mirrors of its partners' logs, and the view that people see.
//!
//! - In scope: admission in one transaction, sequencing, mirrors, cosignatures, blobs, queries.
//! - Out of scope: HTTP, GraphQL, libp2p. With the migrations, this is the only room that knows
//!   `SeaORM`; what it answers are its own plain types and those of the schema.
//!
//! Ground state are entries, bodies, blobs, checkpoints and cosignatures. Every other table is a view
//! that [`Registry::rebuild_view`] drops and computes again.

mod error;
mod types;

use std::sync::Arc;

use chancery_schema::admission::Roster;
use chancery_schema::digest::Digest;
use chancery_schema::frame::{Frame, Package};
use chancery_schema::key::Signer;
use chancery_schema::log::tile::Tile;
use chancery_schema::name::{Nation, Origin};
use chancery_schema::time::Timestamp;
use tokio::sync::broadcast;

pub use crate::error::Error;
pub use crate::types::*;

/// A result of the archive.
pub type Result<T> = std::result::Result<T, Error>;

/// A signer that threads may share.
pub type SharedSigner = Arc<dyn Signer + Send + Sync>;

/// A clock. Tests bring their own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Whose archive it is: the nation, its log, and the three keys that a node holds online.
#[derive(Clone)]
pub struct Identity {
    /// The nation.
    pub nation: Nation,
    /// Its log; the log key's name.
    pub origin: Origin,
    /// Signs checkpoints of the own log.
    pub log: SharedSigner,
    /// Cosigns what was seen: name and key.
    pub witness: (Origin, SharedSigner),
    /// Cosigns what is held: name and key.
    pub mirror: (Origin, SharedSigner),
}

/// The archive. Cheap to clone; clones share one database and one sequencer.
#[derive(Clone)]
pub struct Registry {}

impl Registry {
    /// Opens the database at `url` (`sqlite:PATH`), bringing its tables up to date. With an
    /// identity the archive can admit and cosign; without, it only reads.
    ///
    /// # Errors
    /// When the database cannot be opened, or belongs to another nation's log.
    pub async fn open(url: &str, identity: Option<Identity>, clock: Clock) -> Result<Self> {
        unimplemented!("{url}")
    }

    // ---- The own log ----

    /// Admits a record to the own log, or says why not. Answers only once the record is durable
    /// under a signed checkpoint. The same record again gives the first receipt.
    /// Safe to cancel: the record is then either admitted or not, and asking again tells.
    ///
    /// # Errors
    /// When the database fails, or the archive has no identity.
    pub async fn admit(&self, envelope: &[u8]) -> Result<Admission> {
        unimplemented!()
    }

    /// Keeps a blob until a record names it. Blobs no record names are dropped after an hour.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_blob(&self, digest: Digest, bytes: Vec<u8>) -> Result<BlobOutcome> {
        unimplemented!()
    }

    /// Signs a heartbeat: the own witness's timed cosignature on the own head.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn heartbeat(&self) -> Result<()> {
        unimplemented!()
    }

    // ---- Every log ----

    /// The one signal: a log now has a size, or a checkpoint another cosignature. A hint; a reader
    /// that lags asks [`Registry::heads`].
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<LogChanged> {
        unimplemented!()
    }

    /// The heads of all logs held, the own one first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn heads(&self) -> Result<Vec<Head>> {
        unimplemented!()
    }

    /// The head of one log.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn head(&self, origin: &Origin) -> Result<Option<Head>> {
        unimplemented!()
    }

    /// A tile of hashes of a log (C2SP tlog-tiles).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tile(&self, origin: &Origin, tile: &Tile) -> Result<Option<Vec<u8>>> {
        unimplemented!()
    }

    /// The bytes of entries `start..end` (at most 256) of a log, fewer where the log ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn entries(&self, origin: &Origin, start: u64, end: u64) -> Result<Vec<Vec<u8>>> {
        unimplemented!()
    }

    /// A consistency proof from size `old` to size `new`; none when the log is smaller.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn consistency(&self, origin: &Origin, old: u64, new: u64) -> Result<Option<Vec<Digest>>> {
        unimplemented!()
    }

    /// An inclusion proof of entry `index` in the tree of `size`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn inclusion(&self, origin: &Origin, index: u64, size: u64) -> Result<Option<Vec<Digest>>> {
        unimplemented!()
    }

    /// The C2SP tlog-proof of entry `index` under the newest checkpoint, with its cosignatures.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn proof(&self, origin: &Origin, index: u64) -> Result<Option<String>> {
        unimplemented!()
    }

    /// The package that begins at `start`, proven against `tree_size`, and the frames of the bodies
    /// and blobs that belong to its entries (`Missing` for those not held); none past the end.
    /// At most [`chancery_schema::limits::PACKAGE_BYTES_MAX`] in all, unless one entry alone is more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn package(&self, origin: &Origin, start: u64, tree_size: u64) -> Result<Option<(Package, Vec<Frame>)>> {
        unimplemented!()
    }

    /// The bytes of a blob.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        unimplemented!()
    }

    // ---- Mirrors ----

    /// What is held of a partner's log: size, root, the pending checkpoint, and the leaf hashes
    /// after the last multiple of 256. An accredited partner of which nothing is held yet has size 0.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mirror(&self, origin: &Origin) -> Result<Option<MirrorState>> {
        unimplemented!()
    }

    /// Keeps a checkpoint that was proven consistent with what is held, as the one to pull towards;
    /// durable when it returns. Refuses a smaller one.
    ///
    /// # Errors
    /// When the database fails or the log is not mirrored.
    pub async fn set_pending(&self, origin: &Origin, note: &str) -> Result<()> {
        unimplemented!()
    }

    /// Appends a proven package to a mirror with whatever bodies and blobs came with it, judges each
    /// record, projects the view, and moves the mirror's size, all in one transaction. Bodies that no
    /// entry names are ignored. When the size reaches the pending checkpoint's, that becomes the head.
    ///
    /// # Errors
    /// When the database fails, or the package does not continue the mirror (then nothing is written).
    pub async fn extend(&self, package: &Package, bodies: &[Frame]) -> Result<MirrorState> {
        unimplemented!()
    }

    /// Cosigns the head of a mirror as witness and as mirror, and keeps the lines; answers them.
    /// Nothing for a log that the own nation does not cosign.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cosign(&self, origin: &Origin) -> Result<Vec<String>> {
        unimplemented!()
    }

    /// Takes cosignature lines on a checkpoint of `origin` at `size` that a partner sent. Each is
    /// verified against the keys in that partner's charter; unknown cosigners are ignored. Answers
    /// how many were new.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_cosignatures(&self, origin: &Origin, size: u64, lines: &[String]) -> Result<usize> {
        unimplemented!()
    }

    /// Bodies and blobs that entries of a mirror name and that are not held, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn missing(&self, origin: &Origin, limit: u64) -> Result<Vec<Digest>> {
        unimplemented!()
    }

    // ---- Partners ----

    /// Keeps a partner's introduction: a bundle with its charter and endpoints, so that its node can
    /// be found before its log is mirrored. Trust comes from the accreditation, not from this.
    ///
    /// # Errors
    /// When the database fails or the bundle is not an introduction.
    pub async fn introduce(&self, bundle: &[u8]) -> Result<Introduction> {
        unimplemented!()
    }

    /// The own nation's introduction as a bundle: its charter and endpoints with their proofs.
    ///
    /// # Errors
    /// When the database fails or the log is empty.
    pub async fn introduction(&self) -> Result<Vec<u8>> {
        unimplemented!()
    }

    /// The partners: nations with an accreditation in force in the own log, with what is known of
    /// where they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn partners(&self) -> Result<Vec<Partner>> {
        unimplemented!()
    }

    /// Says how the exchange with a partner about a log stands. Kept in memory.
    pub fn set_sync_state(&self, state: SyncState) {}

    /// How the exchange with each partner about each log stands.
    #[must_use]
    pub fn sync_states(&self) -> Vec<SyncState> {
        unimplemented!()
    }

    // ---- The view ----

    /// The keys of a log's nation, as the log now stands.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn roster(&self, origin: &Origin) -> Result<Option<Arc<Roster>>> {
        unimplemented!()
    }

    /// Every nation of whose log something is held or introduced, by code.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn nations(&self) -> Result<Vec<NationSummary>> {
        unimplemented!()
    }

    /// Models, newest first, a page at a time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn models(&self, filter: &ModelFilter, page: &Page) -> Result<PageOf<ModelSummary>> {
        unimplemented!()
    }

    /// One model's versions, newest first: the cards that stand.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn versions(&self, urn: &str) -> Result<Vec<ModelSummary>> {
        unimplemented!()
    }

    /// Records of a log or of all, newest first, optionally of one kind.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn records(&self, origin: Option<&Origin>, kind: Option<&str>, page: &Page) -> Result<PageOf<RecordSummary>> {
        unimplemented!()
    }

    /// The record with this digest, wherever it was logged (the own log first, then by origin).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record(&self, digest: &Digest) -> Result<Option<RecordSummary>> {
        unimplemented!()
    }

    /// The fixed form of a record's envelope, unless its body is not held.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn envelope(&self, origin: &Origin, index: u64) -> Result<Option<Vec<u8>>> {
        unimplemented!()
    }

    /// Everything that has this digest: records, files, chunk roots, manifests, OMS roots, blobs.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lookup(&self, digest: &Digest) -> Result<Vec<Found>> {
        unimplemented!()
    }

    /// The cosignatures known on checkpoints of a log that cover entry `index`, or on its head.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cosignatures(&self, origin: &Origin, index: Option<u64>) -> Result<Vec<CosignatureSeen>> {
        unimplemented!()
    }

    /// Writes the bundle of a record: it, the records it refers to, its nation's charter and the
    /// delegations of its signers, each with its proof under one checkpoint, and its blobs.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bundle(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        unimplemented!()
    }

    /// Drops every view table and computes it again from the logs. Answers how many entries.
    ///
    /// # Errors
    /// When the database fails; the view is then as it was.
    pub async fn rebuild_view(&self) -> Result<u64> {
        unimplemented!()
    }

    /// A digest of the whole view, to compare a rebuilt one with the live one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn view_digest(&self) -> Result<Digest> {
        unimplemented!()
    }

    /// Checks the archive: every hash, proof and count. Answers findings, none when all is well.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn check(&self) -> Result<Vec<String>> {
        unimplemented!()
    }
}
