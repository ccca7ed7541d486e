/**
 * The roster: the keys of a nation as its log stands at some position, and how far each is trusted
 * (schema/README.md, "Revocation"; schema/src/roster.rs).
 *
 * Within one log order beats clocks: a revocation names a position, and what a key signed counts as far as it
 * stands before that. A delegated key is worth what its delegation is worth.
 */

import type { Admitted } from './admission';
import type { Digest } from './digest';
import type { Charter } from './record/charter';
import type { Delegation } from './record/delegation';
import type { Revocation } from './record/revocation';

/** The keys of a nation as its log stands at some position. */
export interface Roster {
  readonly nation: string;
  readonly origin: string;
  /** The charter in force. */
  readonly charter: Charter;
  /** Its record digest, which the next charter names. */
  readonly charterDigest: Digest;
  /** By key id, each key's in log order; the newest delegation replaces those before. */
  readonly delegations: ReadonlyMap<Digest, readonly Signed<Delegation>[]>;
  /** By key id, each key's in log order. */
  readonly revocations: ReadonlyMap<Digest, readonly Signed<Revocation>[]>;
}

/** A record that counts, where it stands and who signed it. */
export interface Signed<B> {
  readonly index: number;
  readonly record: Digest;
  readonly signers: readonly Digest[];
  readonly body: B;
}

/** How far a signature is trusted, or a record for the sake of its signatures. */
export type Standing =
  | { readonly standing: 'stands' }
  /** Others may have used this key, and the roots have not affirmed the record. */
  | { readonly standing: 'contested'; readonly key: Digest }
  /** This key was not trusted from this position on. */
  | { readonly standing: 'void'; readonly key: Digest; readonly from: number };

const STANDS: Standing = { standing: 'stands' };
const TRUST = { void: 0, contested: 1, stands: 2 };

/** The roster after a record was admitted at a position; none before a charter. */
export function rosterAfter(roster: Roster | undefined, index: number, admitted: Admitted): Roster | undefined {
  const { record, digest, signers } = admitted;
  if (record.kind === 'charter') {
    const { nation, log: origin } = record.header;
    const none = { delegations: new Map(), revocations: new Map() };
    return { nation, origin, ...none, ...roster, charter: record.body, charterDigest: digest };
  }
  if (roster === undefined) return undefined;
  if (record.kind === 'delegation') {
    const { body } = record;
    const delegations = added(roster.delegations, body.key.keyid, { index, record: digest, signers, body });
    return { ...roster, delegations };
  }
  if (record.kind === 'revocation') {
    const { body } = record;
    return { ...roster, revocations: added(roster.revocations, body.key, { index, record: digest, signers, body }) };
  }
  return roster;
}

function added<B>(
  map: ReadonlyMap<Digest, readonly Signed<B>[]>, key: Digest, signed: Signed<B>,
): ReadonlyMap<Digest, readonly Signed<B>[]> {
  return new Map(map).set(key, [...(map.get(key) ?? []), signed]);
}

/** The newest delegation of a key. */
export function delegationOf(roster: Roster | undefined, keyid: Digest): Delegation | undefined {
  return roster?.delegations.get(keyid)?.at(-1)?.body;
}

/** How a record that was admitted at `index` stands: as its best signature. */
export function standingOf(roster: Roster, index: number, record: Digest, signers: readonly Digest[]): Standing {
  return signers
    .map((keyid) => signatureStanding(roster, keyid, index, record))
    .reduce((best, it) => (TRUST[it.standing] > TRUST[best.standing] ? it : best));
}

/** How far a signature is trusted: no further than the key, and than the delegation that let it speak there. */
export function signatureStanding(roster: Roster, keyid: Digest, index: number, record: Digest): Standing {
  const delegation = roster.delegations.get(keyid)?.findLast((it) => it.index < index);
  const delegated =
    delegation === undefined ? STANDS : standingOf(roster, delegation.index, delegation.record, delegation.signers);
  const own = keyStanding(roster, keyid, index, record);
  return TRUST[own.standing] < TRUST[delegated.standing] ? own : delegated;
}

/** The same for the key alone, whoever delegated it. */
export function keyStanding(roster: Roster, keyid: Digest, index: number, record: Digest): Standing {
  // What a thief of a registrar's key revoked is not.
  const revocations = (roster.revocations.get(keyid) ?? []).filter(
    (it) => standingOf(roster, it.index, it.record, it.signers).standing !== 'void',
  );
  if (revocations.length === 0) return STANDS;
  const from = Math.min(...revocations.map((it) => it.body.since ?? it.index));
  if (index >= from) return { standing: 'void', key: keyid, from };
  const contested = revocations.some((it) => it.body.reason === 'compromised-unknown');
  const affirmed = revocations.some((it) => it.body.affirms.includes(record));
  return contested && !affirmed ? { standing: 'contested', key: keyid } : STANDS;
}
