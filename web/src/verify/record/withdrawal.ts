/** The withdrawal: a nation no longer stands by a record (schema/README.md, "Kinds"). */

import type { JsonObject } from '../json';
import { type Read, checkKnown, digest, object, oneOf, optional, required, text, word } from '../shape';
import { lines } from '../text';
import { checkEnding } from './ending';
import { type Facts, KINDS } from './header';

const REASONS = ['retired', 'replaced', 'error', 'safety', 'rights', 'law', 'other'];

const read = object({
  kind: required(oneOf(KINDS)),
  withdraws: required(digest),
  scope: required(text),
  reason: required(word),
  statement: optional(lines),
});

/** One record's end. It stays readable. */
export type Withdrawal = Read<typeof read>;

/** Reads and checks the body of a withdrawal; throws `Refused` (`malformed`). */
export function readWithdrawal(predicate: JsonObject): Facts & { body: Withdrawal } {
  const body = read(predicate, '');
  checkEnding(body);
  return {
    body,
    subjects: [{ name: body.scope, sha256: body.withdraws }],
    blobs: [],
    references: [[body.kind, body.withdraws]],
    scope: body.scope,
    checkNew: () => checkKnown('/reason', body.reason, REASONS),
  };
}
