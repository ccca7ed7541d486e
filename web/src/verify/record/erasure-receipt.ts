/** The erasure receipt: a node says that it has erased what a redaction asks for (schema/README.md, "Kinds"). */

import type { JsonObject } from '../json';
import { type Read, digest, integer, malformed, object, origin, required } from '../shape';
import type { Facts } from './header';

const read = object({
  redactedLog: required(origin),
  index: required(integer),
  record: required(digest),
  redaction: required(digest),
});

/** One node's word that a body is gone from it. */
export type ErasureReceipt = Read<typeof read>;

/** Reads and checks the body of an erasure receipt; throws `Refused` (`malformed`). */
export function readErasureReceipt(predicate: JsonObject): Facts & { body: ErasureReceipt } {
  const body = read(predicate, '');
  if (body.record === body.redaction) throw malformed('/redaction', 'is the record that is gone');
  return {
    body,
    subjects: [
      { name: body.redactedLog, sha256: body.record },
      { name: 'redaction', sha256: body.redaction },
    ],
    blobs: [],
    references: [],
    scope: undefined,
    checkNew: () => undefined,
  };
}
