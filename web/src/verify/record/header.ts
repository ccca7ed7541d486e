/** What every predicate begins with, and what is known of every record (schema/README.md, "Predicates" and "Kinds"). */

import { fromBase64 } from '../bytes';
import type { Digest } from '../digest';
import type { Role } from '../key';
import { Refused, attempt } from '../refused';
import {
  type Read, type Reader, list, malformed, nation, object, optional, origin, required, text, time,
} from '../shape';
import type { Subject } from '../statement';
import type { BlobRef } from '../text';

/** The kinds of record that this version reads. Others are kept, mirrored and shown as unknown. */
export const KINDS = [
  'charter', 'delegation', 'revocation', 'endpoint', 'accreditation', 'evidence', 'model-card', 'weights',
  'license', 'withdrawal', 'redaction', 'erasure-receipt', 'log-succession',
] as const;

/** One of {@link KINDS}. */
export type Kind = (typeof KINDS)[number];

/** The roles whose keys may sign each kind. */
export const SIGNERS: Readonly<Record<Kind, readonly Role[]>> = {
  charter: ['root'],
  delegation: ['registrar'],
  revocation: ['registrar', 'root'],
  endpoint: ['registrar', 'node'],
  accreditation: ['exchange'],
  evidence: ['registrar', 'node'],
  'model-card': ['publisher'],
  weights: ['publisher'],
  license: ['publisher'],
  withdrawal: ['registrar', 'publisher'],
  redaction: ['registrar', 'publisher'],
  'erasure-receipt': ['registrar', 'node'],
  'log-succession': ['root'],
};

/** Whether a word is a kind that this version reads. */
export function isKind(word: string): word is Kind {
  return (KINDS as readonly string[]).includes(word);
}

const nonce: Reader<string> = (value, at) => {
  const read = text(value, at);
  const bytes = attempt(() => fromBase64(read));
  if (bytes instanceof Refused || bytes.length !== 16) throw malformed(at, 'is not 16 random bytes in base64');
  return read;
};

/** Reads the header of a predicate. */
export const readHeader = object({
  nonce: required(nonce),
  nation: required(nation),
  log: required(origin),
  issuedAt: required(time),
  audience: optional(list(nation)),
});

/** What {@link readHeader} reads: it binds the signature to a nation and to its log. Times are POSIX seconds. */
export type Header = Read<typeof readHeader>;

/** What a record is to others: the same members for every kind. */
export interface Facts {
  /** The subjects that the statement must have, exactly. */
  readonly subjects: readonly Subject[];
  /** The blobs that belong to the record. */
  readonly blobs: readonly BlobRef[];
  /** The records of the same log that must come before this one. */
  readonly references: readonly (readonly [Kind, Digest])[];
  /** `<org>:<name>`, for which a publisher's key needs authority. */
  readonly scope: string | undefined;
  /** Throws `Refused` when a new record could not be like this; a mirror does not ask. */
  readonly checkNew: () => void;
}
