/**
 * The redaction: the body of a record is erased wherever it lies, and its entry stays in the log (schema/README.md,
 * "Kinds"). It says of the record what others rest on, for those who never see it.
 */

import type { JsonObject } from '../json';
import { SIGNATURES_MAX } from '../limits';
import {
  type Read, checkDistinct, checkKnown, digest, integer, list, malformed, name, object, oneOf, optional, required,
  text, word,
} from '../shape';
import { checkVersion, lines } from '../text';
import { checkEnding } from './ending';
import { type Facts, KINDS } from './header';

const REASONS = ['personal-data', 'secret', 'safety', 'rights', 'law', 'other'];

const read = object({
  kind: required(oneOf(KINDS)),
  redacts: required(digest),
  scope: required(text),
  index: required(integer),
  version: optional(name),
  signers: required(list(digest)),
  reason: required(word),
  statement: optional(lines),
});

/** One record's erasure. */
export type Redaction = Read<typeof read>;

/** Reads and checks the body of a redaction; throws `Refused` (`malformed`). */
export function readRedaction(predicate: JsonObject): Facts & { body: Redaction } {
  const body = read(predicate, '');
  const { kind, version, signers } = body;
  checkEnding(body);
  if ((kind === 'model-card') !== (version !== undefined)) {
    throw malformed('/version', 'is for a model card, which needs it');
  }
  if (version !== undefined) checkVersion('/version', version);
  checkDistinct('/signers', signers);
  const ascending = signers.every((keyid, at) => at === 0 || keyid > (signers[at - 1] ?? ''));
  if (signers.length === 0 || signers.length > SIGNATURES_MAX || !ascending) {
    throw malformed('/signers', `are 1 to ${SIGNATURES_MAX} ids of keys, in ascending order`);
  }
  return {
    body,
    subjects: [{ name: body.scope, sha256: body.redacts }],
    blobs: [],
    references: [[kind, body.redacts]],
    scope: body.scope,
    checkNew: () => checkKnown('/reason', body.reason, REASONS),
  };
}
