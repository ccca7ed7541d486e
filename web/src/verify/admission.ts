/**
 * Admission: the one decision whether a record counts (schema/README.md, "Admission"; schema/src/admission.rs).
 *
 * A pure function of the envelope, the state of its log at that position, and a policy. Validity in time is
 * judged by the record's own `issuedAt`, in log order, so that everyone judges alike in ten years too.
 */

import type { Digest } from './digest';
import type { PublicKey } from './ed25519';
import type { Entry } from './entry';
import { Envelope } from './envelope';
import { type Role, openKey } from './key';
import { CLOCK_SKEW_SECONDS, REVOCATIONS_MAX } from './limits';
import { type RecordRead, checkNewRecord, readRecord } from './record';
import { type Charter, keysOf, signedBy } from './record/charter';
import { type Delegation, covers } from './record/delegation';
import { type Kind, SIGNERS } from './record/header';
import type { LogSuccession } from './record/log-succession';
import type { Redaction } from './record/redaction';
import type { Revocation } from './record/revocation';
import { type AdmissionCode, Refused } from './refused';
import { type Roster, delegationOf, endOf, keyStanding, rosterAfter, signatureStanding, standingOf } from './roster';
import { parseStatement } from './statement';

/** A record that was read and is well formed, but not yet judged. */
export interface Submission {
  readonly envelope: Envelope;
  /** The record's digest. */
  readonly digest: Digest;
  readonly record: RecordRead;
}

/** A record that counts, and the key ids whose signatures do, ascending. Only {@link decide} makes one. */
export interface Admitted extends Submission {
  readonly signers: readonly Digest[];
}

/** A record that was admitted to a log, as later ones refer to it. */
export interface Entered {
  readonly kind: Kind;
  /** `<org>:<name>` of a publisher's record. */
  readonly scope: string | undefined;
  readonly index: number;
  readonly signers: readonly Digest[];
  /** What withdrew it, or redacted it, in log order. */
  readonly ends: readonly End[];
}

/** A withdrawal or a redaction that was admitted, as the record that it ends knows it. */
export interface End {
  readonly kind: 'withdrawal' | 'redaction';
  readonly index: number;
  /** Its digest. */
  readonly record: Digest;
  readonly signers: readonly Digest[];
}

/** What the decision needs to know of the log at the record's position. */
export interface State {
  /** None before the first charter. */
  readonly roster: Roster | undefined;
  /** How many entries stand before it. */
  readonly position: number;
  /** Of the records that the submission refers to, and of itself, those that were admitted to this log. */
  readonly records: ReadonlyMap<Digest, Entered>;
  /** Of the submission's model version, as {@link versionOf} calls it, the cards in log order. */
  readonly cards: ReadonlyMap<string, readonly Digest[]>;
}

/** The state of an empty log. */
export const EMPTY_STATE: State = { roster: undefined, position: 0, records: new Map(), cards: new Map() };

/** Whose log it is: a mirror asks of the entries alone, the nation's own node of clock and blobs too. */
export type AdmissionPolicy =
  | { readonly asks: 'mirror'; readonly origin: string }
  | {
      readonly asks: 'own';
      readonly nation: string;
      readonly origin: string;
      /** The node's clock, in POSIX seconds. */
      readonly now: number;
      /** The blobs that the node holds, with their sizes. */
      readonly blobs: ReadonlyMap<Digest, number>;
    };

/** Reads an envelope as it arrived; throws `Refused` (`malformed`, `too-large`, `kind-unknown`). */
export async function readSubmission(bytes: Uint8Array): Promise<Submission> {
  return openSubmission(await wellFormed(() => Envelope.parse(bytes)));
}

/** Reads the record in an envelope; throws `Refused` (`malformed`, `kind-unknown`). */
export async function openSubmission(envelope: Envelope): Promise<Submission> {
  const record = await wellFormed(() => readRecord(parseStatement(envelope.payload)));
  return { envelope, digest: envelope.recordDigest, record };
}

/** Reads the body that lies beside an entry; throws `Refused` (`malformed`, …) when it is not the entry's. */
export async function readBodyOf(entry: Entry, body: Uint8Array): Promise<Submission> {
  const envelope = await wellFormed(() => Envelope.fromFixed(body));
  if (envelope.digest !== entry.envelope) throw refused('malformed', 'the body is not the one that the entry names');
  const { kind } = await wellFormed(() => parseStatement(envelope.payload));
  if (kind !== entry.kind) throw refused('malformed', `the entry says ${entry.kind} and the record is a ${kind}`);
  return openSubmission(envelope);
}

