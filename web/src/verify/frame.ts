/**
 * Frames: how records and proofs travel, by wire or by hand (schema/README.md, "Frames").
 *
 *     u32 length of payload │ u8 type │ 32 bytes SHA-256 of payload │ payload
 */

import { type Bytes, equal, fromUtf8 } from './bytes';
import { type Digest, sha256OfLarge, toDigest } from './digest';
import { FRAME_BYTES_MAX, PACKAGE_ENTRIES_MAX, PROOF_HASHES_MAX } from './limits';
import { isOrigin } from './name';
import { Refused, attempt } from './refused';
import { Frontier, leafHash, verifySubtree } from './tree';

/** Length, type and digest: the bytes before a payload. */
const HEAD_BYTES = 4 + 1 + 32;

/** One frame. Payloads are views of what was read. */
export type Frame =
  | {
      readonly type: 'header' | 'checkpoint' | 'envelope' | 'blob' | 'proof' | 'former';
      readonly payload: Bytes;
      readonly digest: Digest;
    }
  | { readonly type: 'package'; readonly package: Package }
  | { readonly type: 'missing'; readonly missing: Digest }
  | { readonly type: 'end'; readonly frames: bigint };

/** Up to 256 consecutive entries with the proof that they are in a tree, after C2SP tlog-mirror. */
export interface Package {
  /** Whose log. */
  readonly origin: string;
  /** The index of the first entry. */
  readonly start: bigint;
  /** The size of the tree that the proof leads to. */
  readonly treeSize: bigint;
  readonly entries: readonly Bytes[];
  /** Proves the leaves from the multiple of 256 at or before `start` up to the last entry. */
  readonly proof: readonly Bytes[];
}

/**
 * The frame that begins at a byte, and where it ends; nothing while it is not whole. Throws `Refused`
 * (`frame-long`, `frame-digest`, `frame-type`, `frame`).
 */
export async function readFrame(bytes: Bytes, at: number): Promise<{ frame: Frame; end: number } | undefined> {
  if (at + HEAD_BYTES > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(at);
  if (length > FRAME_BYTES_MAX) {
    throw new Refused('frame-long', `a frame of ${length} bytes is longer than ${FRAME_BYTES_MAX}`);
  }
  const end = at + HEAD_BYTES + length;
  if (end > bytes.length) return undefined;
  const payload = bytes.subarray(at + HEAD_BYTES, end);
  const digest = await sha256OfLarge(payload);
  if (!equal(digest, bytes.subarray(at + 5, at + HEAD_BYTES))) {
    throw new Refused('frame-digest', "a frame's payload does not have the digest that the frame names");
  }
  return { frame: readPayload(view.getUint8(at + 4), payload, toDigest(digest)), end };
}

/**
 * Checks that the entries of a package stand in the tree with `root`. `tail` are the leaf hashes from the
 * multiple of 256 at or before its start up to it. Answers the leaf hashes of the entries; throws `Refused`
 * (`proof-length`, `proof-range`, `proof-root`).
 */
export function verifyPackage(it: Package, tail: readonly Bytes[], root: Bytes): readonly Bytes[] {
  const before = it.start % BigInt(PACKAGE_ENTRIES_MAX);
  if (BigInt(tail.length) !== before) {
    throw new Refused('proof-length', `the tail has ${tail.length} hashes where ${before} are needed`);
  }
  const leaves = it.entries.map(leafHash);
  const part = new Frontier();
  for (const leaf of [...tail, ...leaves]) part.push(leaf);
  verifySubtree(it.start - before, it.start + BigInt(leaves.length), part.root, it.treeSize, root, it.proof);
  return leaves;
}

function readPayload(type: number, payload: Bytes, digest: Digest): Frame {
  switch (type) {
    case 1:
      return { type: 'header', payload, digest };
    case 2:
      return { type: 'checkpoint', payload, digest };
    case 3:
      return { type: 'package', package: readPackage(payload) };
    case 4:
      return { type: 'envelope', payload, digest };
    case 5:
      return { type: 'blob', payload, digest };
    case 6:
      return { type: 'proof', payload, digest };
    case 7:
      if (payload.length !== 32) throw refused('missing');
      return { type: 'missing', missing: toDigest(payload) };
    case 8:
      if (payload.length !== 8) throw refused('end');
      return { type: 'end', frames: new Front(payload, 'end').u64() };
    case 9:
      return { type: 'former', payload, digest };
    default:
      throw new Refused('frame-type', `frames of type ${type} are unknown to this version`);
  }
}

function readPackage(payload: Bytes): Package {
  const front = new Front(payload, 'package');
  const origin = attempt(() => fromUtf8(front.take(front.u16())));
  if (origin instanceof Refused || !isOrigin(origin)) throw refused('package');
  const [start, treeSize, count] = [front.u64(), front.u64(), front.u16()];
  const last = (start % BigInt(PACKAGE_ENTRIES_MAX)) + BigInt(count);
  if (count === 0 || last > PACKAGE_ENTRIES_MAX || start + BigInt(count) > treeSize) throw refused('package');
  const entries = Array.from({ length: count }, () => front.take(front.u16()));
  const hashes = front.u8();
  if (hashes > PROOF_HASHES_MAX) throw refused('package');
  const proof = Array.from({ length: hashes }, () => front.take(32));
  if (front.rest > 0) throw refused('package');
  return { origin, start, treeSize, entries, proof };
}

/** Reads integers and byte strings from the front of a payload; throws `Refused` (`frame`) at its end. */
class Front {
  readonly #bytes: Bytes;
  readonly #what: string;
  #at = 0;

  constructor(bytes: Bytes, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  get rest(): number {
    return this.#bytes.length - this.#at;
  }

  take(count: number): Bytes {
    if (count > this.rest) throw refused(this.#what);
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  u8(): number {
    return this.#view(1).getUint8(0);
  }

  u16(): number {
    return this.#view(2).getUint16(0);
  }

  u64(): bigint {
    return this.#view(8).getBigUint64(0);
  }

  #view(count: number): DataView {
    const bytes = this.take(count);
    return new DataView(bytes.buffer, bytes.byteOffset, count);
  }
}

function refused(what: string): Refused {
  return new Refused('frame', `a ${what} frame is malformed`);
}
