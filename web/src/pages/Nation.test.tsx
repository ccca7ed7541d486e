import { screen, within } from '@testing-library/react';
import { expect, test, vi } from 'vitest';

import { cosignature, digestOf, listOf, log, model, nation, partner, record, standing, succession, sync } from '../test/facts';
import { never, noNode, nodeWith, type Sdl } from '../test/node';
import { said, visit } from '../test/visit';

const COMPARED = 'I have compared it: pin it';

function withNations(...all: Sdl<'Nation'>[]): typeof fetch {
  return nodeWith({ nation: all, partners: [] });
}

function withSync(state: Sdl<'SyncState'>): typeof fetch {
  return nodeWith({ nation: [nation()], partners: [partner({ origin: 'ke.example.org' }), partner({ sync: state })] });
}

test('a nation is shown by its names, its log and its keys', async () => {
  const displayNames = [{ language: 'fr', text: 'République française' }, { language: 'ar', text: 'فرنسا' }];
  await visit('/en/nation/FR', withNations(nation({ displayName: 'République française', displayNames, size: 1234 })));
  await screen.findByRole('heading', { level: 1, name: 'République française FR' });
  expect(said('Calls itself')).toBe('République françaiseفرنسا');
  expect(screen.getByText('فرنسا').dir).toBe('rtl');
  expect(said('Log')).toBe('fr.example.org/chancery');
  expect(said('Entries held here')).toBe('1,234');
  expect(said('Key of its log')).toMatch('fr.example.org/chancery+f1cca830+AR');
  expect(said('Key of its witness')).toMatch('fr.example.org/chancery/witness+a061a63c+BC');
});

test('a charter that is held can be read, and one that is not is said not to be', async () => {
  await visit('/en/nation/FR', withNations(nation({ charterVersion: 3, charter: record({ digest: digestOf('a') }) }), nation({ id: 'other' })));
  const links = await screen.findAllByRole('link', { name: 'Read its charter, version 3' });
  expect(links.map((link) => link.getAttribute('href'))).toEqual([`/en/record/${digestOf('a')}`]);
  screen.getByText('not held here');
});

test('two nations that claim one code are both shown, and nothing is settled', async () => {
  const rival = nation({ id: 'other', origin: 'other.example.org', fingerprint: digestOf('9'), displayName: 'Other France' });
  await visit('/en/nation/FR', withNations(nation(), rival));
  const alert = await screen.findByRole('alert');
  within(alert).getByRole('heading', { name: 'This code is disputed' });
  expect(alert.textContent).toMatch('2 nations claim the code FR.');
  const claimants = screen.getAllByRole('article');
  expect(claimants.map((it) => within(it).getByRole('heading', { level: 1 }).textContent)).toEqual(['France FR', 'Other France FR']);
  expect(claimants.map((it) => it.textContent?.includes('9999 9999'))).toEqual([false, true]);
});

test('to pin one of two nations with one code is to be warned of the other', async () => {
  const rival = nation({ id: 'other', fingerprint: digestOf('9'), displayName: 'Other France' });
  const user = await visit('/en/nation/FR', withNations(nation(), rival));
  const [pinFirst] = await screen.findAllByRole('button', { name: COMPARED });
  await user.click(pinFirst!);
  const [first, second] = screen.getAllByRole('article');
  within(first!).getByText('You have pinned this fingerprint in this browser.');
  within(within(second!).getByRole('alert')).getByText(/^This is not the fingerprint that you have pinned/);
});

test('a nation that nobody disputes is shown without a warning', async () => {
  await visit('/en/nation/FR', withNations(nation()));
  await screen.findByRole('heading', { level: 1 });
  expect(screen.queryByRole('alert')).toBeNull();
});