/** The state after an admitted record. */
export function stateAfter(state: State, admitted: Admitted): State {
  const { digest, record, signers } = admitted;
  const { position: index } = state;
  const records = new Map(state.records);
  if (record.kind === 'withdrawal' || record.kind === 'redaction') {
    const end: End = { kind: record.kind, index, record: digest, signers };
    for (const [, ended] of record.references) {
      const entered = records.get(ended);
      if (entered !== undefined) records.set(ended, { ...entered, ends: [...entered.ends, end] });
    }
  }
  records.set(digest, { kind: record.kind, scope: record.scope, index, signers, ends: [] });
  const roster = rosterAfter(state.roster, index, admitted);
  return { roster, position: index + 1, records, cards: withCard(state.cards, versionOf(record), digest) };
}

/**
 * The state after a record whose body is erased and was not seen: what its redaction, later in the log, says of it as
 * far as others rest on it. Whether the redaction counts is to be asked when its turn comes.
 */
export function stateRemembering(state: State, redaction: Redaction): State {
  const { kind, redacts: record, scope, index, signers } = redaction;
  const records = new Map(state.records).set(record, { kind, scope, index, signers, ends: [] });
  return { ...state, position: index + 1, records, cards: withCard(state.cards, redactedVersion(redaction), record) };
}

function withCard(cards: State['cards'], version: string | undefined, card: Digest): State['cards'] {
  return version === undefined ? cards : new Map(cards).set(version, [...(cards.get(version) ?? []), card]);
}

/** The model version that a card speaks of: `<org>:<name>@<version>`. */
export function versionOf(record: RecordRead): string | undefined {
  return record.kind === 'model-card' ? `${record.body.org}:${record.body.name}@${record.body.version}` : undefined;
}

/** The model version that a redacted card spoke of. */
function redactedVersion({ scope, version }: Redaction): string | undefined {
  return version === undefined ? undefined : `${scope}@${version}`;
}

/** What ended a record, as is known by now. */
export function endIn({ roster, records }: State, digest: Digest): End | undefined {
  const entered = records.get(digest);
  return roster === undefined || entered === undefined ? undefined : endOf(roster, entered.ends);
}

/** The card that now stands for a version: the newest whose keys were trusted. */
function currentCard(state: State, version: string | undefined): Digest | undefined {
  return state.cards.get(version ?? '')?.findLast((card) => counts(state, card));
}

/** Whether the keys that signed a record of this log were trusted where it stands, as is known by now. */
function counts({ roster, records }: State, digest: Digest): boolean {
  const entered = records.get(digest);
  if (entered === undefined || roster === undefined) return true;
  return standingOf(roster, entered.kind, entered.index, digest, entered.signers).standing !== 'void';
}

/** Whether `submission` counts in a log that stands as `state` says; throws `Refused` at the first rule broken. */
export async function decide(submission: Submission, state: State, policy: AdmissionPolicy): Promise<Admitted> {
  checkLog(submission, state, policy);
  if (state.records.has(submission.digest)) throw refused('already-entered', 'it stands in this log already');
  const signers = await signersOf(submission, state, policy);
  checkReferences(submission, state);
  if (policy.asks === 'own') await checkOwn(submission, policy);
  return { ...submission, signers };
}

function checkLog({ record: { header } }: Submission, { roster }: State, policy: AdmissionPolicy): void {
  const nation = policy.asks === 'own' ? policy.nation : roster?.nation;
  if (header.log !== policy.origin || (nation !== undefined && header.nation !== nation)) {
    throw refused('wrong-log', `it is for the log ${header.log} of ${header.nation}, not for ${policy.origin}`);
  }
}

async function signersOf(submission: Submission, state: State, policy: AdmissionPolicy): Promise<readonly Digest[]> {
  const { record } = submission;
  const { roster } = state;
  if (record.kind !== 'charter') {
    if (roster === undefined) throw refused('charter-missing', "a log begins with its nation's charter");
    return authorised(submission, roster, state.position, policy);
  }
  const { body } = record;
  if (roster !== undefined) {
    checkFollows(body, roster);
    const signers = await chartered(submission, [roster.charter, body]);
    checkAlgorithms(roster.charter);
    return signers;
  }
  if (state.position > 0) throw refused('charter-missing', `the charter stands at ${state.position}, not at 0`);
  if (body.version !== 1) throw refused('charter-missing', "a log begins with version 1 of its nation's charter");
  return chartered(submission, [body]);
}

