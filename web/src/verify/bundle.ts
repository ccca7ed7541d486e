/**
 * Bundles: a record with all its proof, in one file `.chancery` (schema/README.md, "Frames").
 *
 *     header │ former… │ (envelope │ proof)… in log order, the charter first │ blob… │ end
 *
 * Here a bundle is read whole or not at all; what it proves is for verify.ts.
 */

import { type Bytes, fromUtf8 } from './bytes';
import type { Digest } from './digest';
import { Envelope } from './envelope';
import { type Frame, readFrame } from './frame';
import { parse } from './json';
import { BUNDLE_BYTES_MAX, BUNDLE_FRAMES_MAX } from './limits';
import { readRecord as readBody } from './record';
import { Refused, attempt } from './refused';
import { type Read, digest, nation, object, oneOf, origin, required } from './shape';
import { parseStatement } from './statement';

const readHeader = object({
  format: required(oneOf(['chancery.pouch/v1'])),
  purpose: required(oneOf(['bundle', 'introduction'])),
  nation: required(nation),
  log: required(origin),
  record: required(digest),
});

/** What the file says it is. Nothing is believed because it stands here. */
export type BundleHeader = Read<typeof readHeader>;

/** A record and its C2SP tlog-proof, as text. */
export interface LoggedRecord {
  readonly envelope: Envelope;
  readonly proof: string;
}

/** A bundle as it was read: whole, but not yet verified. A page may also put one together from an API's answer. */
export interface Bundle {
  readonly header: BundleHeader;
  /** What tells of the logs that came before, as `readFormer` takes it. */
  readonly former: readonly Envelope[];
  /** In the order of the log. */
  readonly records: readonly LoggedRecord[];
  /** The blobs that its records name, as far as they are in it; each has the digest under which it stands. */
  readonly blobs: ReadonlyMap<Digest, Bytes>;
}

/** Reads a bundle; throws `Refused` (`bundle-large`, `bundle`, `bundle-header`, `frame-…`, `envelope-…`, …). */
export async function parseBundle(bytes: Bytes): Promise<Bundle> {
  if (bytes.length > BUNDLE_BYTES_MAX) throw tooLarge();
  const frames = await readFrames(bytes);
  const [first, ...rest] = frames;
  if (first?.type !== 'header') throw refused('no header comes first');
  const header = parseHeader(first.payload);
  const former = new Map<Digest, Envelope>();
  const records = new Map<Digest, LoggedRecord>();
  const blobs = new Map<Digest, Bytes>();
  for (let at = 0; at < rest.length; at++) {
    const frame = rest[at];
    if (frame?.type === 'former' && records.size === 0 && blobs.size === 0) {
      const envelope = Envelope.fromFixed(frame.payload);
      if (former.has(envelope.recordDigest)) throw refused('a record stands twice');
      former.set(envelope.recordDigest, envelope);
    } else if (frame?.type === 'envelope' && blobs.size === 0) {
      const record = readRecord(frame.payload, rest[++at]);
      const { recordDigest } = record.envelope;
      if (records.has(recordDigest) || former.has(recordDigest)) throw refused('a record stands twice');
      records.set(recordDigest, record);
    } else if (frame?.type === 'blob') {
      if (blobs.has(frame.digest)) throw refused('a blob stands twice');
      blobs.set(frame.digest, frame.payload);
    } else throw refused('a frame stands where it does not belong');
  }
  if (!records.has(header.record) && !(await redacted([...records.values()], header.record))) {
    throw refused('the record that the header names is missing');
  }
  return { header, former: [...former.values()], records: [...records.values()], blobs };
}

/** Whether a redaction stands in the bundle for a record whose body is erased. */
async function redacted(records: readonly LoggedRecord[], record: Digest): Promise<boolean> {
  for (const { envelope } of records) {
    try {
      const read = await readBody(parseStatement(envelope.payload));
      if (read.kind === 'redaction' && read.body.redacts === record) return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }
  return false;
}

/** All frames but the end, which must be there and count right. */
async function readFrames(bytes: Bytes): Promise<readonly Frame[]> {
  const frames: Frame[] = [];
  for (let at = 0; ; ) {
    const read = await readFrame(bytes, at);
    if (read === undefined) throw refused('it was cut before its end');
    at = read.end;
    if (read.frame.type === 'end') {
      if (read.frame.frames === BigInt(frames.length) && at === bytes.length) return frames;
      throw refused('it does not end where it says');
    }
    frames.push(read.frame);
    if (frames.length > BUNDLE_FRAMES_MAX) throw tooLarge();
  }
}

function readRecord(payload: Bytes, proof: Frame | undefined): LoggedRecord {
  if (proof?.type !== 'proof') throw refused('an envelope stands without its proof');
  const envelope = Envelope.fromFixed(payload);
  const text = attempt(() => fromUtf8(proof.payload));
  if (text instanceof Refused) throw refused('a proof is not text');
  return { envelope, proof: text };
}

function parseHeader(payload: Bytes): BundleHeader {
  const header = attempt(() => readHeader(parse(payload), ''));
  if (header instanceof Refused) {
    throw new Refused('bundle-header', `the bundle's header is malformed: ${header.message}`);
  }
  return header;
}

function refused(reason: string): Refused {
  return new Refused('bundle', `the bundle is not whole: ${reason}`);
}

function tooLarge(): Refused {
  return new Refused(
    'bundle-large', `the bundle is larger than ${BUNDLE_BYTES_MAX} bytes or has more than ${BUNDLE_FRAMES_MAX} frames`,
  );
}
