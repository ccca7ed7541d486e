/**
 * Signed notes: text, a blank line, and one line for each signature; and the keys that verify them.
 *
 * Follows C2SP signed-note <https://c2sp.org/signed-note>, v1.0.0; schema/README.md, "Notes, checkpoints, cosignatures".
 */

import { type Bytes, concat, equal, fromBase64, fromUtf8, toBase64, toHex, toUtf8, utf8Length } from './bytes';
import { cosignatureMessage, splitCosignature } from './cosignature-line';
import { sha256 } from './digest';
import { PublicKey } from './ed25519';
import { NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX, ORIGIN_BYTES_MAX } from './limits';
import { Refused, attempt } from './refused';

/** What a key signs: `ed25519` (type 0x01) the text itself, `cosignature` (0x04) the text and the time. */
export type KeyType = 'ed25519' | 'cosignature';

const TYPE_BYTES: Readonly<Record<KeyType, number>> = { ed25519: 0x01, cosignature: 0x04 };

/** One signature line, not yet verified. */
export interface SignatureLine {
  /** The name of the key that seems to have signed. */
  readonly name: string;
  /** Four bytes: a hint, not an identity. */
  readonly keyId: Bytes;
  /** What follows the key id. */
  readonly bytes: Bytes;
}

/** A note that is well formed, its signatures not yet verified. */
export interface Note {
  /** What is signed, with the end of its last line. */
  readonly text: string;
  readonly signatures: readonly SignatureLine[];
  /** The whole note, byte for byte; a note has one form. */
  readonly source: string;
}

/** A public key that verifies notes: `name+hex(key id)+base64(type ‖ public key)`. */
export class VerifierKey {
  readonly name: string;
  readonly type: KeyType;
  readonly key: PublicKey;
  readonly keyId: Bytes;

  /** Names a public key; throws `Refused` (`note-name`) when the name cannot stand in a note. */
  constructor(name: string, type: KeyType, key: PublicKey) {
    if (!isKeyName(name)) throw new Refused('note-name', 'a key name has 1 to 255 bytes, no space and no +');
    this.name = name;
    this.type = type;
    this.key = key;
    this.keyId = sha256(toUtf8(name), Uint8Array.of(0x0a, TYPE_BYTES[type]), key.bytes).slice(0, 4);
  }

  /** Reads {@link toString}; throws `Refused` (`verifier-key`, `note-name`). */
  static parse(text: string): VerifierKey {
    const refused = new Refused('verifier-key', 'not a verifier key of type 1 or 4, such as name+0123abcd+base64');
    const [, name = '', base64 = ''] = /^([^+]*)\+[^+]*\+([^]*)$/u.exec(text) ?? [];
    const bytes = attempt(() => fromBase64(base64));
    if (bytes instanceof Refused || bytes.length !== 33) throw refused;
    const type = bytes[0] === 0x01 ? 'ed25519' : bytes[0] === 0x04 ? 'cosignature' : undefined;
    const key = attempt(() => PublicKey.fromBytes(bytes.slice(1)));
    if (type === undefined || key instanceof Refused) throw refused;
    const read = new VerifierKey(name, type, key);
    // The key id is right exactly when the key writes itself as it was read.
    if (read.toString() !== text) throw refused;
    return read;
  }

  /** The text form. */
  toString(): string {
    const typed = concat(Uint8Array.of(TYPE_BYTES[this.type]), this.key.bytes);
    return `${this.name}+${toHex(this.keyId)}+${toBase64(typed)}`;
  }

  /** Whether the other is the same key under the same name for the same use. */
  equals(other: VerifierKey): boolean {
    return this.name === other.name && this.type === other.type && this.key.equals(other.key);
  }

  /** Whether a line claims to be by this key. */
  claims(line: SignatureLine): boolean {
    return this.name === line.name && equal(this.keyId, line.keyId);
  }

  /** Checks that `line` is by this key on `text`; throws `Refused` (`forged`). */
  async verify(text: string, line: SignatureLine): Promise<void> {
    const signed = this.claims(line) ? this.#signed(text, line.bytes) : undefined;
    if (signed === undefined || !(await this.key.verify(...signed))) {
      throw new Refused('forged', `the signature of ${this.name} does not hold`);
    }
  }

  /** What was signed, and the signature. */
  #signed(text: string, bytes: Bytes): readonly [Bytes, Bytes] | undefined {
    if (this.type === 'ed25519') return [toUtf8(text), bytes];
    const cosigned = splitCosignature(bytes);
    return cosigned === undefined ? undefined : [cosignatureMessage(text, cosigned.time), cosigned.signature];
  }
}

/** Reads a note and believes nothing in it; throws `Refused` (`note-large`, `note-text`, `note-shape`, …). */
export function parseNote(bytes: Uint8Array): Note {
  if (bytes.length > NOTE_BYTES_MAX) throw new Refused('note-large', `the note is larger than ${NOTE_BYTES_MAX} bytes`);
  const source = attempt(() => fromUtf8(bytes));
  if (source instanceof Refused || bytes.some((byte) => byte < 0x20 && byte !== 0x0a)) {
    throw new Refused('note-text', 'the note is not plain UTF-8 text');
  }
  const blank = source.lastIndexOf('\n\n');
  const lines = source.slice(blank + 2);
  if (blank < 0 || !lines.endsWith('\n')) {
    throw new Refused('note-shape', 'a note is lines of text, a blank line, and lines of signatures');
  }
  const signatures = parseSignatureLines(lines.slice(0, -1));
  return { text: source.slice(0, blank + 1), signatures, source };
}

/** Reads lines of signatures, the last one without its end; throws `Refused` (`note-line`, `note-signatures`). */
export function parseSignatureLines(lines: string): readonly SignatureLine[] {
  const split = lines.split('\n');
  if (split.length > NOTE_SIGNATURES_MAX) {
    throw new Refused('note-signatures', `the note has more than ${NOTE_SIGNATURES_MAX} signatures`);
  }
  return split.map(parseSignatureLine);
}

/** Which of `keys` have signed, each once; lines of others are passed over. Throws `Refused` (`unsigned`, `forged`). */
export async function verifyNote(note: Note, keys: readonly VerifierKey[]): Promise<readonly VerifierKey[]> {
  const signers: VerifierKey[] = [];
  for (const line of note.signatures) {
    for (const key of keys.filter((it) => it.claims(line))) {
      await key.verify(note.text, line);
      if (!signers.some((it) => it.equals(key))) signers.push(key);
    }
  }
  if (signers.length === 0) throw new Refused('unsigned', 'no known key has signed the note');
  return signers;
}

function parseSignatureLine(line: string): SignatureLine {
  const [, name = '', base64 = ''] = /^— ([^ ]*) ([^]*)$/u.exec(line) ?? [];
  const payload = attempt(() => fromBase64(base64));
  if (payload instanceof Refused || payload.length < 5 || !isKeyName(name)) {
    throw new Refused('note-line', 'a signature line is an em dash, a key name, and base64');
  }
  return { name, keyId: payload.slice(0, 4), bytes: payload.slice(4) };
}

function isKeyName(name: string): boolean {
  return /^[^\p{White_Space}\p{Cc}+]+$/u.test(name) && utf8Length(name) <= ORIGIN_BYTES_MAX;
}
