/**
 * A node for tests. What it knows is typed from the SDL, whole objects of it, and what a page asks is executed against
 * the SDL: a wrong or missing field of a mock does not compile, and a query that the SDL does not know fails.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { buildSchema, graphql, type GraphQLFieldResolver } from 'graphql';

import type { Scalars } from '../graphql';
import type { introspection } from '../graphql-env';
import type { Bytes } from '../verify/bytes';

type Types = introspection['types'];
type Scalar = Scalars & { Boolean: boolean; Int: number; String: string };

/** An object of the SDL. A field may be computed from its arguments, late or never. */
export type Sdl<Name extends keyof Types> = Types[Name] extends { fields: infer Fields }
  ? { readonly [Field in keyof Fields]: Fields[Field] extends { type: infer Type } ? Answer<Value<Type>> : never }
  : never;

type Answer<T> = T | ((args: Readonly<Record<string, unknown>>) => T | Promise<T>);

type Value<Type> = Type extends { kind: 'NON_NULL'; ofType: infer Inner }
  ? NonNullable<Value<Inner>>
  : Type extends { kind: 'LIST'; ofType: infer Item }
    ? readonly Value<Item>[] | null
    : Type extends { name: infer Name extends keyof Types }
      ? Named<Name> | null
      : never;

type Named<Name extends keyof Types> = Name extends keyof Scalar
  ? Scalar[Name]
  : Types[Name] extends { enumValues: infer Word }
    ? Word
    : Sdl<Name>;

/** What a node answers to the questions that a page asks. */
export type Answers = Partial<Sdl<'Query'>>;

export const schema = buildSchema(readFileSync(join(import.meta.dirname, '../../../schema/graphql/chancery.graphql'), 'utf8'));

/** What a test leaves out is a mistake of the test: it does not become null by itself. */
const resolve: GraphQLFieldResolver<Readonly<Record<string, unknown>>, unknown> = (source, args, _, { parentType, fieldName }) => {
  if (!Object.hasOwn(source, fieldName)) throw new Error(`the test does not say what ${parentType}.${fieldName} is`);
  const said = source[fieldName];
  return typeof said === 'function' ? said(args) : said;
};

/** What `fetch` finds at a node with these answers, and bundles by the digest of their record. */
export function nodeWith(answers: Answers, bundles: Readonly<Record<string, Bytes>> = {}): typeof fetch {
  return async (address, request) => {
    const [, room, digest = ''] = String(address).split('/');
    if (room === 'bundle') {
      const bundle = bundles[digest];
      return bundle === undefined ? new Response(null, { status: 404 }) : new Response(bundle);
    }
    const { query, variables, operationName } = JSON.parse(String(request?.body));
    const result = await graphql({
      schema, source: query, variableValues: variables, operationName, rootValue: answers, fieldResolver: resolve,
    });
    return new Response(JSON.stringify(result), { headers: { 'content-type': 'application/graphql-response+json' } });
  };
}

/** What `fetch` finds where there is no network. */
export const noNode: typeof fetch = () => Promise.reject(new TypeError('Failed to fetch'));

/** An answer that is still on its way. */
export const never = (): Promise<never> => new Promise(() => {});
