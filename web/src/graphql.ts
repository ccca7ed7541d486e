/** The one way to ask the node: typed by the SDL in `schema/graphql`, which a test keeps as served. */
import { cacheExchange, Client, fetchExchange } from '@urql/core';
import { initGraphQLTada } from 'gql.tada';
import type { introspection } from './graphql-env';

/** What the scalars of the SDL are in JSON. */
export type Scalars = { Base64: string; Count: number; DateTime: string; Digest: string; ID: string };

export const graphql = initGraphQLTada<{
  introspection: introspection;
  disableMasking: true;
  scalars: Scalars;
}>();

export type { ResultOf } from 'gql.tada';

/** A client of the node that the page came from. */
export function makeClient(): Client {
  return new Client({
    url: '/graphql',
    exchanges: [cacheExchange, fetchExchange],
    preferGetMethod: false,
    fetchOptions: { credentials: 'omit', headers: { accept: 'application/graphql-response+json' } },
  });
}
