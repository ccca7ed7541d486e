/** The delegation: a registrar lets a key speak for the nation (schema/README.md, "Kinds"). */

import type { JsonObject } from '../json';
import { ALGORITHMS, checkKey, readKeyRecord, readRole } from '../key';
import { isName } from '../name';
import {
  type Read, below, checkAllKnown, checkDistinct, checkKnown, list, malformed, object, otherwise, required, text, time,
  word,
} from '../shape';
import { line } from '../text';
import { at } from './charter';
import { type Facts, type Header, KINDS, SIGNERS, isKind } from './header';

const read = object({
  holder: required(line),
  role: required(readRole),
  key: required(readKeyRecord),
  kinds: required(list(word)),
  models: otherwise(list(text), []),
  validFrom: required(time),
  validUntil: required(time),
});

/** One key's authority. */
export type Delegation = Read<typeof read>;

/** Whether `scope`, such as `lab:model`, lies within the models of the key. */
export function covers(delegation: Delegation, scope: string): boolean {
  return delegation.models.some((prefix) => prefix === '*' || scope === prefix || scope.startsWith(`${prefix}:`));
}

/** Reads and checks the body of a delegation; throws `Refused` (`malformed`). */
export async function readDelegation(predicate: JsonObject, header: Header): Promise<Facts & { body: Delegation }> {
  const body = read(predicate, '');
  checkRules(body);
  await at('/key', 'the key', checkKey(body.key, header.nation, header.log, body.role));
  return {
    body,
    subjects: [{ name: body.holder, sha256: body.key.keyid }],
    blobs: [],
    references: [],
    scope: undefined,
    checkNew: () => {
      checkAllKnown('/kinds', body.kinds, KINDS);
      checkKnown('/key/alg', body.key.alg, ALGORITHMS);
    },
  };
}

function checkRules({ role, kinds, models, validFrom, validUntil }: Delegation): void {
  checkDistinct('/kinds', kinds);
  if (!['publisher', 'exchange', 'evaluator', 'node'].includes(role)) {
    throw malformed('/role', `a ${role} key is not delegated`);
  }
  if (kinds.some((kind) => isKind(kind) && !SIGNERS[kind].includes(role))) {
    throw malformed('/kinds', `a ${role} key cannot sign one of them`);
  }
  if ((role === 'publisher') === (models.length === 0)) {
    throw malformed('/models', 'a publisher\'s key needs models, such as "*"; another key has none');
  }
  for (const [index, prefix] of models.entries()) {
    const parts = prefix.split(':');
    if (prefix !== '*' && !(parts.length <= 2 && parts.every(isName))) {
      throw malformed(below('/models', index), 'is not *, <org> or <org>:<name>');
    }
  }
  if (validUntil <= validFrom) throw malformed('/validUntil', 'must be later than validFrom');
}
