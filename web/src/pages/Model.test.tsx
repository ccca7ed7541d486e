import { screen, within } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';

import { cosignature, digestOf, end, model, nation, record, report, standing, verdict } from '../test/facts';
import { never, nodeWith, type Sdl } from '../test/node';
import { bundleCase, recordOf } from '../test/vectors';
import { go, said, visit } from '../test/visit';
import { useProof } from '../trust/proof';
import type { Bytes } from '../verify/bytes';

// As it is, but for the test that says what was found.
vi.mock('../trust/proof', { spy: true });
afterEach(() => void vi.mocked(useProof).mockReset());

const whole = bundleCase('a card with all that it needs');
const { fingerprint, expect: known } = whole;
const digest: string = known.record;
const france = nation({ fingerprint });

/** A node with one model, and what it says is the bundle of its card. */
function withModel(of: Partial<Sdl<'Model'>> = {}, bundle: Bytes | null = whole.bytes): typeof fetch {
  const answers = { model: model({ nation: france, card: record({ digest }), ...of }), nation: [france], partners: [] };
  return nodeWith(answers, bundle === null ? {} : { [digest]: bundle });
}

/** What the reader has pinned before. */
function pinned(pins: { fingerprints?: Record<string, string>; policy?: string }): void {
  localStorage.setItem('chancery.pins', JSON.stringify({ fingerprints: {}, policy: null, ...pins }));
}

/** What the browser says it has checked, once it says it. */
async function checked(words: string | RegExp): Promise<{ steps: string[] }> {
  const panel = await screen.findByRole('region', { name: 'What your browser has checked' });
  await within(panel).findByText(words);
  return { steps: within(panel).queryAllByRole('listitem').map((step) => step.textContent) };
}

test('before a nation is pinned the word verified does not occur, and the way to its fingerprint is shown', async () => {
  const user = await visit('/en/model/FR/lab/model', withModel());
  const { steps } = await checked('Consistent with what this node calls FR');
  expect(steps[0]).toBe(`The nationIts charter has the fingerprint ${fingerprint}. You have pinned none to compare it with.`);
  expect(document.body.textContent).not.toMatch(/verified/i);
  await user.click(screen.getByRole('link', { name: 'Compare and pin the fingerprint of FR' }));
  await screen.findByRole('button', { name: 'I have compared it: pin it' });
  expect(location.pathname).toBe('/en/nation/FR');
});

test('once it is pinned the record is verified, and every step says by whom and with what', async () => {
  const user = await visit('/en/nation/FR', withModel());
  await user.click(await screen.findByRole('button', { name: 'I have compared it: pin it' }));
  await go('/en/model/FR/lab/model');
  const { steps } = await checked('Verified: signed for FR');
  expect(steps).toEqual([
    `The nationIts charter has the fingerprint ${fingerprint}.`,
    'The logEntry 3 of fr.example.org/chancery, proven in its tree of 7 entries, which the log’s key has signed.',
    `The signaturesSigned by publisher of FR, with the key ${known.signers[0]}, which the nation lets speak; version 1 of its charter was signed by 2 officers.`,
    'Revoked keysNo revocation in the file (0) takes trust from its keys, as the log stood at 7 entries.',
    'Its endNone of the file’s records withdraws or redacts it; the log had 7 entries then.',
    'Other nationsNot checked: only a policy file says which nations’ cosignatures you ask for.',
  ]);
});

test('nations that a policy asks for are named when they have cosigned', async () => {
  const { policy, bytes } = bundleCase('a card, by a policy that asks for both');
  pinned({ policy });
  await visit('/en/model/FR/lab/model', withModel({}, bytes));
  const { steps } = await checked('Verified: signed for FR');
  expect(steps[5]).toBe(
    'Other nationsCosigned by 2 of 2 whom your policy names: ke.example.org/chancery/witness, ' +
      'br.example.org/chancery/witness. Its quorum is met since November 24, 2026 at 12:00 PM UTC: final.',
  );
});

