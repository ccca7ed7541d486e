/**
 * Ed25519 in one way (RFC 8032 and the profile of schema/README.md, "Keys").
 *
 * Libraries disagree on odd keys and signatures, and WebCrypto differs between browsers. So before
 * WebCrypto is asked whether `S·B = R + k·A`, this file holds:
 *
 * 1. the public key A is canonically encoded, not of small order, and torsion-free;
 * 2. R is canonically encoded and not of small order, and S < L.
 *
 * That is arithmetic on public points, plainly in BigInt, once for each key and each R. The verdict is
 * WebCrypto's alone; where it has no Ed25519 there is none.
 */

import { type Bytes, equal, fromHex, toHex } from './bytes';
import { Refused } from './refused';

/** The field's prime, 2^255 - 19. */
const P = 2n ** 255n - 19n;
/** The order of the base point. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
/** The curve is -x² + y² = 1 + d·x²·y². */
const D = 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3n;
/** Twice that d. */
const D2 = (2n * D) % P;
/** A square root of -1. */
const ROOT_OF_MINUS_ONE = 0x2b8324804fc1df0b2b4d00993dfbd7a72f431806ad2fe478c4ee1b274a0ea0b0n;

/** Verdicts on keys that are remembered; a bundle has a few dozen. */
const REMEMBERED_MAX = 1024;

/** Why this page can verify nothing. */
export type CannotVerify = 'insecure-context' | 'no-webcrypto' | 'no-ed25519';

/** A public key that meets the profile. Only {@link PublicKey.fromBytes} makes one. */
export class PublicKey {
  /** The 32 bytes. */
  readonly bytes: Bytes;
  #imported: Promise<CryptoKey> | undefined;

  private constructor(bytes: Bytes) {
    this.bytes = bytes;
  }

  /**
   * Takes the 32 bytes of a key, when no two verifiers can disagree on its signatures; throws `Refused`
   * (`key-not-canonical`, `key-small-order`, `key-mixed-order`).
   */
  static fromBytes(bytes: Bytes): PublicKey {
    const id = toHex(bytes);
    const known = remembered.get(id);
    if (known !== undefined) return known;
    checkKey(bytes);
    const key = new PublicKey(bytes.slice());
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    remembered.set(id, key);
    return key;
  }

  /** Whether `signature` on `message` is by this key, under the whole profile. */
  async verify(message: Bytes, signature: Bytes): Promise<boolean> {
    if (!meetsProfile(signature)) return false;
    this.#imported ??= importKey(this.bytes);
    const key = await this.#imported;
    return subtle().verify('Ed25519', key, signature, message);
  }

  /** Whether the other is the same key. */
  equals(other: PublicKey): boolean {
    return equal(this.bytes, other.bytes);
  }
}

/**
 * Whether this page can verify at all: `undefined` when it can. Over plain HTTP there is no WebCrypto, and
 * old browsers know no Ed25519. What claims to is tried on a signature that holds and one that does not.
 */
export async function cannotVerify(): Promise<CannotVerify | undefined> {
  if (globalThis.isSecureContext === false) return 'insecure-context';
  if (globalThis.crypto?.subtle === undefined) return 'no-webcrypto';
  try {
    const key = PublicKey.fromBytes(fromHex(TEST_KEY));
    const signature = fromHex(TEST_SIGNATURE);
    const holds = await key.verify(new Uint8Array(), signature);
    const holdsForOther = await key.verify(Uint8Array.of(0), signature);
    return holds && !holdsForOther ? undefined : 'no-ed25519';
  } catch {
    return 'no-ed25519';
  }
}

const remembered = new Map<string, PublicKey>();

/** RFC 8032 §7.1, test 1; the message is empty. */
const TEST_KEY = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
const TEST_SIGNATURE =
  'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155' +
  '5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b';

function subtle(): SubtleCrypto {
  const found = globalThis.crypto?.subtle;
  if (found === undefined) throw new Refused('cannot-verify', 'this page has no WebCrypto: it cannot verify');
  return found;
}

