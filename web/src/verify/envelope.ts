/**
 * DSSE envelopes: a payload and the signatures on it, in one fixed form.
 *
 * Follows <https://github.com/secure-systems-lab/dsse>, protocol v1.0.2; schema/README.md, "Envelopes".
 */

import { type Bytes, concat, equal, fromEitherBase64, toBase64, toUtf8 } from './bytes';
import { type Digest, digestOf, isDigest } from './digest';
import type { PublicKey } from './ed25519';
import { type Json, isList, member, parse } from './json';
import { keyIdOf } from './key';
import { ENVELOPE_BYTES_MAX, SIGNATURES_MAX, SIGNATURE_BYTES_MAX } from './limits';
import { Refused, attempt } from './refused';

/** The payload type of every record: an in-toto statement. */
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** DSSE's pre-authentication encoding: what is signed. */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Bytes {
  const type = toUtf8(payloadType);
  return concat(toUtf8(`DSSEv1 ${type.length} ${payloadType} ${payload.length} `), payload);
}

/** An envelope that was read. Nothing in it is verified until {@link Envelope.verifiedBy} says so. */
export class Envelope {
  /** The signed bytes. */
  readonly payload: Bytes;
  /** SHA-256 of the payload: the record's own digest, by which others refer to it. */
  readonly recordDigest: Digest;
  /** SHA-256 of the fixed form: what the log's entry names. */
  readonly digest: Digest;
  /** The fixed form: the one in which records are kept. */
  readonly bytes: Bytes;
  /** By key id, ascending. */
  readonly #signatures: ReadonlyMap<Digest, Bytes>;

  private constructor(payload: Bytes, signatures: ReadonlyMap<Digest, Bytes>) {
    this.payload = payload;
    this.#signatures = signatures;
    this.bytes = fixedForm(payload, signatures);
    if (this.bytes.length > ENVELOPE_BYTES_MAX) throw tooLarge();
    this.recordDigest = digestOf(payload);
    this.digest = digestOf(this.bytes);
  }

  /**
   * Reads any valid DSSE JSON: unknown members are ignored, both base64 alphabets are taken. Throws `Refused`
   * (`envelope-large`, `json`, `envelope`, `payload-type`, `key-twice`).
   */
  static parse(bytes: Uint8Array): Envelope {
    if (bytes.length > ENVELOPE_BYTES_MAX) throw tooLarge();
    const envelope = parse(bytes);
    if (textOf(envelope, 'payloadType') !== PAYLOAD_TYPE) {
      throw new Refused('payload-type', `the payload type is not ${PAYLOAD_TYPE}`);
    }
    const payload = bytesOf(envelope, 'payload');
    const list = member(envelope, 'signatures');
    if (!isList(list) || list.length < 1 || list.length > SIGNATURES_MAX) throw refused('signatures');
    const signatures = new Map<Digest, Bytes>();
    for (const signature of list) {
      const keyid = textOf(signature, 'keyid');
      if (!isDigest(keyid)) throw refused('keyid');
      const sig = bytesOf(signature, 'sig');
      if (sig.length < 1 || sig.length > SIGNATURE_BYTES_MAX) throw refused('sig');
      if (signatures.has(keyid)) throw new Refused('key-twice', `the key ${keyid} signs twice`);
      signatures.set(keyid, sig);
    }
    return new Envelope(payload, new Map([...signatures].sort(([one], [other]) => (one < other ? -1 : 1))));
  }

  /** Reads an envelope that must be in its fixed form; throws `Refused` as {@link parse}, or `envelope-not-fixed`. */
  static fromFixed(bytes: Uint8Array): Envelope {
    const envelope = Envelope.parse(bytes);
    if (!equal(envelope.bytes, bytes)) throw new Refused('envelope-not-fixed', 'the envelope is not in its fixed form');
    return envelope;
  }

  /** The key ids that claim to have signed, ascending. */
  get keyIds(): readonly Digest[] {
    return [...this.#signatures.keys()];
  }

  /** Whether `key` signed this payload: its key id is listed and the signature holds. */
  async verifiedBy(key: PublicKey): Promise<boolean> {
    const signature = this.#signatures.get(keyIdOf(key));
    if (signature === undefined) return false;
    return key.verify(preAuthenticationEncoding(PAYLOAD_TYPE, this.payload), signature);
  }
}

/** Base64 and hexadecimal need no escapes, so the text is put together as it stands. */
function fixedForm(payload: Bytes, signatures: ReadonlyMap<Digest, Bytes>): Bytes {
  const list = [...signatures].map(([keyid, sig]) => `{"keyid":"${keyid}","sig":"${toBase64(sig)}"}`).join(',');
  return toUtf8(`{"payloadType":"${PAYLOAD_TYPE}","payload":"${toBase64(payload)}","signatures":[${list}]}`);
}

function textOf(value: Json, name: string): string {
  const text = member(value, name);
  if (typeof text !== 'string') throw refused(name);
  return text;
}

function bytesOf(value: Json, name: string): Bytes {
  const text = textOf(value, name);
  const bytes = attempt(() => fromEitherBase64(text));
  if (bytes instanceof Refused) throw refused(name);
  return bytes;
}

function refused(what: string): Refused {
  return new Refused('envelope', `the envelope's ${what} is missing or malformed`);
}

function tooLarge(): Refused {
  return new Refused('envelope-large', `the envelope is larger than ${ENVELOPE_BYTES_MAX} bytes`);
}
