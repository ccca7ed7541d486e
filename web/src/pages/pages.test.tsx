import { act, cleanup, fireEvent, render } from '@testing-library/react';
import type { ReactNode } from 'react';
import { Provider as GraphqlProvider } from 'urql';
import { afterEach, expect, test, vi } from 'vitest';
import { Router } from 'wouter';
import { memoryLocation } from 'wouter/memory-location';

import { Pages } from '../app/Pages';
import { makeClient } from '../graphql';
import { en } from '../i18n/messages/en';
import { TextProvider } from '../i18n/text';
import { PinsProvider } from '../trust/pins';

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  localStorage.clear();
});

const ONE = '1'.repeat(64);
const TWO = '2'.repeat(64);

/** The portal at an address, before a node that answers as told. */
function visit(path: string, answer: (query: { variables: Record<string, unknown> }) => Promise<object>) {
  vi.stubGlobal('fetch', async (_: string, { body }: { body: string }) => {
    const data = await answer(JSON.parse(body));
    return new Response(JSON.stringify({ data }), { headers: { 'content-type': 'application/json' } });
  });
  const { hook, searchHook, navigate } = memoryLocation({ path });
  const client = makeClient();
  const providers = ({ children }: { children: ReactNode }) => (
    <GraphqlProvider value={client}>
      <TextProvider language="en" messages={en}>
        <PinsProvider>
          <Router hook={hook} searchHook={searchHook}>
            <main id="main" tabIndex={-1}>
              {children}
            </main>
          </Router>
        </PinsProvider>
      </TextProvider>
    </GraphqlProvider>
  );
  const page = render(<Pages />, { wrapper: providers });
  return { page, go: async (to: string) => act(async () => navigate(to)) };
}

const never = () => new Promise<object>(() => {});

function found(name: string): object {
  const record = { __typename: 'Record', id: name, digest: ONE, index: 1, nation: { code: 'FR' }, verdict: { state: 'VALID' } };
  return { lookup: [{ __typename: 'Found', what: 'FILE', name, record }] };
}

test('what was found for one digest is not shown for the next, and the field follows the address', async () => {
  const { page, go } = visit(`/lookup?digest=${ONE}`, ({ variables }) =>
    variables['digest'] === ONE ? Promise.resolve(found('one.bin')) : never(),
  );
  await page.findByText('one.bin');
  await go(`/lookup?digest=${TWO}`);
  expect(page.queryByText('one.bin')).toBeNull();
  expect(page.getByRole('searchbox')).toHaveProperty('value', TWO);
  await go(`/lookup?digest=${ONE}`);
  expect(page.getByRole('searchbox')).toHaveProperty('value', ONE);
});

test('a digest is looked up as it was typed, but for spaces and capitals', async () => {
  const asked: unknown[] = [];
  const { page } = visit('/lookup', ({ variables }) => {
    asked.push(variables['digest']);
    return never();
  });
  const field = await page.findByRole('searchbox');
  const digest = 'AB'.repeat(32);
  fireEvent.change(field, { target: { value: ` ${digest.slice(0, 32)} ${digest.slice(32)}` } });
  await act(async () => void fireEvent.submit(field.closest('form')!));
  expect(asked).toEqual([digest.toLowerCase()]);
});

test('the next page of a list begins at its top, with the focus there', async () => {
  const { page, go } = visit('/lookup', never);
  const field = await page.findByRole('searchbox');
  field.focus();
  await go('/lookup?digest=00');
  expect(document.activeElement?.id).toBe('main');
});

test('only the policy that was adopted is said to be in force', async () => {
  const { page } = visit('/trust', never);
  const field = await page.findByRole('textbox', { name: 'A policy file' });
  const type = (value: string) => fireEvent.change(field, { target: { value } });
  type('quorum none');
  fireEvent.click(page.getByRole('button', { name: 'Adopt it' }));
  await page.findByText(en['trust.adopted']);
  type('quorum none\n# and more');
  expect(page.queryByText(en['trust.adopted'])).toBeNull();
  type('quorum none');
  await page.findByText(en['trust.adopted']);
});

test('a policy that the browser does not keep is in force, and is said to last only while the page is open', async () => {
  vi.stubGlobal('localStorage', undefined);
  const { page } = visit('/trust', never);
  fireEvent.change(await page.findByRole('textbox', { name: 'A policy file' }), { target: { value: 'quorum none' } });
  fireEvent.click(page.getByRole('button', { name: 'Adopt it' }));
  expect(page.getByRole('alert').textContent).toBe(en['pin.unkept']);
  expect(page.queryByText(en['trust.adopted'])).toBeNull();
  page.getByRole('button', { name: 'Drop it' });
});

test('models are asked for in the order of the address, page links keep it, and another one begins at the first page', async () => {
  const asked: unknown[] = [];
  const { page } = visit('/models?text=umoja&order=name&after=one', ({ variables }) => {
    const { filter, order, after } = variables;
    asked.push({ filter, order, after });
    const models = { totalCount: 60, pageInfo: { hasNextPage: true, endCursor: 'two' }, edges: [] };
    return Promise.resolve({ nations: [], models });
  });
  const next = await page.findByRole('link', { name: 'Next page' });
  expect(next.getAttribute('href')).toBe('/models?text=umoja&order=name&after=two');
  expect(page.getByRole('link', { name: 'First page' }).getAttribute('href')).toBe('/models?text=umoja&order=name');
  const order = page.getByRole('combobox', { name: 'Order' });
  expect(order).toHaveProperty('value', 'name');
  fireEvent.change(order, { target: { value: '' } });
  await act(async () => void fireEvent.submit(order.closest('form')!));
  expect(asked).toEqual([
    { filter: { text: 'umoja' }, order: 'NAME', after: 'one' },
    { filter: { text: 'umoja' }, order: 'NEWEST', after: null },
  ]);
  expect(page.queryByRole('link', { name: 'First page' })).toBeNull();
});
