/**
 * Bytes and their text forms: hexadecimal, base64 (RFC 4648 §4 and §5), UTF-8.
 *
 * Each reader takes exactly what the writer beside it writes: one text for each byte string.
 */

import { Refused } from './refused';

/** A byte string. WebCrypto does not take bytes that another thread could change. */
export type Bytes = Uint8Array<ArrayBuffer>;

const STANDARD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const URL_SAFE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes as lowercase hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** Reads {@link toHex}; throws `Refused` (`hex`) on anything else. */
export function fromHex(text: string): Bytes {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) throw new Refused('hex', 'not lowercase hexadecimal digits');
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Bytes in base64: standard alphabet, padded (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  const digits = new Uint8Array(Math.ceil(bytes.length / 3) * 4);
  const digit = (bits: number): number => STANDARD.charCodeAt(bits & 63);
  for (let from = 0, to = 0; from < bytes.length; from += 3, to += 4) {
    const b = bytes[from + 1];
    const c = bytes[from + 2];
    const bits = ((bytes[from] ?? 0) << 16) | ((b ?? 0) << 8) | (c ?? 0);
    digits[to] = digit(bits >> 18);
    digits[to + 1] = digit(bits >> 12);
    digits[to + 2] = b === undefined ? 61 : digit(bits >> 6);
    digits[to + 3] = c === undefined ? 61 : digit(bits);
  }
  return decoder.decode(digits);
}

/** Reads {@link toBase64}; throws `Refused` (`base64`) on other alphabets, missing padding and stray bits. */
export function fromBase64(text: string): Bytes {
  return decodeBase64(text, STANDARD_VALUES);
}

/** Reads base64 in the standard or the URL-safe alphabet, padded, as DSSE asks of a verifier. */
export function fromEitherBase64(text: string): Bytes {
  return decodeBase64(text, /[-_]/.test(text) ? URL_SAFE_VALUES : STANDARD_VALUES);
}

/** Text as UTF-8. The text has no lone surrogates: whatever was read here has none. */
export function toUtf8(text: string): Bytes {
  return encoder.encode(text);
}

/** Reads UTF-8, a byte order mark included; throws `Refused` (`utf8`) on anything else. */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Refused('utf8', 'not UTF-8');
  }
}

/** How many bytes `text` has in UTF-8. */
export function utf8Length(text: string): number {
  return encoder.encode(text).length;
}

/** Byte strings one after the other. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Whether two byte strings are the same. Everything here is public, so time may tell. */
export function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

/** Compares byte strings, for sorting. */
export function compare(one: Uint8Array, other: Uint8Array): number {
  const length = Math.min(one.length, other.length);
  for (let i = 0; i < length; i++) {
    const difference = (one[i] ?? 0) - (other[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}

/** Compares text by its UTF-8 bytes: JavaScript's own order is that of UTF-16. */
export function compareText(one: string, other: string): number {
  return one === other ? 0 : compare(toUtf8(one), toUtf8(other));
}

function values(alphabet: string): Int8Array {
  const table = new Int8Array(128).fill(-1);
  for (let i = 0; i < 64; i++) table[alphabet.charCodeAt(i)] = i;
  return table;
}

const STANDARD_VALUES = values(STANDARD);
const URL_SAFE_VALUES = values(URL_SAFE);

function decodeBase64(text: string, table: Int8Array): Bytes {
  const refused = (): Refused => new Refused('base64', 'not base64 with padding');
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  if (text.length % 4 !== 0) throw refused();
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  const digits = text.length - padding;
  let bits = 0;
  let at = 0;
  for (let i = 0; i < digits; i++) {
    const value = table[text.charCodeAt(i)] ?? -1;
    if (value < 0) throw refused();
    bits = ((bits << 6) | value) & 0xff_ffff;
    if (i % 4 !== 0) bytes[at++] = bits >> (6 - 2 * (i % 4));
  }
  const stray = padding === 2 ? bits & 15 : padding === 1 ? bits & 3 : 0;
  if (stray !== 0) throw refused();
  return bytes;
}
