/**
 * Every bound of the protocol, with the names and numbers of schema/src/limits.rs, where each has its
 * reason. A test reads both files and fails when they differ.
 */

export const ENVELOPE_BYTES_MAX = 1 << 20;
export const BLOB_BYTES_MAX = 16 << 20;
export const BLOBS_PER_RECORD_MAX = 64;
export const SIGNATURES_MAX = 16;
export const SIGNATURE_BYTES_MAX = 8 << 10;
export const JSON_DEPTH_MAX = 32;
export const JSON_INTEGER_MAX = 2 ** 53 - 1;
export const NAME_CHARS_MAX = 64;
export const LINE_BYTES_MAX = 1 << 10;
export const TEXT_BYTES_MAX = 512 << 10;
export const LIST_ITEMS_MAX = 512;
/** Revocations of one key by registrars, and as many by the roots, without those that affirm. */
export const REVOCATIONS_MAX = 8;
export const FILES_MAX = 4096;
export const PATH_BYTES_MAX = 1024;
export const PATH_PARTS_MAX = 32;
export const CHUNK_BYTES = 8 << 20;
export const CHARTER_KEYS_MAX = 16;
export const CHARTER_VERSIONS_MAX = 100;
export const CLOCK_ALARM_SECONDS = 300;
export const CLOCK_SKEW_SECONDS = 600;
export const ORIGIN_BYTES_MAX = 255;
export const NOTE_SIGNATURES_MAX = 512;
export const NOTE_BYTES_MAX = 128 << 10;
export const PACKAGE_ENTRIES_MAX = 256;
export const PACKAGE_BYTES_MAX = 4 << 20;
export const FRAME_BYTES_MAX = 16 << 20;
export const SUCCESSIONS_MAX = 8;
export const BUNDLE_FRAMES_MAX = 256;
export const BUNDLE_BYTES_MAX = 64 << 20;
export const STALE_SECONDS = 86_400;
export const PROOF_HASHES_MAX = 63;
export const HEADS_MAX = 512;
export const ADDRESSES_MAX = 16;
export const POUCH_VOLUMES_MAX = 512;