test('too few cosigners are no verification, and who is missing is named', async () => {
  const { policy, bytes } = bundleCase('a card that one of two has seen: under-witnessed');
  pinned({ policy });
  await visit('/en/model/FR/lab/model', withModel({}, bytes));
  const { steps } = await checked('Signed for FR, but too few have seen it');
  expect(steps[5]).toBe(
    'Other nationsSigned, and cosigned by 1 of 2 whom your policy names: ke.example.org/chancery/witness. ' +
      'Last cosignature: November 24, 2026 at 12:00 PM UTC. Not final: your policy also asks for BR.',
  );
  expect(document.body.textContent).not.toMatch(/verified/i);
});

test.each([
  ['without charter', /^The nationThe file does not begin with a charter/],
  ['a header that names another nation', /^The nationThe file says it is of another nation or log/],
  ['a proof of another entry', /^The logIt does not hold: /],
  ["without the publisher's delegation", /^The signaturesIt does not hold: /],
  ['terms, of which the bundle is about the second last', /^The fileThe node gave the proof of another record/],
  ['with a blob that no record names', /^AttachmentsThe file carries something that no record names/],
])('a bundle that is not whole does not hold, and the step says why: %s', async (name, words) => {
  pinned({ fingerprints: { FR: fingerprint } });
  await visit('/en/model/FR/lab/model', withModel({}, bundleCase(name).bytes));
  const { steps } = await checked('Does not hold: do not rely on it');
  expect(steps.at(-1)).toMatch(words);
  expect(document.body.textContent).not.toMatch(/verified/i);
});

test('a nation with another fingerprint than the pinned one is not believed', async () => {
  pinned({ fingerprints: { FR: '0'.repeat(64) } });
  await visit('/en/model/FR/lab/model', withModel());
  const { steps } = await checked('Does not hold: do not rely on it');
  expect(steps).toEqual([`The nationIts charter has the fingerprint ${fingerprint}, and you have pinned ${'0'.repeat(64)}.`]);
});

test('on a connection that is not secure nothing is said to be checked', async () => {
  vi.stubGlobal('isSecureContext', false);
  pinned({ fingerprints: { FR: fingerprint } });
  await visit('/en/model/FR/lab/model', withModel());
  const { steps } = await checked('Cannot verify here');
  expect(steps).toEqual(['The nationThis browser, or this connection, cannot check signatures.']);
});

test('a model of a log with two histories says so before all else', async () => {
  const evidence = { earlier: '', later: '', proof: null, foundAt: '2026-11-25T08:00:00Z' };
  await visit('/en/model/FR/lab/model', withModel({ nation: { ...france, evidence } }));
  within(await screen.findByRole('alert')).getByRole('heading', { name: 'This log has two histories' });
});

test('a record that is not held is not checked', async () => {
  await visit('/en/model/FR/lab/model', withModel({}, null));
  await checked('This node does not hold the record, so nothing could be checked.');
});

test('a node that does not give the record is not taken for one that does not hold it', async () => {
  const node = withModel();
  await visit('/en/model/FR/lab/model', async (address, request) =>
    String(address).startsWith('/bundle') ? new Response(null, { status: 503 }) : node(address, request),
  );
  await checked('The node did not answer. Check your connection, and ask again in a moment.');
});

test('the card says where it stands, who has cosigned it and how lately', async () => {
  const cosignatures = [
    cosignature({ at: '2026-11-24T12:05:00Z' }),
    cosignature({ at: '2026-12-01T08:00:00Z' }),
    cosignature({ nation: 'BR', at: '2026-11-30T09:30:00Z' }),
  ];
  const seen = standing({ state: 'WITNESSED', witnessed: 2, since: '2026-11-24T12:05:00Z', heartbeat: null });
  await visit('/en/model/FR/lab/model', withModel({ card: record({ digest, index: 1234, cosignatures, standing: seen }) }));
  await screen.findByRole('heading', { level: 2, name: 'Where it stands' });
  expect(said('Record digest')).toMatch(digest);
  expect(said('Entry of the log')).toBe('1,234 · fr.example.org/chancery');
  expect(said('Signed, by its own word')).toBe('November 24, 2026 at 12:00 PM UTC');
  expect(said('Cosigned, as this node shows')).toBe(
    'Witnessed 2 of 2, since November 24, 2026 at 12:05 PM UTC.' +
      'Kenya · December 1, 2026 at 8:00 AM UTCBrazil · November 30, 2026 at 9:30 AM UTC',
  );
  expect(screen.getByRole('link', { name: 'Bundle with all its proof' }).getAttribute('href')).toBe(`/bundle/${digest}`);
  expect(screen.getByRole('link', { name: 'Permalink' }).getAttribute('href')).toBe(`/record/${digest}`);
});

