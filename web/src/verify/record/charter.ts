/** The charter: a nation's own keys (schema/README.md, "Kinds"). */

import type { Digest } from '../digest';
import { ALGORITHMS, type KeyRecord, type Role, checkKey, openKey, readKeyRecord } from '../key';
import type { JsonObject } from '../json';
import { CHARTER_KEYS_MAX, CHARTER_VERSIONS_MAX } from '../limits';
import { VerifierKey } from '../note';
import { Refused } from '../refused';
import {
  type Read, checkAllKnown, checkDistinct, checkKnown, digest, integer, list, malformed, object, optional,
  origin, required, time, word,
} from '../shape';
import { lines } from '../text';
import type { Facts, Header } from './header';

const cosigner = object({ name: required(origin), key: required(readKeyRecord) });

const read = object({
  version: required(integer),
  previous: optional(digest),
  displayName: required(lines),
  threshold: required(integer),
  roots: required(list(readKeyRecord, CHARTER_KEYS_MAX)),
  registrars: required(list(readKeyRecord, CHARTER_KEYS_MAX)),
  logKey: required(readKeyRecord),
  witness: required(cosigner),
  mirror: required(cosigner),
  algorithms: required(list(word)),
  expires: required(time),
});

/** A nation's roots, and the keys they appoint. */
export type Charter = Read<typeof read>;

/** The keys of a charter as C2SP notes use them. */
export interface NoteKeys {
  /** Signs the log's checkpoints. */
  readonly log: VerifierKey;
  /** Cosigns what was seen. */
  readonly witness: VerifierKey;
  /** Cosigns what is held. */
  readonly mirror: VerifierKey;
}

/** Every key of a charter with its role. */
export function keysOf(charter: Charter): readonly (readonly [Role, KeyRecord])[] {
  return [
    ...charter.roots.map((key) => ['root', key] as const),
    ...charter.registrars.map((key) => ['registrar', key] as const),
    ['log', charter.logKey],
    ['witness', charter.witness.key],
    ['mirror', charter.mirror.key],
  ];
}

/** How many distinct roots of a charter are among the signers. */
export function signedBy(charter: Charter, signers: readonly Digest[]): number {
  return new Set(charter.roots.map((root) => root.keyid).filter((keyid) => signers.includes(keyid))).size;
}

/** The keys of the log, its witness and its mirror, under their names; throws `Refused` when one does not open. */
export async function noteKeys(charter: Charter, nation: string, log: string): Promise<NoteKeys> {
  return {
    log: new VerifierKey(log, 'ed25519', await openKey(charter.logKey, nation, log, 'log')),
    witness: new VerifierKey(
      charter.witness.name, 'cosignature', await openKey(charter.witness.key, nation, log, 'witness'),
    ),
    mirror: new VerifierKey(
      charter.mirror.name, 'cosignature', await openKey(charter.mirror.key, nation, log, 'mirror'),
    ),
  };
}

/** Reads and checks the body of a charter; throws `Refused` (`malformed`). */
export async function readCharter(predicate: JsonObject, header: Header): Promise<Facts & { body: Charter }> {
  const body = read(predicate, '');
  checkRules(body, header);
  await checkKeys(body, header);
  return {
    body,
    subjects: [{ name: header.log, sha256: body.logKey.keyid }],
    blobs: [],
    references: [],
    scope: undefined,
    checkNew: () => {
      checkAllKnown('/algorithms', body.algorithms, ALGORITHMS);
      for (const [role, key] of keysOf(body)) checkKnown(`/${role}/alg`, key.alg, ALGORITHMS);
    },
  };
}

function checkRules(charter: Charter, header: Header): void {
  if (charter.version === 0 || (charter.version === 1) !== (charter.previous === undefined)) {
    throw malformed('/version', 'must be 1 without a previous charter, or more with one');
  }
  if (charter.version > CHARTER_VERSIONS_MAX) throw malformed('/version', `is more than ${CHARTER_VERSIONS_MAX}`);
  if (charter.threshold === 0 || charter.threshold > charter.roots.length) {
    throw malformed('/threshold', 'must be at least 1 and at most the number of roots');
  }
  if (charter.registrars.length === 0) throw malformed('/registrars', 'is empty; appoint at least one registrar');
  if (charter.algorithms.length === 0) throw malformed('/algorithms', 'is empty; require at least one algorithm');
  checkDistinct('/algorithms', charter.algorithms);
  if (charter.expires <= header.issuedAt) throw malformed('/expires', 'must be later than issuedAt');
  if (new Set([header.log, charter.witness.name, charter.mirror.name]).size < 3) {
    throw malformed('/mirror/name', 'the log, its witness and its mirror need three names');
  }
  // Cosignatures are known by the names on them, so none may be another nation's.
  for (const place of ['witness', 'mirror'] as const) {
    if (!charter[place].name.startsWith(`${header.log}/`)) {
      throw malformed(`/${place}/name`, "must lie below the log's name, such as <log>/witness");
    }
  }
}

async function checkKeys(charter: Charter, header: Header): Promise<void> {
  const seen = new Set<string>();
  for (const [role, key] of keysOf(charter)) {
    if (seen.has(key.keyid)) throw malformed('', `the ${role} key ${key.keyid} has two places; every key has one`);
    seen.add(key.keyid);
    await at('', `the ${role} key ${key.keyid}`, checkKey(key, header.nation, header.log, role));
  }
  await at('', 'a key of notes', noteKeys(charter, header.nation, header.log));
}

/** Says where a key stands that does not open. */
export async function at<T>(pointer: string, what: string, opened: Promise<T>): Promise<T> {
  try {
    return await opened;
  } catch (error) {
    if (!(error instanceof Refused) || error.code === 'cannot-verify') throw error;
    throw malformed(pointer, `${what}: ${error.message}`);
  }
}

