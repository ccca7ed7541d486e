/** Real records and bundles, for tests of pages: the golden vectors of `schema/vectors`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { type Bytes, concat, fromBase64, toUtf8 } from '../verify/bytes';
import { type RecordRead, readRecord } from '../verify/record';
import { parseStatement } from '../verify/statement';

/** A case of a vector file; what its members mean, the file's `about` says. */
export interface Case extends Readonly<Record<string, any>> {
  readonly name: string;
  readonly expect?: unknown;
  readonly refused?: string;
}

export const folder = join(import.meta.dirname, '../../../schema/vectors');

/** The cases of a vector file. */
export function casesOf(file: string): readonly Case[] {
  return JSON.parse(readFileSync(join(folder, `${file}.json`), 'utf8')).cases;
}

/** The bundle of a case: whole, or that of another case with bytes replaced. */
export function bundleOf(it: Case, cases: readonly Case[]): Bytes {
  if (it['bundle'] !== undefined) return fromBase64(it['bundle']);
  const whole = fromBase64(cases.find((other) => other.name === it['of'])!['bundle']);
  if (it['at'] === undefined) return whole;
  return concat(whole.slice(0, it['at']), fromBase64(it['insert']), whole.slice(it['at'] + it['remove']));
}

/** A case of bundle-verdict.json, with its bundle. */
export function bundleCase(name: string): Case & { readonly expect?: any; readonly bytes: Bytes } {
  const cases = casesOf('bundle-verdict');
  const it = cases.find((other) => other.name === name)!;
  return { ...it, bytes: bundleOf(it, cases) };
}

/** The good record of a kind in record.json. */
export async function recordOf<Kind extends RecordRead['kind']>(kind: Kind): Promise<Extract<RecordRead, { kind: Kind }>> {
  const { statement } = casesOf('record').find((it) => it['statement']?.predicateType === `urn:chancery:predicate:${kind}:v1`)!;
  return (await readRecord(parseStatement(toUtf8(JSON.stringify(statement))))) as Extract<RecordRead, { kind: Kind }>;
}
