/**
 * SHA-256 digests and their text forms (FIPS 180-4).
 *
 * Two ways to the same digest. Trees, entries and key ids are hashed from small pieces inside pure
 * functions, which WebCrypto, being asynchronous, would turn into promises throughout: for them there is
 * `@noble/hashes`, audited, 5 KB. What is large goes to WebCrypto, which is five times as fast and leaves
 * the page responsive.
 */

import { sha256 as hash } from '@noble/hashes/sha2.js';

import { type Bytes, fromBase64, fromHex, toBase64, toHex } from './bytes';
import { Refused } from './refused';

/** From this size on, WebCrypto is worth the promise. */
const LARGE_BYTES = 64 << 10;

declare const brand: unique symbol;

/** A SHA-256 digest as 64 lowercase hexadecimal digits: how JSON, addresses and people write it. */
export type Digest = string & { readonly [brand]: true };

/** The digest of byte strings, one after the other: 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Bytes {
  const hasher = hash.create();
  for (const part of parts) hasher.update(part);
  return new Uint8Array(hasher.digest());
}

/** As {@link sha256}, of bytes that may be large. */
export async function sha256OfLarge(bytes: Bytes): Promise<Bytes> {
  const subtle = globalThis.crypto?.subtle;
  if (bytes.length < LARGE_BYTES || subtle === undefined) return sha256(bytes);
  return new Uint8Array(await subtle.digest('SHA-256', bytes));
}

/** The digest of byte strings, as text. */
export function digestOf(...parts: readonly Uint8Array[]): Digest {
  return toHex(sha256(...parts)) as Digest;
}

/** 32 bytes that are a digest, as text. */
export function toDigest(bytes: Uint8Array): Digest {
  if (bytes.length !== 32) throw new Refused('digest', 'not the 32 bytes of a SHA-256 digest');
  return toHex(bytes) as Digest;
}

/** The 32 bytes of a digest. */
export function digestBytes(digest: Digest): Bytes {
  return fromHex(digest);
}

/** Whether text is a digest. */
export function isDigest(text: string): text is Digest {
  return /^[0-9a-f]{64}$/.test(text);
}

/** Reads a digest as text; throws `Refused` (`digest`). */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) throw new Refused('digest', 'not a SHA-256 digest: expected 64 lowercase hexadecimal digits');
  return text;
}

/** Reads 32 bytes in base64, as the line formats of C2SP have them; throws `Refused` (`digest`). */
export function hashFromBase64(text: string): Bytes {
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text)) throw new Refused('digest', 'not a SHA-256 digest in base64');
  return fromBase64(text);
}

/** A digest in base64. */
export function digestToBase64(digest: Digest): string {
  return toBase64(digestBytes(digest));
}

