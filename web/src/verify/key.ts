/** Keys as records carry them (schema/README.md, "Keys"; RFC 8410 for the DER). */

import { type Bytes, concat, equal, fromBase64, toUtf8 } from './bytes';
import { type Digest, digestOf } from './digest';
import { PublicKey } from './ed25519';
import { Refused, attempt } from './refused';
import { type Reader, digest, object, oneOf, required, text, word } from './shape';

/** DER of `SubjectPublicKeyInfo` for Ed25519 up to the key itself (RFC 8410 §4). */
const SPKI_PREFIX = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00);

/** What a key is for. A proof of possession binds it. */
export const ROLES = [
  'root', 'registrar', 'log', 'witness', 'mirror', 'publisher', 'exchange', 'evaluator', 'node', 'transport',
] as const;

/** One of {@link ROLES}. */
export type Role = (typeof ROLES)[number];

/** Reads a role; a word of a later version is none, because a proof of possession binds it. */
export const readRole: Reader<Role> = oneOf(ROLES);

/** Algorithms that this version knows. */
export const ALGORITHMS = ['ed25519'] as const;

/** A public key with the proof that its holder asked for a role. */
export interface KeyRecord {
  readonly keyid: Digest;
  /** One of {@link ALGORITHMS}, or a word of a later version. */
  readonly alg: string;
  /** `SubjectPublicKeyInfo` in base64. */
  readonly publicKey: string;
  /** The signature over {@link possessionMessage}, in base64. */
  readonly proofOfPossession: string;
}

/** Reads a key record, its parts not yet checked. */
export const readKeyRecord: Reader<KeyRecord> = object({
  keyid: required(digest),
  alg: required(word),
  publicKey: required(text),
  proofOfPossession: required(text),
});

/** Reads `SubjectPublicKeyInfo` DER; throws `Refused` (`key-not-spki`, or as {@link PublicKey.fromBytes}). */
export function publicKeyFromSpki(der: Bytes): PublicKey {
  if (der.length !== SPKI_PREFIX.length + 32 || !equal(der.subarray(0, SPKI_PREFIX.length), SPKI_PREFIX)) {
    throw new Refused('key-not-spki', 'the public key is not the DER of an Ed25519 SubjectPublicKeyInfo');
  }
  return PublicKey.fromBytes(der.slice(SPKI_PREFIX.length));
}

/** The DER of a key, 44 bytes. */
export function toSpki(key: PublicKey): Bytes {
  return concat(SPKI_PREFIX, key.bytes);
}

/** The key id: SHA-256 of the DER. */
export function keyIdOf(key: PublicKey): Digest {
  return digestOf(toSpki(key));
}

/** What a key signs to show that its holder asked for `role` in the log `origin` of `nation`. */
export function possessionMessage(nation: string, origin: string, role: Role, keyid: Digest): Bytes {
  return toUtf8(`chancery.proof-of-possession/v1\n${nation}\n${origin}\n${role}\n${keyid}\n`);
}

/** What was opened already: a charter's keys are asked for again by every record. */
const opened = new WeakMap<KeyRecord, Map<string, Promise<PublicKey>>>();

/**
 * Checks profile, key id and proof of possession, and answers the key; throws `Refused`
 * (`key-unknown-algorithm`, `key-not-spki`, `key-…`, `key-id`, `bad-signature`).
 */
export function openKey(record: KeyRecord, nation: string, origin: string, role: Role): Promise<PublicKey> {
  const asked = `${nation}\n${origin}\n${role}`;
  const known = opened.get(record) ?? new Map<string, Promise<PublicKey>>();
  const key = known.get(asked) ?? open(record, nation, origin, role);
  opened.set(record, known.set(asked, key));
  return key;
}

/**
 * As {@link openKey}, but a key of an unknown algorithm is let stand: it can sign nothing that counts here.
 */
export async function checkKey(record: KeyRecord, nation: string, origin: string, role: Role): Promise<void> {
  if (record.alg === 'ed25519') await openKey(record, nation, origin, role);
}

async function open(record: KeyRecord, nation: string, origin: string, role: Role): Promise<PublicKey> {
  if (record.alg !== 'ed25519') {
    throw new Refused('key-unknown-algorithm', 'the key is of an algorithm that this version does not know');
  }
  const der = attempt(() => fromBase64(record.publicKey));
  const key = publicKeyFromSpki(der instanceof Refused ? new Uint8Array() : der);
  if (keyIdOf(key) !== record.keyid) throw new Refused('key-id', 'the key id is not that of the public key');
  const proof = attempt(() => fromBase64(record.proofOfPossession));
  const message = possessionMessage(nation, origin, role, record.keyid);
  if (proof instanceof Refused || !(await key.verify(message, proof))) {
    throw new Refused('bad-signature', 'the signature does not hold');
  }
  return key;
}