test('a log with two histories is said to have them, before all else', async () => {
  const evidence = { earlier: '', later: '', proof: null, foundAt: '2026-11-25T08:00:00Z' };
  await visit('/en/nation/FR', withNations(nation({ evidence })));
  const alert = await screen.findByRole('alert');
  within(alert).getByRole('heading', { name: 'This log has two histories' });
  expect(alert.textContent).toMatch(/fr\.example\.org\/chancery has signed two histories.*since November 25, 2026/);
});

test('a log whose place another took is said to end, is no rival of that, and comes after it', async () => {
  const old = nation({ id: 'old', successor: succession() });
  const next = nation({
    id: 'new', origin: 'fr.example.org/chancery-2', fingerprint: digestOf('a'), predecessor: succession(),
  });
  await visit('/en/nation/FR', withNations(old, next));
  const alert = await screen.findByRole('alert');
  within(alert).getByRole('heading', { name: 'A new log has taken the place of this one' });
  expect(alert.textContent).toContain('fr.example.org/chancery-2 goes on from entry 7.');
  expect(alert.textContent).toContain('nobody has the log’s key any more');
  expect(alert.textContent).not.toContain('two histories');
  const [first, second] = screen.getAllByRole('article').filter((it) => it.querySelector('h1') !== null);
  within(first!).getByRole('heading', { name: 'This log follows an earlier one' });
  expect(second!.contains(alert)).toBe(true);
});

test('a log with two histories is said to be healed by a new log', async () => {
  const evidence = { earlier: '', later: '', proof: null, foundAt: '2026-11-25T08:00:00Z' };
  await visit('/en/nation/FR', withNations(nation({ evidence, successor: succession({ reason: 'two-histories' }) })));
  await screen.findByText(/The log with two histories is healed/);
});

test('a fingerprint is pinned once it was compared, kept, and unpinned again', async () => {
  const user = await visit('/en/nation/FR', withNations(nation()));
  await user.click(await screen.findByRole('button', { name: COMPARED }));
  screen.getByText('You have pinned this fingerprint in this browser.');
  expect(screen.queryByRole('button', { name: COMPARED })).toBeNull();
  expect(localStorage.getItem('chancery.pins')).toMatch(digestOf('f'));
  await user.click(screen.getByRole('button', { name: 'Unpin' }));
  screen.getByRole('button', { name: COMPARED });
  expect(localStorage.getItem('chancery.pins')).not.toMatch(digestOf('f'));
});

test('another fingerprint than the pinned one is a warning that shows both, and cannot be pinned over', async () => {
  localStorage.setItem('chancery.pins', JSON.stringify({ fingerprints: { FR: '0123'.repeat(16) }, policy: null }));
  await visit('/en/nation/FR', withNations(nation()));
  const alert = await screen.findByRole('alert');
  within(alert).getByText(/^This is not the fingerprint that you have pinned/);
  within(alert).getByText(Array(16).fill('0123').join(' '));
  screen.getByText(Array(16).fill('ffff').join(' '));
  expect(screen.queryByRole('button', { name: COMPARED })).toBeNull();
});

test('each cosigner is named once, by its newest word, and whether it holds or saw', async () => {
  const mirror = { name: 'ke.example.org/chancery/mirror', held: true };
  const cosignatures = [
    cosignature({ at: '2026-11-24T12:05:00Z' }),
    cosignature({ at: '2026-12-01T08:00:00Z' }),
    cosignature({ ...mirror, at: '2026-11-30T09:30:00Z' }),
  ];
  await visit('/en/nation/FR', withNations(nation({ log: log({ cosignatures }) })));
  await screen.findByText('KE saw it grow, at December 1, 2026 at 8:00 AM UTC');
  screen.getByText('KE holds every entry, at November 30, 2026 at 9:30 AM UTC');
  expect(screen.getAllByText(/^KE /)).toHaveLength(2);
});

