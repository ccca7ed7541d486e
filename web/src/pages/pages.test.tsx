/** What all pages share, and the pages that ask nothing of the node. */
import { cleanup, screen, within } from '@testing-library/react';
import { expect, test, vi } from 'vitest';

import { listOf } from '../test/facts';
import { nodeWith } from '../test/node';
import { go, visit } from '../test/visit';

const empty = nodeWith({ nations: [], nation: [], partners: [], models: listOf([]), model: null });

test('the next page of a list begins at its top, with the focus there', async () => {
  await visit('/en/lookup', empty);
  const field = await screen.findByRole('searchbox');
  field.focus();
  await go('/en/lookup?digest=00');
  expect(document.activeElement).toBe(screen.getByRole('main'));
});

test('about tells what is promised, and what is not', async () => {
  await visit('/en/about', empty);
  await screen.findByRole('heading', { level: 1, name: 'About Chancery' });
  const [promised, not] = within(screen.getByRole('main')).getAllByRole('list');
  within(promised!).getByText('A bundle proves a record with no network at all.');
  within(not!).getByText('That what a card says is true.');
  const main = within(screen.getByRole('main'));
  expect(main.getByRole('link', { name: 'How verification works' }).getAttribute('href')).toBe('/en/verification');
});

test('verification is told step by step, and what a page cannot prove', async () => {
  await visit('/en/verification', empty);
  await screen.findByRole('heading', { level: 1, name: 'How verification works' });
  const steps = within(screen.getByRole('main')).getAllByRole('listitem');
  expect(steps.map((step) => within(step).getByRole('heading', { level: 2 }).textContent)).toEqual([
    'You pin a fingerprint', 'The charter names the keys', 'A registrar lets a key speak', 'The publisher signs', 'The log holds it',
    'Other nations have seen the same', 'The weights are those that were signed',
  ]);
  screen.getByText(/^That it is itself genuine/);
});

test.each(['/en/nothing', '/en/model/FR', '/en/nation', '/en/record'])('%s is no address, and says so', async (address) => {
  await visit(address, empty);
  await screen.findByRole('heading', { level: 1, name: 'Nothing has this address' });
  expect(screen.getByRole('link', { name: 'To the first page' }).getAttribute('href')).toBe('/en/');
});

test.each([
  ['/en', 'Models that nations publish'], ['/en/models', 'Models'], ['/en/nations', 'Nations'], ['/en/nation/FR', 'France'],
  ['/en/model/FR/lab/model', 'model'], ['/en/lookup', 'Look up a digest'], ['/en/record/00', 'A record'], ['/en/trust', 'What you trust'],
  ['/en/verification', 'How verification works'], ['/en/about', 'About Chancery'], ['/en/nothing', 'Nothing has this address'],
])('%s has a title of its own and one first heading', async (address, title) => {
  await visit(address, empty);
  await screen.findByRole('heading', { level: 1 });
  await vi.waitFor(() => expect(document.title).toBe(`${title} · Chancery`));
});

test('the room that one is in is marked among all of them', async () => {
  await visit('/en/nations', empty);
  const rooms = within(screen.getByRole('navigation', { name: 'Rooms' })).getAllByRole('link');
  expect(rooms.map((room) => [room.textContent, room.getAttribute('aria-current')])).toEqual([
    ['Models', null], ['Nations', 'page'], ['Look up a digest', null], ['What you trust', null], ['How verification works', null],
  ]);
});

test('another language is the same page at its own address', async () => {
  const assign = vi.spyOn(location, 'assign').mockImplementation(() => {});
  const user = await visit('/en/models?text=law', empty);
  await user.selectOptions(screen.getByRole('combobox', { name: 'Language' }), 'العربية');
  expect(assign).toHaveBeenCalledWith('/ar/models?text=law');
});

test('colours that were chosen are kept', async () => {
  const user = await visit('/en/about', empty);
  await user.selectOptions(screen.getByRole('combobox', { name: 'Colours' }), 'Dark');
  expect(document.documentElement.dataset['theme']).toBe('dark');
  cleanup();
  await visit('/en/about', empty);
  expect(screen.getByRole('combobox', { name: 'Colours' })).toHaveProperty('value', 'dark');
});

test.each([
  ['ar', 'rtl', 'لا شيء في هذا العنوان'], ['zh', 'ltr', '此地址没有内容'], ['fr', 'ltr', 'Rien ne se trouve à cette adresse'],
])('in %s the page runs %s and says so in its words', async (language, direction, words) => {
  await visit(`/${language}/nothing`, empty);
  await screen.findByRole('heading', { level: 1, name: words });
  expect([document.documentElement.lang, document.documentElement.dir]).toEqual([language, direction]);
});
