//! What the archive answers: plain data, in the words of the schema.

use chancery_schema::admission::Refusal;
use chancery_schema::digest::Digest;
use chancery_schema::name::{Nation, Origin};
use chancery_schema::record::{Kind, Scope};
use chancery_schema::time::Timestamp;

/// What became of a submitted record.
#[derive(Clone, PartialEq, Debug)]
pub enum Admission {
    /// It is in the log.
    Admitted(Receipt),
    /// It is not, and why.
    Refused(Refusal),
}

/// Proof that a record is in the log, under a checkpoint already durable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// The record.
    pub record: Digest,
    /// Whose log.
    pub origin: Origin,
    /// Its position.
    pub index: u64,
    /// The envelope that was entered there, which the proof is of. The same record in another envelope,
    /// with other signatures, is not entered again.
    pub envelope: Digest,
    /// The C2SP tlog-proof.
    pub proof: String,
    /// Whether it was in the log before.
    pub again: bool,
}

/// What became of an uploaded blob.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlobOutcome {
    /// Kept, or held already.
    Kept,
    /// The bytes have another digest.
    WrongDigest,
    /// Larger than any record may name.
    TooLarge,
}

/// The one signal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogChanged {
    /// Which log.
    pub origin: Origin,
    /// Its size now.
    pub size: u64,
    /// Whether the size grew; otherwise a cosignature joined the head.
    pub grew: bool,
}

/// The newest checkpoint of a log that is held in full.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// The log.
    pub origin: Origin,
    /// The nation it claims to speak for.
    pub nation: Nation,
    /// Whether it is the node's own.
    pub own: bool,
    /// Entries.
    pub size: u64,
    /// Root hash.
    pub root: Digest,
    /// The signed note, with the cosignatures known.
    pub note: String,
}

/// What is held of a partner's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MirrorState {
    /// The log.
    pub origin: Origin,
    /// Its log key as C2SP writes it.
    pub log_vkey: String,
    /// Entries held.
    pub size: u64,
    /// Root hash over them.
    pub root: Digest,
    /// The checkpoint that is pulled towards, as a signed note; none when the mirror is at its head.
    pub pending: Option<String>,
    /// Leaf hashes of the entries after the last multiple of 256 at or before `size`.
    pub tail: Vec<Digest>,
}

/// A partner's charter and endpoints, before its log is mirrored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Introduction {
    /// The nation it claims to speak for.
    pub nation: Nation,
    /// Its log.
    pub origin: Origin,
    /// The record digest of its first charter.
    pub fingerprint: Digest,
    /// What it calls itself, by language.
    pub display_name: Vec<(String, String)>,
}

/// A log that took the place of an earlier one of its nation, and that this node accepts in its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Succession {
    /// The new log.
    pub origin: Origin,
    /// The record digest of its first charter.
    pub fingerprint: Digest,
    /// The earlier log.
    pub predecessor: Origin,
    /// The record digest of the earlier log's first charter.
    pub predecessor_fingerprint: Digest,
    /// From how many entries of the earlier log the new one goes on; later ones are not the nation's word.
    pub base: u64,
    /// The checkpoint of them, as a signed note.
    pub base_note: String,
    /// Why, as the record has it.
    pub reason: String,
    /// How many entries beyond the base this node had cosigned; asked only before it is accepted.
    pub beyond: u64,
}

/// A nation with an accreditation in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partner {
    /// The code under which it is recognised.
    pub nation: Nation,
    /// Its log.
    pub origin: Origin,
    /// Its fingerprint.
    pub fingerprint: Digest,
    /// What it is recognised for.
    pub scopes: Vec<Scope>,
    /// Its log key as C2SP writes it, when its charter is known.
    pub log_vkey: Option<String>,
    /// Its nodes.
    pub endpoints: Vec<PartnerEndpoint>,
    /// Until when.
    pub valid_until: Option<Timestamp>,
}

