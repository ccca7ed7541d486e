// @vitest-environment node

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { fromBase64, fromUtf8, toUtf8 } from './bytes';
import { isObject, member, parse } from './json';
import { Refused, attempt } from './refused';

test('what is taken is read as the built-in parser reads it', () => {
  const file = join(import.meta.dirname, '../../../schema/vectors/json.json');
  const taken = JSON.parse(readFileSync(file, 'utf8')).vectors.filter((it: any) => it.accept);
  expect(taken.length).toBeGreaterThan(20);
  for (const { bytes } of taken) expect(parse(fromBase64(bytes))).toEqual(JSON.parse(fromUtf8(fromBase64(bytes))));
});

test('no member has a meaning of its own in JavaScript', () => {
  const read = parse(toUtf8('{"__proto__":{"polluted":true},"constructor":1,"2":2,"1":1}'));
  expect(isObject(read) && Object.keys(read).sort()).toEqual(['1', '2', '__proto__', 'constructor']);
  expect(member(read, 'polluted')).toBeUndefined();
  expect(member(read, 'toString')).toBeUndefined();
  expect(member(read, '__proto__')).toEqual({ polluted: true });
  expect(attempt(() => parse(toUtf8('{"__proto__":1,"__proto__":2}')))).toBeInstanceOf(Refused);
});
