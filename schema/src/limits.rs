//! Every bound of the protocol in one place, each with its reason. All nodes share them: a record
//! that one node admits, every other can hold.

/// An envelope in its fixed form, in bytes. A card with text in a dozen languages stays far below;
/// what is larger is a blob.
pub const ENVELOPE_BYTES_MAX: usize = 1 << 20;

/// A blob, in bytes: 16 MiB hold the chunk hashes of 4 TiB of weights.
pub const BLOB_BYTES_MAX: u64 = 16 << 20;

/// Blobs that one record may name. Each costs a partner a fetch.
pub const BLOBS_PER_RECORD_MAX: usize = 64;

/// Signatures on an envelope: more roots than any nation has officers for.
pub const SIGNATURES_MAX: usize = 16;

/// One signature, in bytes. ML-DSA-87 (FIPS 204) needs 4,627.
pub const SIGNATURE_BYTES_MAX: usize = 8 << 10;

/// Nesting of JSON: deeper text is an attack on somebody's parser.
pub const JSON_DEPTH_MAX: usize = 32;

/// The largest integer that JavaScript reads exactly (RFC 7493 §2.2). Larger numbers are strings.
pub const JSON_INTEGER_MAX: u64 = (1 << 53) - 1;

/// The name of an organisation, model or version, in characters.
pub const NAME_CHARS_MAX: usize = 64;

/// A display name, a title or another line of text, in bytes.
pub const LINE_BYTES_MAX: usize = 1 << 10;

/// A long text inside a record, in bytes.
pub const TEXT_BYTES_MAX: usize = 512 << 10;

/// Items of a list inside a record, files of a manifest apart.
pub const LIST_ITEMS_MAX: usize = 512;

/// Revocations of one key by registrars, and as many by the roots: each is weighed with every record that the
/// key signed, and all that matter travel in a bundle. What the roots affirm does not count among them.
pub const REVOCATIONS_MAX: usize = 8;

/// Files of one weights manifest: at 200 bytes each they fit an envelope.
pub const FILES_MAX: usize = 4096;

/// A path inside a manifest, in bytes: what common file systems take.
pub const PATH_BYTES_MAX: usize = 1024;

/// Parts of such a path: deeper folders are an attack on whoever lays them out.
pub const PATH_PARTS_MAX: usize = 32;

/// A chunk of a weights file, in bytes. Large enough that WebCrypto runs at full speed.
pub const CHUNK_BYTES: u64 = 8 << 20;

/// Keys of one role in a charter.
pub const CHARTER_KEYS_MAX: usize = 16;

/// Versions of a charter: whoever walks from the first to the last has all of them before him, and every
/// bundle carries them, with two of its frames for each.
pub const CHARTER_VERSIONS_MAX: u64 = 100;

/// How far a node's clock may be from what partners cosign before it says so, in seconds: machines that ask a time
/// server differ by less than one.
pub const CLOCK_ALARM_SECONDS: i64 = 300;

/// How far in the future a claimed time may lie, in seconds: two honest clocks differ by minutes.
pub const CLOCK_SKEW_SECONDS: i64 = 600;

/// An origin, in bytes: ML-DSA cosignatures give its length one byte (C2SP tlog-cosignature).
pub const ORIGIN_BYTES_MAX: usize = 255;

/// Signatures on one note: the witness and the mirror of every nation, and room to grow. C2SP asks
/// readers to take at least 16.
pub const NOTE_SIGNATURES_MAX: usize = 512;

/// A signed note, in bytes: a checkpoint with so many cosignatures, each of some 200 bytes.
pub const NOTE_BYTES_MAX: usize = 128 << 10;

/// Entries in one package of bulk exchange, as in C2SP tlog-mirror.
pub const PACKAGE_ENTRIES_MAX: u64 = 256;

/// One package of bulk exchange with its bodies, in bytes: what a reader must hold at once.
pub const PACKAGE_BYTES_MAX: usize = 4 << 20;

/// The payload of one frame, in bytes: a blob and nothing larger.
pub const FRAME_BYTES_MAX: usize = 16 << 20;

/// Logs that came before, one after the other: a nation that loses its log's key once a decade fills a lifetime.
pub const SUCCESSIONS_MAX: usize = 8;

/// Frames of a bundle: one record with all its proof.
pub const BUNDLE_FRAMES_MAX: usize = 256;

/// A bundle, in bytes.
pub const BUNDLE_BYTES_MAX: u64 = 64 << 20;

/// A log is stale when its nation was silent for this long, in seconds: it says every ten minutes what its
/// newest checkpoint is, and a day bridges what breaks on the way.
pub const STALE_SECONDS: i64 = 86_400;

/// Hashes of one Merkle proof: a tree of 2^63 entries needs no more.
pub const PROOF_HASHES_MAX: usize = 63;

/// Heads in one message: every nation's log twice over.
pub const HEADS_MAX: usize = 512;

/// Addresses of one endpoint.
pub const ADDRESSES_MAX: usize = 16;

/// Volumes of one pouch: its header names the digest of each.
pub const POUCH_VOLUMES_MAX: usize = 512;