/// One node of a partner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartnerEndpoint {
    /// The Ed25519 key of its libp2p peer id.
    pub transport_key: [u8; 32],
    /// Multiaddresses without peer id.
    pub addresses: Vec<String>,
    /// Where its portal is.
    pub url: Option<String>,
}

/// How the exchange with one partner about one log stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyncState {
    /// With whom.
    pub partner: Nation,
    /// About which log.
    pub origin: Origin,
    /// Whether a connection is open.
    pub connected: bool,
    /// How it stands.
    pub progress: SyncProgress,
    /// When the partner was last heard.
    pub last_heard: Option<Timestamp>,
}

/// How far a mirror is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SyncProgress {
    /// Everything the partner has shown is held.
    Synchronised,
    /// `held` of `shown` entries are held.
    CatchingUp {
        /// Entries held.
        held: u64,
        /// Entries the partner has shown.
        shown: u64,
    },
    /// Nothing was heard since.
    Stale {
        /// Since when; none if never.
        since: Option<Timestamp>,
    },
    /// The log contradicts itself; nothing more is taken.
    Frozen {
        /// Why.
        reason: String,
    },
}

/// A nation as its log presents it.
#[derive(Clone, PartialEq, Debug)]
pub struct NationSummary {
    /// The code it claims.
    pub nation: Nation,
    /// Its log.
    pub origin: Origin,
    /// Its fingerprint.
    pub fingerprint: Digest,
    /// What it calls itself, by language.
    pub display_name: Vec<(String, String)>,
    /// Whether it is the node's own.
    pub own: bool,
    /// Whether the node's nation accredits it.
    pub accredited: bool,
    /// Entries of its log held here.
    pub size: u64,
    /// Its log key as C2SP writes it.
    pub log_vkey: String,
    /// Its witness's name and key.
    pub witness_vkey: String,
    /// Its mirror's name and key.
    pub mirror_vkey: String,
    /// The record digest of its charter in force.
    pub charter: Digest,
    /// That charter's version.
    pub charter_version: u64,
}

/// Which models.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ModelFilter {
    /// Of this nation.
    pub nation: Option<Nation>,
    /// With these words in names, texts, tags or publisher.
    pub text: Option<String>,
    /// That knows this language, or a variety of it.
    pub language: Option<String>,
    /// Under this license: SPDX expression, declared license or record digest.
    pub license: Option<String>,
    /// Whether all its versions have ended.
    pub ended: Option<bool>,
}

/// In which order models are listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ModelOrder {
    /// The newest version first.
    #[default]
    Newest,
    /// From A to Z by name; those of one name by publisher, and then by log.
    Name,
}

/// Which part of a list: at most `first` items after a cursor of an earlier page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// How many, 1 to 100.
    pub first: u32,
    /// After which, as given by [`PageOf::items`] of a list in the same order.
    pub after: Option<String>,
}

/// A part of a list.
#[derive(Clone, PartialEq, Debug)]
pub struct PageOf<T> {
    /// The items, each with the cursor that continues after it.
    pub items: Vec<(String, T)>,
    /// Whether more follow.
    pub has_next: bool,
    /// How many there are in all.
    pub total: u64,
}

/// A record as the view shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordSummary {
    /// Its digest; none while the body is not held.
    pub digest: Option<Digest>,
    /// Its kind, known or not.
    pub kind: String,
    /// In which log.
    pub origin: Origin,
    /// Whose log that is.
    pub nation: Nation,
    /// At which position.
    pub index: u64,
    /// SHA-256 of its envelope's fixed form.
    pub envelope: Digest,
    /// How it is judged.
    pub verdict: Verdict,
    /// When its signer says it was signed.
    pub issued_at: Option<Timestamp>,
    /// The keys whose signatures count.
    pub signers: Vec<Digest>,
}

