/**
 * Weights: proving files on the reader's disk, slice by slice (schema/README.md, "Kinds").
 *
 * A file is proven by the RFC 6962 root over its chunks of 8 MiB, because WebCrypto has no incremental digest:
 * a flat SHA-256 would need the whole file in memory. With the leaf hashes of its chunks, which are a blob
 * beside the record and prove themselves against the root, the bytes that differ are named. Memory stays at a
 * few chunks however large the file.
 */

import { type Bytes, compareText, concat, equal } from './bytes';
import { type Digest, digestBytes, digestOf, sha256OfLarge } from './digest';
import { CHUNK_BYTES } from './limits';
import { Refused } from './refused';
import { EMPTY_ROOT, nodeHash } from './tree';

/** Chunks that are read and hashed at once: what WebCrypto makes use of (FACES.md §3.5). */
const IN_FLIGHT_MAX = 4;

/** What is known of a file, by its weights record. */
export interface FileKnown {
  readonly path: string;
  readonly sizeBytes: number;
  /** The RFC 6962 root over its chunks. */
  readonly chunkRoot: Digest;
}

/** A range of bytes: from `start`, up to and without `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What a file on disk is, compared with what is known of it. */
export type FileVerdict =
  | { readonly verdict: 'matches' }
  /** It is longer or shorter; its bytes were not read. */
  | { readonly verdict: 'size'; readonly expected: number; readonly found: number }
  /** Its bytes differ; `ranges` says where, in whole chunks, when the leaf hashes were given. */
  | { readonly verdict: 'differs'; readonly ranges: readonly ByteRange[] | undefined };