/**
 * A charter follows the one in force and no other, whether or not that one has expired. It leaves the log its key, and
 * its nation's notes their names.
 */
function checkFollows(charter: Charter, { charter: inForce, charterDigest, delegations, revocations }: Roster): void {
  if (charter.version !== inForce.version + 1 || charter.previous !== charterDigest) {
    throw refused('charter-not-next', `version ${inForce.version} of the charter is in force, with the digest ${charterDigest}`);
  }
  const changed = (what: string): Refused =>
    refused('wrong-log', `the charter has another ${what} than the one in force; that cannot change by charter`);
  if (charter.logKey.keyid !== inForce.logKey.keyid) throw changed('key for its log');
  if (charter.witness.name !== inForce.witness.name) throw changed('name for its witness');
  if (charter.mirror.name !== inForce.mirror.name) throw changed('name for its mirror');
  // Whoever revokes is never below whom it revokes, nor was.
  for (const [role, { keyid }] of keysOf(charter)) {
    if (revocations.has(keyid)) throw refused('key-revoked', `the ${role} key ${keyid} of the charter is revoked`);
    if (delegations.has(keyid)) {
      throw refused('key-not-authorised', `the ${role} key ${keyid} of the charter was delegated in this log`);
    }
  }
}

/** Every signature is by a root of one of the charters and holds, and of each enough distinct roots signed. */
async function chartered(submission: Submission, charters: readonly Charter[]): Promise<readonly Digest[]> {
  const { nation, log } = submission.record.header;
  const { keyIds } = submission.envelope;
  const roots = charters.flatMap((charter) => charter.roots);
  for (const keyid of keyIds) {
    const root = roots.find((it) => it.keyid === keyid);
    if (root === undefined) throw refused('key-unknown', `the key ${keyid} is not a root`);
    await checkSignature(submission, keyid, await known(openKey(root, nation, log, 'root')));
  }
  const short = charters.filter((charter) => signedBy(charter, keyIds) < charter.threshold);
  if (short.length === 0) return keyIds;
  const counts = short.map((it) => `${signedBy(it, keyIds)} of ${it.threshold} roots of version ${it.version} signed`);
  throw refused('threshold-not-met', counts.join(', and '));
}

/** Every key that this version opens is of Ed25519, so it has signed with nothing else. */
function checkAlgorithms(charter: Charter): void {
  const missing = charter.algorithms.find((needed) => needed !== 'ed25519');
  if (missing !== undefined) throw refused('algorithm-missing', `the charter requires a signature with ${missing} too`);
}

/** Every signature holds and is by a key with authority for this record: none is decoration. */
async function authorised(
  submission: Submission, roster: Roster, position: number, policy: AdmissionPolicy,
): Promise<readonly Digest[]> {
  const { keyIds } = submission.envelope;
  const { expires } = roster.charter;
  if (submission.record.header.issuedAt > expires) {
    throw refused('charter-expired', 'the charter had expired when the record says it was issued');
  }
  if (policy.asks === 'own' && policy.now > expires) throw refused('charter-expired', 'the charter has expired');
  for (const keyid of keyIds) {
    await checkSignature(submission, keyid, await authority(keyid, submission, roster, position));
    const delegation = delegationOf(roster, keyid);
    if (policy.asks === 'own' && delegation !== undefined && policy.now > delegation.validUntil) {
      throw refused('key-expired', `the key ${keyid} is no longer valid`);
    }
  }
  if (keyIds.length === 0) throw refused('threshold-not-met', 'nobody signed it');
  const { record } = submission;
  if (record.kind === 'delegation') mayDelegate(record.body, submission, roster, position);
  if (record.kind === 'revocation') mayRevoke(record.body, keyIds, roster, position);
  if (record.kind === 'log-succession') maySucceed(record.body, keyIds, roster, position);
  checkAlgorithms(roster.charter);
  return keyIds;
}

