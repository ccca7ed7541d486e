/**
 * The Merkle tree of a log: hashes, and the verification of its proofs.
 *
 * Follows RFC 6962 §2.1 with SHA-256, and for subtrees draft-ietf-plants-merkle-tree-certs §4.
 * One walk serves all proofs: from the root down to the leaves `[start, end)`, noting the sibling at each
 * step. One leaf is `[i, i + 1)`: inclusion. The old tree is `[0, old)`: consistency. Positions are bigint:
 * a log may have 2^63 - 1 entries.
 */

import { type Bytes, equal } from './bytes';
import { sha256 } from './digest';
import { PROOF_HASHES_MAX } from './limits';
import { Refused } from './refused';

/** The largest tree, in leaves. */
export const SIZE_MAX = 2n ** 63n - 1n;

/** The root of the tree without leaves: SHA-256 of nothing. */
export const EMPTY_ROOT: Bytes = sha256();

/** The hash of a leaf: SHA-256 of `0x00 ‖ entry`. */
export function leafHash(entry: Uint8Array): Bytes {
  return sha256(Uint8Array.of(0), entry);
}

/** The hash of an inner node: SHA-256 of `0x01 ‖ left ‖ right`. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Bytes {
  return sha256(Uint8Array.of(1), left, right);
}

/**
 * Checks that `leaf` is the leaf hash at `index` of the tree with this size and root. `proof` runs from the
 * leaf's sibling to the root's child. Throws `Refused` (`proof-range`, `proof-length`, `proof-root`).
 */
export function verifyInclusion(leaf: Bytes, index: bigint, size: bigint, proof: readonly Bytes[], root: Bytes): void {
  verifySubtree(index, index + 1n, leaf, size, root, proof);
}

/** Checks that the tree `next` begins with the tree `old`; throws `Refused` as {@link verifyInclusion}. */
export function verifyConsistency(
  old: { readonly size: bigint; readonly root: Bytes },
  next: { readonly size: bigint; readonly root: Bytes },
  proof: readonly Bytes[],
): void {
  if (old.size > 0n) return verifySubtree(0n, old.size, old.root, next.size, next.root, proof);
  if (next.size > SIZE_MAX) throw outOfRange(0n, 0n, next.size);
  if (proof.length > 0) throw wrongLength(0, proof.length);
  const empty = equal(old.root, EMPTY_ROOT) && (next.size > 0n || equal(next.root, EMPTY_ROOT));
  if (!empty) throw wrongRoot();
}

/**
 * Checks that the leaves `[start, end)`, with their own root `part`, stand in the tree with this size and
 * root. `start` is a multiple of the smallest power of two that is at least `end - start`. Throws `Refused`
 * as {@link verifyInclusion}.
 */
export function verifySubtree(
  start: bigint, end: bigint, part: Bytes, size: bigint, root: Bytes, proof: readonly Bytes[],
): void {
  const { steps, cut } = descend(start, end, size);
  const expected = steps.length + (cut ? 1 : 0);
  if (proof.length !== expected || proof.length > PROOF_HASHES_MAX) throw wrongLength(expected, proof.length);
  // Where the subtree was cut, both roots grow from its last piece, which the proof brings.
  const [seed = part, ...siblings] = cut ? proof : [part, ...proof];
  let inPart = seed;
  let inTree = seed;
  for (const [index, step] of steps.reverse().entries()) {
    const sibling = siblings[index];
    if (sibling === undefined) throw wrongLength(expected, proof.length);
    inTree = step === 'right' ? nodeHash(inTree, sibling) : nodeHash(sibling, inTree);
    if (step === 'left-within') inPart = nodeHash(sibling, inPart);
  }
  if (!equal(inPart, part) || !equal(inTree, root)) throw wrongRoot();
}

/** The right edge of a growing tree: the roots of its complete subtrees. */
export class Frontier {
  /** Largest first; each is of 2^level leaves. */
  readonly #peaks: { readonly level: number; readonly hash: Bytes }[] = [];

  /** Appends a leaf hash. */
  push(leaf: Bytes): void {
    let level = 0;
    let hash = leaf;
    for (let left = this.#peaks.at(-1); left?.level === level; left = this.#peaks.at(-1)) {
      this.#peaks.pop();
      hash = nodeHash(left.hash, hash);
      level++;
    }
    this.#peaks.push({ level, hash });
  }

  /** The roots of the complete subtrees, largest first. */
  get peaks(): readonly Bytes[] {
    return this.#peaks.map((peak) => peak.hash);
  }

  /** The root of the tree. */
  get root(): Bytes {
    const [last, ...rest] = this.peaks.toReversed();
    return last === undefined ? EMPTY_ROOT : rest.reduce((right, left) => nodeHash(left, right), last);
  }
}

/** Where the sibling stands; `left-within`: on the left, and part of the subtree. */
type Step = 'right' | 'left' | 'left-within';

/** The way from the root down to `[start, end)`, root first, and whether the subtree was cut on it. */
function descend(start: bigint, end: bigint, size: bigint): { steps: Step[]; cut: boolean } {
  const exists = start < end && end <= size && size <= SIZE_MAX && start % powerOfTwoFrom(end - start) === 0n;
  if (!exists) throw outOfRange(start, end, size);
  const steps: Step[] = [];
  let [from, to] = [0n, size];
  let first = start;
  while (from !== first || to !== end) {
    // RFC 6962 splits at the largest power of two below the size.
    const middle = from + powerOfTwoFrom(to - from) / 2n;
    if (end <= middle) {
      steps.push('right');
      to = middle;
    } else {
      steps.push(first < middle ? 'left-within' : 'left');
      if (first < middle) first = middle;
      from = middle;
    }
  }
  return { steps, cut: first !== start };
}

/** The smallest power of two that is at least `count`. */
function powerOfTwoFrom(count: bigint): bigint {
  return count <= 1n ? 1n : 1n << BigInt((count - 1n).toString(2).length);
}

function outOfRange(start: bigint, end: bigint, size: bigint): Refused {
  const reason = `no leaf or subtree of a tree of ${size} leaves begins at ${start} and ends at ${end}`;
  return new Refused('proof-range', reason);
}

function wrongLength(expected: number, found: number): Refused {
  return new Refused('proof-length', `the proof has ${found} hashes where ${expected} are needed`);
}

function wrongRoot(): Refused {
  return new Refused('proof-root', 'the proof does not lead to the root');
}
