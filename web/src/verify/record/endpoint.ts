/** The endpoint: where a nation's node can be reached (schema/README.md, "Kinds"). */

import type { JsonObject } from '../json';
import { openKey, readKeyRecord } from '../key';
import { ADDRESSES_MAX } from '../limits';
import { type Read, type Reader, list, malformed, object, optional, required } from '../shape';
import { line } from '../text';
import { at } from './charter';
import type { Facts, Header } from './header';

const address: Reader<string> = (value, pointer) => {
  const read = line(value, pointer);
  if (!read.startsWith('/')) throw malformed(pointer, 'is not a multiaddress, such as /dns4/node.example.org/tcp/4001');
  return read;
};

const url: Reader<string> = (value, pointer) => {
  const read = line(value, pointer);
  if (!/^https?:\/\//.test(read)) throw malformed(pointer, 'is not an http or https address');
  return read;
};

const read = object({
  key: required(readKeyRecord),
  addresses: required(list(address, ADDRESSES_MAX)),
  url: optional(url),
});

/** One node. */
export type Endpoint = Read<typeof read>;

/** Reads and checks the body of an endpoint; throws `Refused` (`malformed`). */
export async function readEndpoint(predicate: JsonObject, header: Header): Promise<Facts & { body: Endpoint }> {
  const body = read(predicate, '');
  await at('/key', 'the key', openKey(body.key, header.nation, header.log, 'transport'));
  return {
    body,
    subjects: [{ name: header.log, sha256: body.key.keyid }],
    blobs: [],
    references: [],
    scope: undefined,
    checkNew: () => {},
  };
}