/** The key, when it may sign this record at all. */
async function authority(
  keyid: Digest, { record, digest }: Submission, roster: Roster, position: number,
): Promise<PublicKey> {
  const { nation, origin } = roster;
  const trusted = signatureStanding(roster, keyid, position, digest);
  if (trusted.standing === 'void') {
    throw refused('key-revoked', `the key ${trusted.key} is revoked from entry ${trusted.from} on`);
  }
  const appointed = keysOf(roster.charter).find(([, key]) => key.keyid === keyid);
  if (appointed !== undefined) {
    const [role, key] = appointed;
    const opened = await known(openKey(key, nation, origin, role));
    if (!SIGNERS[record.kind].includes(role)) {
      throw refused('key-not-authorised', `a ${role} key cannot sign a ${record.kind}`);
    }
    return opened;
  }
  const delegation = delegationOf(roster, keyid);
  if (delegation === undefined) throw refused('key-unknown', `the key ${keyid} is not delegated by ${nation}`);
  const { role, kinds, holder, validFrom, validUntil } = delegation;
  if (!SIGNERS[record.kind].includes(role) || !kinds.includes(record.kind)) {
    throw refused('key-not-authorised', `the ${role} key of ${holder} may not sign a ${record.kind}`);
  }
  if (record.scope !== undefined && !covers(delegation, record.scope)) {
    throw refused('key-not-authorised', `the key of ${holder} may not speak of ${record.scope}`);
  }
  const ended = record.kind === 'withdrawal' || record.kind === 'redaction' ? record.body.kind : undefined;
  if (ended !== undefined && !kinds.includes(ended)) {
    throw refused('key-not-authorised', `the key of ${holder} may sign no ${ended}, and so ends none`);
  }
  const { issuedAt } = record.header;
  if (issuedAt < validFrom || issuedAt > validUntil) {
    throw refused('key-expired', `the key of ${holder} was not valid when the record says it was issued`);
  }
  return known(openKey(delegation.key, nation, origin, role));
}

async function checkSignature({ envelope }: Submission, keyid: Digest, key: PublicKey): Promise<void> {
  if (!(await envelope.verifiedBy(key))) {
    throw refused('signature-invalid', `the signature of the key ${keyid} does not hold`);
  }
}

/** A key of the charter is not delegated too, and one that was revoked is not trusted again. */
function mayDelegate({ key: { keyid } }: Delegation, { digest }: Submission, roster: Roster, position: number): void {
  const role = roleOf(roster, keyid);
  if (role !== undefined) throw refused('key-not-authorised', `the key ${keyid} is the ${role} key of the charter`);
  if (keyStanding(roster, keyid, position, digest).standing === 'void') {
    throw refused('key-revoked', `the key ${keyid} is revoked; delegate another one`);
  }
}

/** A registrar revokes what registrars delegated; whatever else is revoked, and what is affirmed, is for the roots. */
function mayRevoke(
  { key, since, affirms }: Revocation, signers: readonly Digest[], roster: Roster, position: number,
): void {
  const { threshold } = roster.charter;
  const roots = signers.filter((signer) => roleOf(roster, signer) === 'root').length;
  if (roots > 0 && roots < signers.length) {
    throw refused('key-not-authorised', 'roots and registrars do not revoke together');
  }
  if (roots > 0 && roots < threshold) throw refused('threshold-not-met', `${roots} of ${threshold} roots signed`);
  const role = roleOf(roster, key);
  if (role !== undefined && role !== 'registrar') {
    throw refused('key-not-authorised', `the ${role} key ${key} is not revoked; the next charter leaves it out`);
  }
  if (role === undefined && !roster.delegations.has(key)) {
    throw refused('key-unknown', `the key ${key} is neither a registrar's nor delegated in this log`);
  }
  const before = (roster.revocations.get(key) ?? []).filter(
    (it) => it.byRoots === roots > 0 && it.body.affirms.length === 0,
  );
  if (before.length >= REVOCATIONS_MAX && affirms.length === 0) {
    throw refused('key-revoked', `the key ${key} is revoked ${before.length} times already`);
  }
  if (roots === 0 && !roster.delegations.has(key)) {
    throw refused('key-not-authorised', `no registrar delegated the key ${key}`);
  }
  if (roots === 0 && affirms.length > 0) {
    throw refused('key-not-authorised', 'only the roots affirm what a compromised key signed');
  }
  if (since !== undefined && since > position) {
    throw refused('position-ahead', `it revokes from entry ${since} on, and itself stands at ${position}`);
  }
}

/** A log says what it succeeds before anything else, by as many roots as its charter asks for, for this log alone. */
function maySucceed(
  { successor }: LogSuccession, signers: readonly Digest[], { charter, fingerprint }: Roster, position: number,
): void {
  const signed = signedBy(charter, signers);
  if (signed < charter.threshold) throw refused('threshold-not-met', `${signed} of ${charter.threshold} roots signed`);
  if (position !== 1) {
    throw refused('succession-misplaced', `a log says what it succeeds in its second entry, not at ${position}`);
  }
  if (successor !== fingerprint) {
    throw refused('succession-misplaced', `it was signed for the log of the charter ${successor}, not of ${fingerprint}`);
  }
}