/** How {@link checkFile} does its work. */
export interface CheckOptions {
  /** SHA-256; that of digest.ts unless told otherwise. */
  readonly digest?: (bytes: Bytes) => Promise<Uint8Array>;
  /** Told how many bytes are done, after each chunk. */
  readonly onProgress?: (doneBytes: number) => void;
  /** Ends it; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** How many chunks a file has: none when it is empty. */
export function chunkCount(sizeBytes: number): number {
  return Math.ceil(sizeBytes / CHUNK_BYTES);
}

/** How many chunks files have together. */
export function chunkSum(files: readonly { readonly sizeBytes: number }[]): number {
  return files.reduce((count, file) => count + chunkCount(file.sizeBytes), 0);
}

/** The RFC 6962 root over the leaf hashes of a file's chunks. */
export function chunkRoot(leaves: readonly Bytes[]): Bytes {
  const [first, ...more] = leaves;
  if (first === undefined) return EMPTY_ROOT;
  if (more.length === 0) return first;
  const middle = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return nodeHash(chunkRoot(leaves.slice(0, middle)), chunkRoot(leaves.slice(middle)));
}

/** The text whose SHA-256 is the manifest digest: the identity of the weights. */
export function manifestText(files: readonly (FileKnown & { readonly sha256: Digest })[]): string {
  const lines = files.map(({ sha256, sizeBytes, path }) => `${sha256} ${sizeBytes} ${path}\n`);
  return `chancery.manifest/v1\n${lines.join('')}`;
}

/** What the OpenSSF Model Signing specification v1.0 signs: flat digests in the order of path components. */
export function omsRoot(files: readonly { readonly path: string; readonly sha256: Digest }[]): Digest {
  const sorted = files.toSorted((one, other) => compareParts(one.path.split('/'), other.path.split('/')));
  return digestOf(...sorted.map((file) => digestBytes(file.sha256)));
}

/**
 * Proves the blob of chunk hashes against the root of every file; answers the leaf hashes of each file by its
 * path. Throws `Refused` (`chunk-hashes`) when the blob is not that of these files.
 */
export function splitChunkHashes(files: readonly FileKnown[], blob: Bytes): ReadonlyMap<string, readonly Bytes[]> {
  const chunks = chunkSum(files);
  if (blob.length !== 32 * chunks) {
    throw new Refused('chunk-hashes', `the chunk hashes are ${blob.length} bytes long; the files need ${32 * chunks}`);
  }
  let at = 0;
  return new Map(
    files.map((file) => {
      const leaves = Array.from({ length: chunkCount(file.sizeBytes) }, () => blob.slice(32 * at, 32 * ++at));
      if (!equal(chunkRoot(leaves), digestBytes(file.chunkRoot))) {
        throw new Refused('chunk-hashes', `the chunk hashes of ${file.path} do not lead to its chunk root`);
      }
      return [file.path, leaves];
    }),
  );
}

/**
 * Compares a file on disk with what is known of it. `leaves` are its chunks' hashes, from
 * {@link splitChunkHashes}; without them the verdict is as sure, but names no range. Rejects when the file
 * cannot be read.
 */
export async function checkFile(
  blob: Blob, known: FileKnown, leaves: readonly Bytes[] | undefined, options: CheckOptions = {},
): Promise<FileVerdict> {
  if (blob.size !== known.sizeBytes) return { verdict: 'size', expected: known.sizeBytes, found: blob.size };
  const found = await hashChunks(blob, options);
  if (equal(chunkRoot(found), digestBytes(known.chunkRoot))) return { verdict: 'matches' };
  return { verdict: 'differs', ranges: leaves === undefined ? undefined : differing(found, leaves, blob.size) };
}

/** The leaf hashes of a file's chunks: SHA-256 of `0x00 ‖ chunk`, a few at a time. */
export async function hashChunks(blob: Blob, options: CheckOptions = {}): Promise<readonly Bytes[]> {
  const { digest = sha256OfLarge, onProgress, signal } = options;
  const leaves: Bytes[] = Array.from({ length: chunkCount(blob.size) });
  let next = 0;
  let doneBytes = 0;
  const work = async (): Promise<void> => {
    while (next < leaves.length) {
      signal?.throwIfAborted();
      const index = next++;
      const slice = blob.slice(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
      const chunk = new Uint8Array(await slice.arrayBuffer());
      leaves[index] = new Uint8Array(await digest(concat(Uint8Array.of(0), chunk)));
      doneBytes += chunk.length;
      onProgress?.(doneBytes);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT_MAX }, work));
  signal?.throwIfAborted();
  return leaves;
}

/** Files that a reader gave, compared with those of the weights. */
export interface FolderPaired<F> {
  readonly pairs: readonly (readonly [known: FileKnown, found: F])[];
  /** Files of the weights that were not given. */
  readonly missing: readonly FileKnown[];
  /** Files of which the weights say nothing. */
  readonly strangers: readonly F[];
}

/**
 * Pairs files that a reader gave with those of the weights: by path, with or without the folder that was chosen;
 * else by name, where one file of the weights has it, and nothing its path. NFC or NFD does not matter.
 */
export function pairFolder<F extends { readonly path: string }>(
  files: readonly FileKnown[], folder: readonly F[],
): FolderPaired<F> {
  const byPath = new Map(files.map((file) => [file.path.normalize('NFC'), file]));
  const byName = new Map<string, FileKnown | 'several'>();
  for (const file of files) byName.set(nameOf(file.path), byName.has(nameOf(file.path)) ? 'several' : file);
  const matches = new Map<F, FileKnown>();
  for (const found of folder) {
    const path = found.path.normalize('NFC');
    const known = byPath.get(path) ?? byPath.get(path.slice(path.indexOf('/') + 1));
    if (known !== undefined) matches.set(found, known);
  }
  const there = new Set(matches.values());
  for (const found of folder) {
    const known = byName.get(nameOf(found.path));
    if (known === undefined || known === 'several' || there.has(known) || matches.has(found)) continue;
    matches.set(found, known);
  }
  const paired = new Set(matches.values());
  return {
    pairs: [...matches].map(([found, known]) => [known, found]),
    missing: files.filter((file) => !paired.has(file)),
    strangers: folder.filter((found) => !matches.has(found)),
  };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).normalize('NFC');
}

/** The chunks in which two lists of leaves differ, neighbours as one range. */
function differing(found: readonly Bytes[], leaves: readonly Bytes[], sizeBytes: number): readonly ByteRange[] {
  const ranges: { start: number; end: number }[] = [];
  for (const [index, hash] of found.entries()) {
    const expected = leaves[index];
    if (expected !== undefined && equal(hash, expected)) continue;
    const start = index * CHUNK_BYTES;
    const end = Math.min(start + CHUNK_BYTES, sizeBytes);
    const last = ranges.at(-1);
    if (last?.end === start) last.end = end;
    else ranges.push({ start, end });
  }
  return ranges;
}

function compareParts(one: readonly string[], other: readonly string[]): number {
  for (let i = 0; i < Math.min(one.length, other.length); i++) {
    const order = compareText(one[i] ?? '', other[i] ?? '');
    if (order !== 0) return order;
  }
  return one.length - other.length;
}
