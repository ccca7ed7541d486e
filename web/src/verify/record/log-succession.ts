/** The log succession: a log takes the place of an earlier one of its nation (schema/README.md, "Kinds"). */

import { toUtf8 } from '../bytes';
import { openCheckpoint } from '../checkpoint';
import { digestOf } from '../digest';
import type { JsonObject } from '../json';
import { VerifierKey, parseNote } from '../note';
import { type Read, checkKnown, digest, malformed, object, optional, required, text, word } from '../shape';
import { lines } from '../text';
import { at } from './charter';
import type { Facts, Header } from './header';

const REASONS = ['planned', 'key-lost', 'key-compromised', 'two-histories'];

const read = object({
  predecessor: required(text),
  fingerprint: required(digest),
  charter: required(digest),
  base: required(text),
  successor: required(digest),
  reason: required(word),
  statement: optional(lines),
});

/** What the log takes the place of. */
export type LogSuccession = Read<typeof read>;

/** Reads and checks the body of a log succession; throws `Refused` (`malformed`). */
export async function readLogSuccession(
  predicate: JsonObject, header: Header,
): Promise<Facts & { body: LogSuccession }> {
  const body = read(predicate, '');
  const key = await at('/predecessor', 'is no verifier key', (async () => VerifierKey.parse(body.predecessor))());
  const open = async (): Promise<bigint> =>
    (await openCheckpoint(parseNote(toUtf8(body.base)), key)).checkpoint.size;
  const size = await at('/base', 'is no checkpoint of the earlier log', open());
  if (key.name === header.log) throw malformed('/predecessor', 'has the name of the new log; choose another origin');
  if (size === 0n) throw malformed('/base', 'has no entries, so there is nothing to succeed');
  return {
    body,
    subjects: [
      { name: 'predecessor', sha256: body.fingerprint },
      { name: 'base', sha256: digestOf(toUtf8(body.base)) },
    ],
    blobs: [],
    references: [],
    scope: undefined,
    checkNew: () => checkKnown('/reason', body.reason, REASONS),
  };
}
