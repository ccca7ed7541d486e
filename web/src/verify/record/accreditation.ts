/** The accreditation: a nation recognises another by its fingerprint (schema/README.md, "Kinds"). */

import type { JsonObject } from '../json';
import {
  type Read, checkAllKnown, checkDistinct, digest, integer, list, malformed, nation, object, optional, origin, required,
  time, word,
} from '../shape';
import { checkInUse } from '../text';
import type { Facts, Header } from './header';

const SCOPES = ['mirror', 'cosign', 'exchange'];

const read = object({
  partner: required(nation),
  fingerprint: required(digest),
  partnerLog: required(origin),
  scopes: required(list(word)),
  quota: optional(object({ entriesPerDay: required(integer), bytesPerDay: required(integer) })),
  validUntil: optional(time),
});

/** Whom a nation recognises, for what. */
export type Accreditation = Read<typeof read>;

/** Reads and checks the body of an accreditation; throws `Refused` (`malformed`). */
export function readAccreditation(predicate: JsonObject, header: Header): Facts & { body: Accreditation } {
  const body = read(predicate, '');
  checkDistinct('/scopes', body.scopes);
  if (body.partnerLog === header.log) throw malformed('/partnerLog', "is the nation's own log");
  if (body.partner === header.nation) throw malformed('/partner', "is the nation's own code");
  if (body.validUntil !== undefined && body.validUntil <= header.issuedAt) {
    throw malformed('/validUntil', 'must be later than issuedAt');
  }
  return {
    body,
    subjects: [{ name: body.partnerLog, sha256: body.fingerprint }],
    blobs: [],
    references: [],
    scope: undefined,
    checkNew: () => {
      checkAllKnown('/scopes', body.scopes, SCOPES);
      checkInUse('/partner', [body.partner]);
    },
  };
}