test.each([
  [standing(), 'Signed by its log alone: witnessed 0 of 2.'],
  [standing({ state: 'WITNESSED', witnessed: 1, since: '2026-11-24T12:00:00Z' }), 'Witnessed 1 of 2, since November 24, 2026 at 12:00 PM UTC.'],
  [
    standing({ state: 'MIRRORED', witnessed: 2, mirrored: 1, since: '2026-11-24T12:00:00Z' }),
    'Witnessed 2 of 2, mirrored 1 of 2, since November 24, 2026 at 12:00 PM UTC.',
  ],
])('signed, witnessed and mirrored are told apart', async (known, words) => {
  await visit('/en/nation/FR', withNations(nation({ log: log({ standing: known }) })));
  await screen.findByText(words);
  screen.getByText('Heartbeat: November 24, 2026 at 12:00 PM UTC.');
});

test('a log that fell silent is stale, and since when', async () => {
  const silent = standing({ staleSince: '2026-11-25T12:00:00Z' });
  await visit('/en/nation/FR', withNations(nation({ log: log({ standing: silent }) })));
  await screen.findByText('Stale since November 25, 2026 at 12:00 PM UTC: the log may have grown unseen.');
});

test('a log that no other nation has cosigned says so', async () => {
  await visit('/en/nation/FR', withNations(nation({ log: log() })));
  await screen.findByText('No other nation has cosigned it yet.');
});

test.each([
  ['Everything that was shown is held here.', sync('SYNCHRONISED')],
  ['Catching up: 12 of 3,456 entries are held.', sync('CATCHING_UP', { held: 12, shown: 3456 })],
  ['Stale. Last news: November 24, 2026 at 12:00 PM UTC.', sync('STALE', { since: '2026-11-24T12:00:00Z' })],
  ['Stale. Last news: never.', sync('STALE')],
  ['Frozen: two histories', sync('FROZEN', { reason: 'two histories' })],
  [
    'Everything that was shown is held here. Last heard: November 24, 2026 at 12:00 PM UTC.',
    sync('SYNCHRONISED', { lastHeard: '2026-11-24T12:00:00Z' }),
  ],
])('how much of a partner is here, and how old it is, is said: %s', async (words, state) => {
  await visit('/en/nation/FR', withSync(state));
  await screen.findByText(words);
});

test('a nation’s models are counted and listed, and what is not shown is one link away', async () => {
  await visit('/en/nation/FR', withNations(nation({ models: listOf([model()], { totalCount: 30 }) })));
  await screen.findByRole('heading', { level: 2, name: '30 models' });
  screen.getByRole('link', { name: 'Sample model' });
  expect(screen.getByRole('link', { name: 'All models' }).getAttribute('href')).toBe('/en/models?nation=FR');
});

test('a nation whose models are all shown has no link to more', async () => {
  await visit('/en/nation/FR', withNations(nation({ models: listOf([model()]) })));
  await screen.findByRole('heading', { level: 2, name: '1 model' });
  expect(screen.queryByRole('link', { name: 'All models' })).toBeNull();
});

test('a code that nobody claims is said to be nobody’s', async () => {
  await visit('/en/nation/BR', withNations());
  await screen.findByRole('heading', { level: 1, name: 'No nation claims the code BR here' });
});

test('until the node answers, and where there is none, the page says so', async () => {
  const user = await visit('/en/nation/FR', noNode);
  within(await screen.findByRole('alert')).getByRole('heading', { name: 'The node cannot be reached' });
  vi.stubGlobal('fetch', nodeWith({ nation: never, partners: [] }));
  await user.click(screen.getByRole('button', { name: 'Ask again' }));
  await screen.findByText('Asking the node …');
});

test.each([
  ['ru', 2, '2 государства заявляют код FR'], ['ru', 5, '5 государств заявляют код FR'], ['zh', 2, '有 2 个国家主张代码 FR'],
])('in %s %d claimants are counted in words that fit', async (language, count, words) => {
  const all = Array.from({ length: count }, (_, index) => nation({ id: String(index) }));
  await visit(`/${language}/nation/FR`, withNations(...all));
  expect((await screen.findByRole('alert')).textContent).toMatch(words);
});
