/**
 * The roster: the keys of a nation as its log stands at some position, and how far each is trusted
 * (schema/README.md, "Revocation"; schema/src/roster.rs).
 *
 * Within one log order beats clocks: a revocation names a position, and what a key signed counts as far as it
 * stands before that. A delegated key is worth what its delegation is worth.
 */

import type { Admitted, End } from './admission';
import type { Digest } from './digest';
import type { Charter } from './record/charter';
import type { Delegation } from './record/delegation';
import type { Kind } from './record/header';
import type { Revocation } from './record/revocation';

/** The keys of a nation as its log stands at some position. */
export interface Roster {
  readonly nation: string;
  readonly origin: string;
  /** The record digest of the first charter. */
  readonly fingerprint: Digest;
  /** The charter in force. */
  readonly charter: Charter;
  /** Its record digest, which the next charter names. */
  readonly charterDigest: Digest;
  /** By key id, each key's in log order; the newest delegation replaces those before. */
  readonly delegations: ReadonlyMap<Digest, readonly Signed<Delegation>[]>;
  /** By key id, each key's in log order. */
  readonly revocations: ReadonlyMap<Digest, readonly Revoked[]>;
}

/** A revocation that counts, and whether the roots signed it, and not registrars. */
export interface Revoked extends Signed<Revocation> {
  readonly byRoots: boolean;
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
    return { nation, origin, fingerprint: digest, ...none, ...roster, charter: record.body, charterDigest: digest };
  }
  if (roster === undefined) return undefined;
  if (record.kind === 'delegation') {
    const { body } = record;
    const delegations = added(roster.delegations, body.key.keyid, { index, record: digest, signers, body });
    return { ...roster, delegations };
  }
  if (record.kind === 'revocation') {
    const { body } = record;
    const byRoots = roster.charter.roots.some((root) => signers.includes(root.keyid));
    const revoked = { index, record: digest, signers, body, byRoots };
    return { ...roster, revocations: added(roster.revocations, body.key, revoked) };
  }
  return roster;
}

function added<T>(map: ReadonlyMap<Digest, readonly T[]>, key: Digest, signed: T): ReadonlyMap<Digest, readonly T[]> {
  return new Map(map).set(key, [...(map.get(key) ?? []), signed]);
}

/** The newest delegation of a key. */
export function delegationOf(roster: Roster | undefined, keyid: Digest): Delegation | undefined {
  return roster?.delegations.get(keyid)?.at(-1)?.body;
}

/** How a record that was admitted at `index` stands: a charter as it is, another as its best signature. */
export function standingOf(
  roster: Roster, kind: Kind, index: number, record: Digest, signers: readonly Digest[],
): Standing {
  if (kind === 'charter') return STANDS;
  return best(signers.map((keyid) => signatureStanding(roster, keyid, index, record)));
}

/** How far a signature is trusted: of a delegated key no further than the delegation that let it speak there. */
export function signatureStanding(roster: Roster, keyid: Digest, index: number, record: Digest): Standing {
  const before = (roster.delegations.get(keyid) ?? []).filter((it) => it.index < index);
  const newest = before.pop();
  if (newest === undefined) return appointedStanding(roster, keyid, index, record);
  let delegated = delegationStanding(roster, newest);
  if (delegated.standing === 'void') {
    // Whoever robbed a registrar takes nothing away with it that was given before.
    const older = before.filter((it) => includes(it.body, newest.body));
    delegated = best([delegated, ...older.map((it) => delegationStanding(roster, it))]);
  }
  const own = keyStanding(roster, keyid, index, record);
  return TRUST[own.standing] < TRUST[delegated.standing] ? own : delegated;
}

/**
 * What ended a record of which these are the ends: its redaction, whatever became of the keys that signed that, for
 * what is erased does not come back; or the first withdrawal that is not void.
 */
export function endOf(roster: Roster, ends: readonly End[]): End | undefined {
  const redaction = ends.find((end) => end.kind === 'redaction');
  const stands = ({ kind, index, record, signers }: End): boolean =>
    standingOf(roster, kind, index, record, signers).standing !== 'void';
  return redaction ?? ends.find(stands);
}

function delegationStanding(roster: Roster, { index, record, signers }: Signed<Delegation>): Standing {
  return best(signers.map((registrar) => appointedStanding(roster, registrar, index, record)));
}

/** How far a registrar's signature is trusted, by what the roots revoked. */
function appointedStanding(roster: Roster, keyid: Digest, index: number, record: Digest): Standing {
  return weighed(keyid, index, record, (roster.revocations.get(keyid) ?? []).filter((it) => it.byRoots));
}

/** How far a delegated key itself is trusted, whoever delegated it. */
export function keyStanding(roster: Roster, keyid: Digest, index: number, record: Digest): Standing {
  // What a thief of a registrar's key revoked is not.
  const stands = ({ byRoots, signers, ...it }: Revoked): boolean =>
    byRoots || signers.some((by) => appointedStanding(roster, by, it.index, it.record).standing !== 'void');
  return weighed(keyid, index, record, (roster.revocations.get(keyid) ?? []).filter(stands));
}

/** What these revocations leave of the trust in a key. */
function weighed(keyid: Digest, index: number, record: Digest, revocations: readonly Revoked[]): Standing {
  if (revocations.length === 0) return STANDS;
  const from = Math.min(...revocations.map((it) => it.body.since ?? it.index));
  if (index >= from) return { standing: 'void', key: keyid, from };
  const contested = revocations.some((it) => it.body.reason === 'compromised-unknown');
  const affirmed = revocations.some((it) => it.body.affirms.includes(record));
  return contested && !affirmed ? { standing: 'contested', key: keyid } : STANDS;
}

function best(standings: readonly Standing[]): Standing {
  return standings.reduce((one, it) => (TRUST[it.standing] > TRUST[one.standing] ? it : one), standings[0] ?? STANDS);
}

/** Whether a delegation lets its key do all that another lets it. */
function includes(one: Delegation, other: Delegation): boolean {
  return (
    one.role === other.role &&
    one.validFrom <= other.validFrom &&
    one.validUntil >= other.validUntil &&
    other.kinds.every((kind) => one.kinds.includes(kind)) &&
    other.models.every((model) => one.models.includes(model))
  );
}
