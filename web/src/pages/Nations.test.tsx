import { screen, within } from '@testing-library/react';
import { expect, test } from 'vitest';

import { digestOf, nation } from '../test/facts';
import { never, noNode, nodeWith } from '../test/node';
import { visit } from '../test/visit';

const kenya = nation({ id: 'KE', code: 'KE', own: true, size: 1234, fingerprint: digestOf('a'), displayName: 'Kenya' });
const brazil = nation({ id: 'BR', code: 'BR', accredited: false, fingerprint: digestOf('b'), displayName: 'Brasil' });

function rows(): string[][] {
  const [, ...rest] = screen.getAllByRole('row');
  return rest.map((row) => [...row.children].map((cell) => cell.textContent));
}

test('every nation stands in the table, with what is held and who recognises it', async () => {
  await visit('/en/nations', nodeWith({ nations: [brazil, kenya, nation()] }));
  await screen.findByRole('table', { name: 'Nations' });
  expect(rows()).toEqual([
    ['Brasil BR', '7', 'No', 'No'],
    ['Kenya KE', '1,234', 'its own', 'No'],
    ['France FR', '7', 'Yes', 'No'],
  ]);
  expect(screen.getByRole('link', { name: 'Kenya KE' }).getAttribute('href')).toBe('/en/nation/KE');
});

test('only the fingerprint that was pinned makes a nation pinned, not its code', async () => {
  localStorage.setItem('chancery.pins', JSON.stringify({ fingerprints: { FR: digestOf('f') }, policy: null }));
  await visit('/en/nations', nodeWith({ nations: [nation(), nation({ id: 'other', fingerprint: digestOf('9') })] }));
  await screen.findByRole('table');
  expect(rows().map((cells) => cells.at(-1))).toEqual(['Yes', 'No']);
});

test('a name stands in its own direction beside the code, which stays left to right', async () => {
  const egypt = nation({ id: 'EG', code: 'EG', displayName: 'مصر', displayNames: [{ language: 'ar', text: 'مصر' }] });
  await visit('/fr/nations', nodeWith({ nations: [egypt] }));
  const row = (await screen.findByText('مصر')).closest('tr')!;
  expect([screen.getByText('مصر').lang, screen.getByText('مصر').dir]).toEqual(['ar', 'rtl']);
  expect(within(row).getByText('EG').dir).toBe('ltr');
});

test('until the node answers the page says that it asks', async () => {
  await visit('/en/nations', nodeWith({ nations: never }));
  expect((await screen.findByRole('status')).textContent).toBe('Asking the node …');
});

test('a node that cannot be reached is no table without nations', async () => {
  await visit('/en/nations', noNode);
  within(await screen.findByRole('alert')).getByRole('heading', { name: 'The node cannot be reached' });
  expect(screen.queryByRole('table')).toBeNull();
});
