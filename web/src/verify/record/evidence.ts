/** The evidence: a log has signed two checkpoints that cannot both be of one history (schema/README.md, "Kinds"). */

import { equal, toUtf8 } from '../bytes';
import { type Checkpoint, openCheckpoint } from '../checkpoint';
import { digestBytes, digestOf } from '../digest';
import type { JsonObject } from '../json';
import { VerifierKey, parseNote } from '../note';
import { type Read, digest, list, malformed, object, optional, required, text } from '../shape';
import { verifyConsistency } from '../tree';
import { at } from './charter';
import type { Facts } from './header';

const read = object({
  accused: required(text),
  earlier: required(text),
  later: required(text),
  prefix: optional(object({ root: required(digest), proof: required(list(digest)) })),
});

/** Two histories of one log. */
export type Evidence = Read<typeof read>;

/** A log that is proven to have two histories. Only {@link verifyEvidence} makes one. */
export interface Equivocation {
  readonly log: VerifierKey;
  /** The smaller checkpoint. The histories part within its entries. */
  readonly earlier: Checkpoint;
  readonly later: Checkpoint;
}

/** Reads and checks the body of an evidence; throws `Refused` (`malformed`). */
export async function readEvidence(predicate: JsonObject): Promise<Facts & { body: Evidence }> {
  const body = read(predicate, '');
  await verifyEvidence(body);
  return {
    body,
    subjects: [
      { name: 'earlier', sha256: digestOf(toUtf8(body.earlier)) },
      { name: 'later', sha256: digestOf(toUtf8(body.later)) },
    ],
    blobs: [],
    references: [],
    scope: undefined,
    checkNew: () => undefined,
  };
}

/**
 * Judges evidence by itself: whether the key has signed two histories; whose key it is, the caller has to
 * know. Throws `Refused` (`malformed`) with the reason why it is none.
 */
export async function verifyEvidence({ accused, earlier: one, later: other, prefix }: Evidence): Promise<Equivocation> {
  const log = await at('/accused', 'is no verifier key of a log', (async () => VerifierKey.parse(accused))());
  const open = async (note: string): Promise<Checkpoint> =>
    (await openCheckpoint(parseNote(toUtf8(note)), log)).checkpoint;
  const earlier = await at('/earlier', 'is no checkpoint of the accused log', open(one));
  const later = await at('/later', 'is no checkpoint of the accused log', open(other));
  if (earlier.size > later.size) {
    throw malformed('/later', 'has fewer entries than the earlier checkpoint; exchange the two');
  }
  const sameSize = earlier.size === later.size;
  if (sameSize && equal(earlier.root, later.root)) {
    throw malformed('/later', 'has the entries of the earlier checkpoint and its root, so both are of one history');
  }
  if (sameSize) {
    if (prefix === undefined) return { log, earlier, later };
    throw malformed('/prefix', 'is needed only where the later checkpoint has more entries; leave it out');
  }
  if (prefix === undefined) {
    throw malformed('/prefix', 'is missing, and without it the earlier checkpoint may be merely old');
  }
  const root = digestBytes(prefix.root);
  if (equal(root, earlier.root)) {
    throw malformed('/prefix/root', 'is the root of the earlier checkpoint, so the log has merely grown');
  }
  const follows = async (): Promise<void> =>
    verifyConsistency({ size: earlier.size, root }, later, prefix.proof.map(digestBytes));
  await at('/prefix/proof', 'does not lead to the later checkpoint', follows());
  return { log, earlier, later };
}