async function importKey(bytes: Bytes): Promise<CryptoKey> {
  try {
    return await subtle().importKey('raw', bytes, 'Ed25519', false, ['verify']);
  } catch {
    throw new Refused('cannot-verify', 'this browser has no Ed25519: it cannot verify');
  }
}

function checkKey(bytes: Bytes): void {
  const point = decode(bytes);
  if (point === undefined) throw new Refused('key-not-canonical', 'the public key is not canonically encoded');
  if (isSmallOrder(point)) throw new Refused('key-small-order', 'the public key is of small order');
  if (!isIdentity(times(L, point))) throw new Refused('key-mixed-order', 'the public key is not torsion-free');
}

/** R is canonical and not of small order, S < L. */
function meetsProfile(signature: Bytes): boolean {
  if (signature.length !== 64 || integer(signature.subarray(32)) >= L) return false;
  const r = decode(signature.subarray(0, 32));
  return r !== undefined && !isSmallOrder(r);
}

/** A point in extended coordinates (RFC 8032 §5.1.4): x = X/Z, y = Y/Z, x·y = T/Z. */
interface Point {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
  readonly t: bigint;
}

const IDENTITY: Point = { x: 0n, y: 1n, z: 1n, t: 0n };

/** Reads the canonical encoding of a point (RFC 8032 §5.1.3). */
function decode(bytes: Bytes): Point | undefined {
  const encoded = integer(bytes);
  const y = encoded & (2n ** 255n - 1n);
  const odd = encoded >> 255n;
  if (bytes.length !== 32 || y >= P) return undefined;
  const x = rootOfRatio(mod(y * y - 1n), mod(D * y * y + 1n));
  if (x === undefined || (x === 0n && odd === 1n)) return undefined;
  const signed = (x & 1n) === odd ? x : P - x;
  return { x: signed, y, z: 1n, t: mod(signed * y) };
}

/** A square root of u/v, when there is one. */
function rootOfRatio(u: bigint, v: bigint): bigint | undefined {
  const v3 = mod(v * v * v);
  const v7 = mod(v3 * v3 * v);
  const candidate = mod(u * v3 * power(mod(u * v7), (P - 5n) / 8n));
  const check = mod(v * candidate * candidate);
  if (check === u) return candidate;
  return check === mod(-u) ? mod(candidate * ROOT_OF_MINUS_ONE) : undefined;
}

/** Adds two points; complete: no pair of points is special (RFC 8032 §5.1.4). */
function add(one: Point, other: Point): Point {
  const a = mod((one.y - one.x) * (other.y - other.x));
  const b = mod((one.y + one.x) * (other.y + other.x));
  const c = mod(D2 * mod(one.t * other.t));
  const d = mod(2n * one.z * other.z);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return { x: mod(e * f), y: mod(g * h), z: mod(f * g), t: mod(e * h) };
}

/** Adds a point to itself, with fewer products than {@link add} (RFC 8032 §5.1.4). */
function double({ x, y, z }: Point): Point {
  const [a, b, c] = [mod(x * x), mod(y * y), mod(2n * z * z)];
  const [h, g] = [a + b, a - b];
  const [e, f] = [h - mod((x + y) * (x + y)), c + g];
  return { x: mod(e * f), y: mod(g * h), z: mod(f * g), t: mod(e * h) };
}

function times(scalar: bigint, point: Point): Point {
  let sum = IDENTITY;
  for (const bit of scalar.toString(2)) {
    sum = double(sum);
    if (bit === '1') sum = add(sum, point);
  }
  return sum;
}

function isIdentity(point: Point): boolean {
  return point.x === 0n && point.y === point.z;
}

/** The curve's cofactor is 8. */
function isSmallOrder(point: Point): boolean {
  return isIdentity(times(8n, point));
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = mod(result * result);
    if (bit === '1') result = mod(result * base);
  }
  return result;
}

function mod(number: bigint): bigint {
  const rest = number % P;
  return rest < 0n ? rest + P : rest;
}

/** Bytes as an integer, little-endian. */
function integer(bytes: Bytes): bigint {
  return BigInt(`0x${toHex(bytes.slice().reverse()) || '0'}`);
}
