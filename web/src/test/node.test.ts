// @vitest-environment node

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { introspectionFromSchema } from 'graphql';
import { minifyIntrospection, outputIntrospectionFile } from 'gql.tada/internal';
import { expect, test } from 'vitest';

import { listOf, model, nation } from './facts';
import { type Answers, nodeWith, schema, type Sdl } from './node';

async function ask(answers: Answers, query: string): Promise<{ data?: unknown; errors?: { message: string }[] }> {
  return (await nodeWith(answers)('/graphql', { body: JSON.stringify({ query }) })).json();
}

/** Never run: `tsc` reads it, and complains of every line of these that compiles. */
export function wrongMocks(): unknown[] {
  return [
    // @ts-expect-error A size is a number.
    nation({ size: '7' }),
    // @ts-expect-error A nation has no such field.
    nation({ capital: 'Paris' }),
    // @ts-expect-error An origin is not null, however deep it stands.
    model({ nation: { ...nation(), origin: null } }),
    // @ts-expect-error There is no such state.
    model({ card: { ...model().card, verdict: { state: 'FINE', code: null, reason: null, supersededBy: null } } }),
    // @ts-expect-error A name has a text too.
    { language: 'fr' } satisfies Sdl<'LocalText'>,
    // @ts-expect-error Nothing of this name can be asked.
    { nationz: [] } satisfies Answers,
    // @ts-expect-error What is computed has the same type.
    { nations: () => [{ code: 'FR' }] } satisfies Answers,
  ];
}

test('queries and mocks have the types of the SDL as it is now; where not, `npx gql.tada generate-output` writes them', () => {
  const types = outputIntrospectionFile(minifyIntrospection(introspectionFromSchema(schema)), { fileType: '.d.ts', shouldPreprocess: true });
  expect(readFileSync(join(import.meta.dirname, '../graphql-env.d.ts'), 'utf8')).toBe(types);
});

test('what the SDL describes is answered', async () => {
  const answers = { nations: [nation()], models: ({ first }: object & { first?: unknown }) => listOf([], { totalCount: Number(first) }) };
  expect(await ask(answers, '{ nations { code } models(first: 3) { totalCount } }')).toEqual({
    data: { nations: [{ code: 'FR' }], models: { totalCount: 3 } },
  });
});

test('what the SDL does not know cannot be asked', async () => {
  const asked = async (query: string) => (await ask({ nations: [nation()] }, query)).errors?.[0]?.message;
  expect(await asked('{ nations { capital } }')).toMatch('Cannot query field "capital"');
  expect(await asked('query ($code: Int) { nation(code: $code) { code } }')).toMatch('expecting type "String!"');
});

test('what a test leaves out is an error and no null', async () => {
  const { nation: _, ...nobodys } = model();
  const asked = async (answers: object, query: string) => (await ask(answers, query)).errors?.[0]?.message;
  expect(await asked({}, '{ model(urn: "") { id } }')).toBe('the test does not say what Query.model is');
  expect(await asked({ model: nobodys }, '{ model(urn: "") { nation { code } } }')).toBe('the test does not say what Model.nation is');
  expect(await asked({ nations: [{ code: null }] }, '{ nations { code } }')).toMatch('Cannot return null');
});
