/** Entries: the bytes that are the leaves of a log, three lines (schema/README.md, "Entry"). */

import { type Bytes, fromUtf8, toUtf8 } from './bytes';
import { type Digest, digestToBase64, hashFromBase64, toDigest } from './digest';
import { Refused, attempt } from './refused';
import { leafHash } from './tree';

const HEADING = 'chancery.entry/v1';

/** One entry: the kind of a record, and the digest of its envelope. */
export interface Entry {
  /** `[a-z][a-z-]{0,31}`; it need not be a kind that this version knows. */
  readonly kind: string;
  /** SHA-256 of the envelope's fixed form. */
  readonly envelope: Digest;
}

/** Reads the three lines, each ended; throws `Refused` (`entry`). An entry has one form. */
export function parseEntry(bytes: Uint8Array): Entry {
  const text = attempt(() => fromUtf8(bytes));
  const [heading, kind = '', envelope = '', end, ...more] = text instanceof Refused ? [] : text.split('\n');
  if (heading !== HEADING || end !== '' || more.length > 0) {
    throw new Refused('entry', `an entry is three lines, the first of them ${HEADING}`);
  }
  if (!/^[a-z][a-z-]{0,31}$/.test(kind)) throw new Refused('entry', 'a kind is 1 to 32 of a-z and -');
  const hash = attempt(() => hashFromBase64(envelope));
  if (hash instanceof Refused) throw new Refused('entry', 'the third line of an entry is a SHA-256 digest in base64');
  return { kind, envelope: toDigest(hash) };
}

/** The three lines. */
export function entryBytes(entry: Entry): Bytes {
  return toUtf8(`${HEADING}\n${entry.kind}\n${digestToBase64(entry.envelope)}\n`);
}

/** The hash that enters the tree. */
export function entryLeafHash(entry: Entry): Bytes {
  return leafHash(entryBytes(entry));
}