test('what is not stated, and that nobody has cosigned, is said', async () => {
  await visit('/en/model/FR/lab/model', withModel({ card: record({ digest, issuedAt: null }) }));
  await screen.findByRole('heading', { level: 2, name: 'Where it stands' });
  expect(said('Signed, by its own word')).toBe('not stated');
  expect(said('Cosigned, as this node shows')).toBe(
    'Signed by its log alone: witnessed 0 of 2.Heartbeat: November 24, 2026 at 12:00 PM UTC.',
  );
});

test('a card that the node does not count says so, and why', async () => {
  const judged = verdict('VOID', { reason: 'its delegation was withdrawn' });
  await visit('/en/model/FR/lab/model', withModel({ card: record({ digest, verdict: judged }) }));
  expect((await screen.findByRole('note')).textContent).toBe('does not count, says this node its delegation was withdrawn');
});

test('the versions lead to each other, and the one that is shown is marked', async () => {
  const versions = [model({ id: '2', version: '2.0', card: record({ issuedAt: null }) }), model()];
  const asked = vi.fn(() => model({ version: '2.0', card: record({ digest }), versions }));
  const user = await visit('/en/model/FR/lab/model', nodeWith({ model: asked }));
  expect((await screen.findByRole('link', { name: '2.0' })).getAttribute('aria-current')).toBe('true');
  await user.click(screen.getByRole('link', { name: '1.0' }));
  await vi.waitFor(() => expect(asked).toHaveBeenLastCalledWith({ urn: 'urn:chancery:FR:lab:model', version: '1.0' }));
  expect(asked.mock.calls[0]).toEqual([{ urn: 'urn:chancery:FR:lab:model', version: null }]);
});

test.each([['a model', null], ['the card of a model', model({ card: record({ digest: null }) })]])(
  '%s that is not held is named, and all others are one link away',
  async (_, answer) => {
    await visit('/en/model/FR/lab/model', nodeWith({ model: answer }));
    await screen.findByRole('heading', { level: 1, name: 'This model is not held here' });
    screen.getByText('urn:chancery:FR:lab:model');
    expect(within(screen.getByRole('main')).getByRole('link', { name: 'Models' }).getAttribute('href')).toBe('/en/models');
  },
);

test('until the node answers the page says that it asks', async () => {
  await visit('/en/model/FR/lab/model', nodeWith({ model: never }));
  expect((await screen.findByRole('status')).textContent).toBe('Asking the node …');
});

test('a node that refuses says why', async () => {
  const refuse = (): never => {
    throw new Error('`urn` is no name of a model');
  };
  await visit('/en/model/FR/lab/model', nodeWith({ model: refuse }));
  expect((await screen.findByRole('alert')).textContent).toMatch('`urn` is no name of a model');
});

test('the card, its terms and its weights are shown as they were signed', async () => {
  const records = [await recordOf('model-card'), await recordOf('license'), await recordOf('weights')];
  const read = records.map((it) => ({ digest: it.kind === 'model-card' ? digest : it.kind, record: it }));
  vi.mocked(useProof).mockReturnValue({ state: 'here', report: report('unpinned'), bundle: null, records: read });
  await visit('/en/model/FR/lab/model', withModel());
  for (const name of ['What its publisher says', 'Cultural alignment', 'License terms', 'Weights', 'Check your copy of the weights']) {
    await screen.findByRole('heading', { level: 2, name });
  }
  expect(said('Languages')).toBe('French, Wolof');
});