/// How a record in a log is judged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It counts.
    Valid,
    /// A later record took its place.
    Superseded {
        /// Which.
        by: Digest,
    },
    /// Its nation no longer stands by it: [`crate::Registry::ends`] says who ended it, and why.
    Withdrawn,
    /// Its body is erased, here as everywhere: [`crate::Registry::ends`] says who asked for it, and why.
    Redacted,
    /// One of its keys was compromised, and the roots have not affirmed it; why.
    Contested(String),
    /// It does not count, and why.
    Void(Refusal),
    /// Of a kind this version does not know.
    Unknown,
    /// Its body is not held, so it cannot be judged.
    Missing,
}

/// What ended a record: a withdrawal or a redaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ending {
    /// Which of the two.
    pub kind: Kind,
    /// Its own record, with its verdict: one that is void ends nothing, unless it is a redaction.
    pub record: RecordSummary,
    /// Why, in one word, known or not.
    pub reason: String,
    /// More about it, by language.
    pub statement: Vec<(String, String)>,
}

/// Who says that the body of a record is gone from its node, and who has not said so.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Erasure {
    /// The receipts held here, by nation; of each nation the first.
    pub receipts: Vec<RecordSummary>,
    /// The log's own nation, and others that say they hold it as far as the redaction, of which none is held here.
    pub silent: Vec<Nation>,
}

/// A model version as lists show it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModelSummary {
    /// `urn:chancery:<nation>:<org>:<name>`.
    pub urn: String,
    /// The version.
    pub version: String,
    /// Whether its card was withdrawn or redacted: the version is nobody's again.
    pub ended: bool,
    /// The nation.
    pub nation: Nation,
    /// The publisher.
    pub org: String,
    /// The model's name.
    pub name: String,
    /// What people call it, by language.
    pub display_name: Vec<(String, String)>,
    /// Language tags.
    pub languages: Vec<String>,
    /// What its license is called: SPDX expression, title, or as declared.
    pub license: Option<String>,
    /// The license record.
    pub license_record: Option<Digest>,
    /// The weights records.
    pub weights: Vec<Digest>,
    /// The card's record.
    pub card: RecordSummary,
}

/// Something that has a digest that was looked up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// As what it was found.
    pub what: FoundAs,
    /// What it is called there: a path, a title, a kind.
    pub name: String,
    /// In which record.
    pub record: RecordSummary,
}

/// What a digest is the digest of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FoundAs {
    /// A record's payload.
    Record,
    /// An envelope's fixed form.
    Envelope,
    /// A weights file, whole.
    File,
    /// A weights file, as a tree of chunks.
    ChunkRoot,
    /// A weights manifest.
    Manifest,
    /// A model's root in an `OpenSSF` model signature.
    OmsRoot,
    /// A blob.
    Blob,
    /// A public key.
    Key,
}

/// How far a checkpoint has come: its log has signed it, and others have seen it, or hold what it covers.
///
/// Whether that is enough, the policy of each reader says: only what has its quorum is final.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Other nations whose witness has cosigned, and since when.
    pub witnessed: Vec<(Nation, Timestamp)>,
    /// Other nations whose mirror has cosigned, and since when.
    pub mirrored: Vec<(Nation, Timestamp)>,
    /// Other nations that are known, and so could cosign.
    pub known: u64,
    /// When the log's own nation last cosigned: its heartbeat.
    pub heartbeat: Option<Timestamp>,
    /// Since when that is too long ago; none while it is fresh, or if there never was one.
    pub stale_since: Option<Timestamp>,
}

/// One cosignature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CosignatureSeen {
    /// Whose log was cosigned.
    pub origin: Origin,
    /// At which size.
    pub size: u64,
    /// The cosigner's name.
    pub name: String,
    /// The cosigner's nation.
    pub nation: Nation,
    /// Whether it says that every entry is held, or only that the tree was seen.
    pub held: bool,
    /// When, by the cosigner's clock.
    pub at: Timestamp,
    /// The line of the note.
    pub line: String,
}
