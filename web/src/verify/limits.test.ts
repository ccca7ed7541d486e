// @vitest-environment node

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import * as limits from './limits';
import { ITEMS_MAX, POLICY_BYTES_MAX } from './policy';
import { EXTRA_BYTES_MAX } from './proof';
import { SIZE_MAX } from './tree';

/** The constants of a Rust file: `pub const NAME: type = N`, `N << M` or `(N << M) - K`. */
function constantsOf(file: string): Record<string, bigint> {
  const source = readFileSync(join(import.meta.dirname, '../../../schema/src', file), 'utf8');
  const found = source.matchAll(/^pub const ([A-Z_]+): (?:u|i)[a-z0-9]+ = (.+);$/gm);
  return Object.fromEntries([...found].map(([, name, value]) => [name, evaluate(value!)]));
}

function evaluate(expression: string): bigint {
  const parts = /^\(?([0-9_]+)(?: << ([0-9]+))?\)?(?: - ([0-9]+))?$/.exec(expression);
  if (parts === null) throw new Error(`a constant is written in a way that this test does not read: ${expression}`);
  const [, base, shift = '0', less = '0'] = parts;
  return (BigInt(base!.replaceAll('_', '')) << BigInt(shift)) - BigInt(less);
}

test('every bound is that of schema/src/limits.rs, and none is missing', () => {
  const here = Object.fromEntries(Object.entries(limits).map(([name, value]) => [name, BigInt(value)]));
  const there = constantsOf('limits.rs');
  expect(Object.keys(there).length).toBeGreaterThan(25);
  expect(here).toEqual(there);
});

test('the bounds beside their use are those of Rust', () => {
  expect(constantsOf('log/policy.rs')).toMatchObject({
    ITEMS_MAX: BigInt(ITEMS_MAX),
    POLICY_BYTES_MAX: BigInt(POLICY_BYTES_MAX),
  });
  expect(constantsOf('log/proof.rs')).toMatchObject({ EXTRA_BYTES_MAX: BigInt(EXTRA_BYTES_MAX) });
  expect(constantsOf('log/tree.rs')).toMatchObject({ SIZE_MAX });
});