function roleOf(roster: Roster, keyid: Digest): Role | undefined {
  return keysOf(roster.charter).find(([, key]) => key.keyid === keyid)?.[0];
}

/** What the record refers to is in the log, and a version is described once at a time. */
function checkReferences({ record }: Submission, state: State): void {
  for (const [kind, digest] of record.references) {
    const entered = state.records.get(digest);
    if (entered?.kind !== kind) throw refused('reference-unknown', `no ${kind} ${digest} is in this log`);
    if (record.kind === 'withdrawal' || record.kind === 'redaction') {
      mayEndRecord(record, digest, entered, state);
      continue;
    }
    if (!counts(state, digest)) {
      throw refused('reference-void', `the ${kind} ${digest} does not count, for its key was revoked`);
    }
    const end = endIn(state, digest);
    if (end !== undefined) throw refused('reference-ended', `the ${kind} ${digest} has ended by a ${end.kind}`);
  }
  if (record.kind !== 'model-card') return;
  const { weights, supersedes } = record.body;
  const foreign = weights.find((it) => state.records.get(it)?.scope !== record.scope);
  if (foreign !== undefined) throw refused('reference-foreign', `the weights ${foreign} are not of ${record.scope}`);
  const current = currentCard(state, versionOf(record));
  const end = current === undefined ? undefined : endIn(state, current);
  if (end !== undefined) throw refused('version-ended', `this version has ended by a ${end.kind}, and is nobody's again`);
  if (supersedes === current) return;
  if (supersedes === undefined) throw refused('version-taken', `this version has the card ${current}`);
  throw refused('supersedes-unknown', `${supersedes} is not the card that now stands for this version`);
}

/** What ends a record speaks of it truly, and has not ended it before. */
function mayEndRecord(
  record: RecordRead & { kind: 'withdrawal' | 'redaction' }, digest: Digest, entered: Entered, state: State,
): void {
  if (record.scope !== entered.scope) {
    throw refused('reference-foreign', `the record ${digest} speaks of ${entered.scope ?? ''}`);
  }
  const redacted = entered.ends.some((end) => end.kind === 'redaction');
  if (redacted || (record.kind === 'withdrawal' && endIn(state, digest) !== undefined)) {
    const how = redacted ? 'redacted' : 'withdrawn';
    throw refused('reference-ended', `the record ${digest} is ${how} already`);
  }
  if (record.kind === 'withdrawal') return;
  const { index, signers } = record.body;
  const version = redactedVersion(record.body);
  const same =
    index === entered.index &&
    signers.length === entered.signers.length &&
    signers.every((keyid, at) => keyid === entered.signers[at]) &&
    (version === undefined || (state.cards.get(version) ?? []).includes(digest));
  if (!same) {
    throw refused('reference-foreign', `the record ${digest} stands at another place, or has another version or signers`);
  }
}

async function checkOwn({ record }: Submission, policy: AdmissionPolicy & { asks: 'own' }): Promise<void> {
  await wellFormed(() => checkNewRecord(record));
  if (record.header.issuedAt > policy.now + CLOCK_SKEW_SECONDS) {
    throw refused('issued-in-future', "the record says it was issued later than the node's clock");
  }
  if (record.kind === 'charter' && policy.now > record.body.expires) {
    throw refused('charter-expired', 'the charter ends in the past');
  }
  for (const { sha256, sizeBytes } of record.blobs) {
    if (policy.blobs.get(sha256) !== sizeBytes) throw refused('blob-missing', `upload the blob ${sha256} first`);
  }
}

/** What a format refuses is `malformed` to admission, but for the two that have their own code. */
async function wellFormed<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof Refused) || error.code === 'kind-unknown' || error.code === 'cannot-verify') throw error;
    throw new Refused(error.code === 'envelope-large' ? 'too-large' : 'malformed', error.message, error.pointer);
  }
}

/** A key record that does not open is no key of anyone. */
async function known(opened: Promise<PublicKey>): Promise<PublicKey> {
  try {
    return await opened;
  } catch (error) {
    if (!(error instanceof Refused) || error.code === 'cannot-verify') throw error;
    throw refused('key-unknown', error.message);
  }
}

function refused(code: AdmissionCode, reason: string): Refused {
  return new Refused(code, reason);
}
