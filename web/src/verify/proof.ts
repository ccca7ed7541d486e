/**
 * Proofs: all that is needed to check offline that an entry is in a log.
 *
 * Follows C2SP tlog-proof <https://c2sp.org/tlog-proof>: a heading, optional extra data that nobody vouches
 * for, the index, the hashes of an inclusion proof, a blank line, and the checkpoint verbatim.
 */

import { type Bytes, fromBase64, fromUtf8, toUtf8 } from './bytes';
import { type SignedCheckpoint, openCheckpoint, parseDecimal } from './checkpoint';
import { hashFromBase64 } from './digest';
import { NOTE_BYTES_MAX, PROOF_HASHES_MAX } from './limits';
import { type Note, type VerifierKey, parseNote } from './note';
import { Refused, attempt } from './refused';
import { leafHash, verifyInclusion } from './tree';

/** Extra data, in bytes. */
export const EXTRA_BYTES_MAX = 16 << 10;

const HEADING = 'c2sp.org/tlog-proof@v1';
/** Heading, extra in base64, index, hashes, blank line, note. */
const TEXT_BYTES_MAX = 64 + Math.floor(EXTRA_BYTES_MAX / 3) * 4 + 64 + PROOF_HASHES_MAX * 45 + NOTE_BYTES_MAX;

/** A proof that is well formed and not yet verified. */
export interface Proof {
  /** What came along, vouched for by nobody. */
  readonly extra: Bytes | undefined;
  /** Where the entry is said to stand. */
  readonly index: bigint;
  /** From the leaf's sibling to the root's child. */
  readonly hashes: readonly Bytes[];
  /** The checkpoint, not yet verified. */
  readonly note: Note;
}

/** Reads a proof and believes nothing in it; throws `Refused` (`proof-large`, `proof`, `note-…`). */
export function parseProof(bytes: Uint8Array): Proof {
  if (bytes.length > TEXT_BYTES_MAX) {
    throw new Refused('proof-large', `the proof is larger than ${TEXT_BYTES_MAX} bytes`);
  }
  const text = attempt(() => fromUtf8(bytes));
  const blank = typeof text === 'string' ? text.indexOf('\n\n') : -1;
  if (typeof text !== 'string' || blank < 0) throw refused('a proof has a blank line before its checkpoint');
  const lines = text.slice(0, blank).split('\n');
  if (lines.shift() !== HEADING) throw refused(`a proof begins with ${HEADING}`);
  const extra = lines[0]?.startsWith('extra ') === true ? parseExtra(lines.shift() ?? '') : undefined;
  const index = /^index (.*)$/u.exec(lines.shift() ?? '')?.[1];
  if (index === undefined) throw refused('a proof has an index');
  const number = parseDecimal(index);
  if (number === undefined) throw refused('the index is not a number from 0 to 2^63-1 without leading zeros');
  const hashes = parseHashes(lines);
  if (hashes === undefined) throw refused(`the hashes are not at most ${PROOF_HASHES_MAX} SHA-256 digests in base64`);
  return { extra, index: number, hashes, note: parseNote(toUtf8(text.slice(blank + 2))) };
}

/**
 * Checks that the log has signed the checkpoint and that `entry` stands in it; answers the checkpoint. Throws
 * `Refused` (as `openCheckpoint` and `verifyInclusion`).
 */
export async function verifyProof(proof: Proof, entry: Uint8Array, log: VerifierKey): Promise<SignedCheckpoint> {
  const signed = await openCheckpoint(proof.note, log);
  const { size, root } = signed.checkpoint;
  verifyInclusion(leafHash(entry), proof.index, size, proof.hashes, root);
  return signed;
}

/** Reads one hash in base64 from each line, at most 63; nothing when one is not. */
export function parseHashes(lines: readonly string[]): readonly Bytes[] | undefined {
  if (lines.length > PROOF_HASHES_MAX) return undefined;
  const hashes = attempt(() => lines.map(hashFromBase64));
  return hashes instanceof Refused ? undefined : hashes;
}

function parseExtra(line: string): Bytes {
  const extra = attempt(() => fromBase64(line.slice('extra '.length)));
  if (extra instanceof Refused) throw refused('the extra data is not base64');
  if (extra.length > EXTRA_BYTES_MAX) {
    throw new Refused('proof-large', `the extra data is larger than ${EXTRA_BYTES_MAX} bytes`);
  }
  return extra;
}

function refused(reason: string): Refused {
  return new Refused('proof', reason);
}
