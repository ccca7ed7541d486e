/**
 * Cosignatures: a partner's testimony that it saw a checkpoint, and when.
 *
 * Follows C2SP tlog-cosignature <https://c2sp.org/tlog-cosignature>, v1.0.1, Ed25519 (type 0x04). The
 * signature does not bind the cosigner's name: a key must never serve two cosigners.
 */

import type { Checkpoint, SignedCheckpoint } from './checkpoint';
import { splitCosignature } from './cosignature-line';
import type { SignatureLine, VerifierKey } from './note';
import { Refused } from './refused';

/** A cosignature that holds. Only {@link verifyCosignatures} makes one. */
export interface Cosignature {
  /** What was seen. */
  readonly checkpoint: Checkpoint;
  /** Whose testimony it is. */
  readonly key: VerifierKey;
  /** When, in POSIX seconds by the cosigner's clock; never 0. */
  readonly time: bigint;
}

/**
 * All cosignatures that `signed` carries by `keys`; lines of others are passed over. Throws `Refused`
 * (`forged`) when a line that claims to be by one of them is not: the whole note is then refused.
 */
export async function verifyCosignatures(
  signed: SignedCheckpoint,
  keys: readonly VerifierKey[],
): Promise<readonly Cosignature[]> {
  const cosignatures: Cosignature[] = [];
  for (const key of keys) {
    for (const line of signed.note.signatures.filter((it) => key.claims(it))) {
      cosignatures.push(await verifyOne(signed, line, key));
    }
  }
  return cosignatures;
}

/**
 * Since when entry `index` is public beyond doubt: the `k`-th smallest time, one for each nation (its
 * earliest), on checkpoints that cover the entry (schema/README.md, "The one clock rule").
 */
export function proofTime(
  cosignatures: readonly (readonly [nation: string, seen: Cosignature])[], index: bigint, k: number,
): bigint | undefined {
  const earliest = new Map<string, bigint>();
  for (const [nation, seen] of cosignatures) {
    const known = earliest.get(nation);
    if (seen.checkpoint.size > index && (known === undefined || seen.time < known)) earliest.set(nation, seen.time);
  }
  return [...earliest.values()].sort((one, other) => (one < other ? -1 : one > other ? 1 : 0))[k - 1];
}

async function verifyOne(signed: SignedCheckpoint, line: SignatureLine, key: VerifierKey): Promise<Cosignature> {
  await key.verify(signed.note.text, line);
  const split = key.type === 'cosignature' ? splitCosignature(line.bytes) : undefined;
  if (split === undefined) throw new Refused('forged', `the signature of ${key.name} is no cosignature`);
  return { checkpoint: signed.checkpoint, key, time: split.time };
}