test('in Arabic the page runs from the right, and digests, keys and versions from the left', async () => {
  const displayNames = [{ language: 'ar', text: 'نموذج' }];
  await visit('/ar/model/FR/lab/model', withModel({ displayName: 'نموذج', displayNames, versions: [model()] }));
  await screen.findByRole('heading', { level: 1, name: 'نموذج' });
  expect(document.documentElement.dir).toBe('rtl');
  const fingerprintShown = await screen.findByText(fingerprint);
  const leftToRight = [fingerprintShown, screen.getByText(digest), screen.getByText('urn:chancery:FR:lab:model'), screen.getByText('1.0')];
  expect(leftToRight.map((it) => it.dir)).toEqual(['ltr', 'ltr', 'ltr', 'ltr']);
  expect(document.body.textContent).not.toMatch(/جرى التحقق/u);
});

test('of a withdrawn model it is said by whom and why, by the node and by the browser, and it is still shown', async () => {
  const withdrawn = bundleCase('a card that was withdrawn');
  pinned({ fingerprints: { FR: withdrawn['fingerprint'] } });
  const card = record({
    digest: withdrawn.expect.record, verdict: verdict('WITHDRAWN'),
    ends: [
      end({ index: 4, record: record({ verdict: verdict('VOID') }), reason: 'law' }),
      end({ index: 6, statement: [{ language: 'en', text: 'It gives dangerous advice.' }] }),
    ],
  });
  const answers = { model: model({ card, ended: true }), nation: [france], partners: [] };
  await visit('/en/model/FR/lab/model', nodeWith(answers, { [withdrawn.expect.record]: withdrawn.bytes }));
  const { steps } = await checked('Withdrawn: FR no longer stands by it');
  expect(steps).toContain('Its endEntry 6 of the log withdrew it; that entry says it was signed on November 24, 2026 at 12:00 PM UTC.');
  const notice = screen.getByRole('heading', { name: 'Withdrawn' }).closest('section')!;
  within(notice).getByText(/^France no longer stands by this record. Entry 6 of its log says so/);
  expect(screen.getAllByText('Reason: what it describes is not safe')).toHaveLength(2);
  expect(screen.getAllByText('It gives dangerous advice.')).toHaveLength(2);
  screen.getByRole('heading', { name: 'What its publisher says' });
  expect(document.body.textContent).not.toMatch(/verified|a law or a court/i);
});

test('of a redacted model it is said who has erased it and who has not said so', async () => {
  const redacted = bundleCase('a card that was redacted');
  pinned({ fingerprints: { FR: redacted['fingerprint'] } });
  const kenya = nation({ code: 'KE' });
  const erasure = {
    receipts: [{ nation: kenya, issuedAt: '2026-11-25T08:00:00Z', digest: digestOf('7') }],
    silent: [nation({ code: 'BR' })],
  };
  const card = record({
    digest: redacted.expect.record, verdict: verdict('REDACTED'), erasure,
    ends: [end({ kind: 'redaction', reason: 'personal-data' })],
  });
  const answers = { model: model({ card, ended: true }), nation: [france], partners: [] };
  await visit('/en/model/FR/lab/model', nodeWith(answers, { [redacted.expect.record]: redacted.bytes }));
  await checked('Redacted: its contents were erased for FR');
  screen.getByRole('heading', { name: 'Redacted' });
  expect(screen.getAllByText('Reason: it says something about a person')).toHaveLength(2);
  expect(screen.getByRole('link', { name: 'Receipt: Kenya' }).getAttribute('href')).toBe(`/en/record/${digestOf('7')}`);
  screen.getByText('Kenya · November 25, 2026 at 8:00 AM UTC', { exact: false });
  expect(screen.getByText('Hold the log and have not said so').nextElementSibling?.textContent).toBe('Brazil');
  expect(screen.queryByRole('heading', { name: 'What its publisher says' })).toBeNull();
});

test('a card whose weights were redacted is verified, and says so', async () => {
  const other = bundleCase('a card whose weights were redacted');
  pinned({ fingerprints: { FR: other['fingerprint'] } });
  const answers = { model: model({ card: record({ digest: other.expect.record }) }), nation: [france], partners: [] };
  await visit('/en/model/FR/lab/model', nodeWith(answers, { [other.expect.record]: other.bytes }));
  const { steps } = await checked('Verified: signed for FR');
  expect(steps.some((step) => step.startsWith('Its endIt stands, but something that it refers to was withdrawn or redacted: '))).toBe(true);
});
