/** The revocation: from some position of the log on, a key is not trusted (schema/README.md, "Kinds"). */

import type { JsonObject } from '../json';
import {
  type Read, checkDistinct, digest, integer, list, malformed, object, oneOf, optional, otherwise, required,
} from '../shape';
import type { Facts } from './header';

const read = object({
  key: required(digest),
  reason: required(oneOf(['retired', 'lost', 'compromised-since', 'compromised-unknown'])),
  since: optional(integer),
  affirms: otherwise(list(digest), []),
});

/** One key's end, and what becomes of what it signed. */
export type Revocation = Read<typeof read>;

/** Reads and checks the body of a revocation; throws `Refused` (`malformed`). */
export function readRevocation(predicate: JsonObject): Facts & { body: Revocation } {
  const body = read(predicate, '');
  checkDistinct('/affirms', body.affirms);
  if ((body.reason === 'compromised-since') !== (body.since !== undefined)) {
    throw malformed('/since', 'is for the reason compromised-since, which needs it');
  }
  if (body.reason !== 'compromised-unknown' && body.affirms.length > 0) {
    throw malformed('/affirms', 'is for the reason compromised-unknown');
  }
  return {
    body,
    subjects: [{ name: 'key', sha256: body.key }],
    blobs: [],
    references: [],
    scope: undefined,
    checkNew: () => undefined,
  };
}
