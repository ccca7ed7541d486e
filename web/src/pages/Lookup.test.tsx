import { screen, within } from '@testing-library/react';
import { expect, test, vi } from 'vitest';

import { digestOf, record, verdict } from '../test/facts';
import { never, nodeWith, type Sdl } from '../test/node';
import { go, visit } from '../test/visit';

const [ONE, TWO] = [digestOf('1'), digestOf('2')];

function found(said: Partial<Sdl<'Found'>> = {}): Sdl<'Found'> {
  return { what: 'FILE', name: 'one.bin', record: record(), ...said };
}

test('what has a digest is named, with where it stands and how it is judged', async () => {
  const judged = record({ index: 1234, verdict: verdict('SUPERSEDED') });
  await visit(`/en/lookup?digest=${ONE}`, nodeWith({ lookup: [found({ record: judged })] }));
  await screen.findByRole('heading', { level: 2, name: 'A file of weights' });
  screen.getByText('one.bin');
  screen.getByText('Entry 1,234 of France; replaced by a later record, says this node');
  expect(screen.getByRole('link', { name: 'Open the record' }).getAttribute('href')).toBe(`/en/record/${digestOf('c')}`);
});

test('a record whose body is not held has no page to open', async () => {
  await visit(`/en/lookup?digest=${ONE}`, nodeWith({ lookup: [found({ what: 'KEY', record: record({ digest: null }) })] }));
  await screen.findByRole('heading', { level: 2, name: 'A key' });
  expect(screen.queryByRole('link', { name: 'Open the record' })).toBeNull();
});

test('what was found for one digest is not shown for the next, and the field follows the address', async () => {
  const lookup = ({ digest }: { digest?: unknown }) => (digest === ONE ? [found()] : never());
  await visit(`/en/lookup?digest=${ONE}`, nodeWith({ lookup }));
  await screen.findByText('one.bin');
  await go(`/en/lookup?digest=${TWO}`);
  expect(screen.queryByText('one.bin')).toBeNull();
  expect(screen.getByRole('searchbox')).toHaveProperty('value', TWO);
  await go(`/en/lookup?digest=${ONE}`);
  expect(screen.getByRole('searchbox')).toHaveProperty('value', ONE);
});

test('a digest is looked up as it was typed, but for spaces and capitals', async () => {
  const lookup = vi.fn(never);
  const user = await visit('/en/lookup', nodeWith({ lookup }));
  const digest = 'AB'.repeat(32);
  await user.click(await screen.findByRole('searchbox', { name: 'Digest' }));
  await user.paste(` ${digest.slice(0, 32)} ${digest.slice(32)}`);
  await user.click(screen.getByRole('button', { name: 'Look up' }));
  await vi.waitFor(() => expect(lookup.mock.calls).toEqual([[{ digest: digest.toLowerCase() }]]));
  expect(location.search).toBe(`?digest=${digest.toLowerCase()}`);
});

test('nobody is asked for what is no digest', async () => {
  const lookup = vi.fn(never);
  await visit('/en/lookup?digest=00', nodeWith({ lookup }));
  await screen.findByText('A digest is 64 hexadecimal digits.');
  expect(lookup).not.toHaveBeenCalled();
});

test('that this node knows nothing of a digest is not said to prove anything', async () => {
  await visit(`/en/lookup?digest=${ONE}`, nodeWith({ lookup: [] }));
  await screen.findByText('This node knows nothing of it. That proves nothing: another node may.');
});

test('until the node answers the page says that it asks', async () => {
  await visit(`/en/lookup?digest=${ONE}`, nodeWith({ lookup: never }));
  expect((await screen.findByRole('status')).textContent).toBe('Asking the node …');
});

test('a node that refuses says why, and the digest can still be changed', async () => {
  const lookup = (): never => {
    throw new Error('too many others are served');
  };
  await visit(`/en/lookup?digest=${ONE}`, nodeWith({ lookup }));
  within(await screen.findByRole('alert')).getByText('too many others are served');
  expect(screen.getByRole('searchbox')).toHaveProperty('value', ONE);
});

test('in Arabic a digest is typed and shown from left to right', async () => {
  await visit(`/ar/lookup?digest=${ONE}`, nodeWith({ lookup: [found()] }));
  const short = await screen.findByTitle(digestOf('c'));
  expect([document.documentElement.dir, short.dir, screen.getByRole<HTMLInputElement>('searchbox').dir]).toEqual(['rtl', 'ltr', 'ltr']);
});
