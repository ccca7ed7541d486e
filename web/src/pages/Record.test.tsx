import { screen } from '@testing-library/react';
import { expect, test } from 'vitest';

import { end, record, verdict } from '../test/facts';
import { noNode, nodeWith } from '../test/node';
import { bundleCase } from '../test/vectors';
import { visit } from '../test/visit';

const card = bundleCase('a card with all that it needs');
const terms = bundleCase('terms, of which the bundle is about the second last');

function withBundle({ expect: { record }, bytes }: typeof card): typeof fetch {
  return nodeWith({}, { [record]: bytes });
}

test('a record says of which kind it is, and shows what was signed, byte for byte', async () => {
  await visit(`/en/record/${card.expect.record}`, withBundle(card));
  await screen.findByText('It is a model card.');
  screen.getByText(card.expect.record);
  const signed = screen.getByRole('group', { name: 'What was signed' });
  expect(JSON.parse(signed.textContent)).toMatchObject({ predicate: { org: 'lab', name: 'model', nonce: 'AAAAAAAAAAAAAAAAAAAABA==' } });
});

test('a model card leads to its model, in its version', async () => {
  await visit(`/en/record/${card.expect.record}`, withBundle(card));
  expect((await screen.findByRole('link', { name: 'Open the model' })).getAttribute('href')).toBe('/en/model/FR/lab/model/1.0');
});

test('a record of another kind leads to no model', async () => {
  await visit(`/en/record/${terms.expect.record}`, withBundle(terms));
  await screen.findByText('It is license terms.');
  expect(screen.queryByRole('link', { name: 'Open the model' })).toBeNull();
});

test('a record is checked against what is pinned, and what was signed is shown either way', async () => {
  localStorage.setItem('chancery.pins', JSON.stringify({ fingerprints: { FR: card['fingerprint'] }, policy: null }));
  await visit(`/en/record/${card.expect.record}`, withBundle(card));
  await screen.findByText('Verified: signed for FR');
});

test('of a record that does not hold what is said to be signed is shown, and not believed', async () => {
  const changed = bundleCase('a proof of another entry');
  await visit(`/en/record/${card.expect.record}`, nodeWith({}, { [card.expect.record]: changed.bytes }));
  await screen.findByText('Does not hold: do not rely on it');
  screen.getByRole('group', { name: 'What was signed' });
});

test('a record that is not held is called by its digest, and nothing is said of it', async () => {
  await visit(`/en/record/${card.expect.record}`, nodeWith({}));
  await screen.findByText('This node does not hold the record, so nothing could be checked.');
  screen.getByText(card.expect.record);
  expect(screen.queryByRole('group', { name: 'What was signed' })).toBeNull();
});

test('a node that cannot be reached is said to be', async () => {
  await visit(`/en/record/${card.expect.record}`, noNode);
  await screen.findByText('The node did not answer. Check your connection, and ask again in a moment.');
});

test('in Arabic the digest and what was signed run from left to right', async () => {
  await visit(`/ar/record/${card.expect.record}`, withBundle(card));
  const signed = await screen.findByText(/"predicateType"/);
  const leftToRight = [signed, screen.getByText(card.expect.record)];
  expect([document.documentElement.dir, ...leftToRight.map((it) => it.dir)]).toEqual(['rtl', 'ltr', 'ltr']);
});

test('a redacted record says of which kind it was and why it was erased, and there is nothing that was signed', async () => {
  const redacted = bundleCase('a card that was redacted');
  const said = record({ verdict: verdict('REDACTED'), ends: [end({ kind: 'redaction', reason: 'personal-data' })], erasure: { receipts: [], silent: [] } });
  await visit(`/ar/record/${redacted.expect.record}`, nodeWith({ record: said }, { [redacted.expect.record]: redacted.bytes }));
  await screen.findByRole('heading', { name: 'محجوبة' });
  await screen.findByText('محجوبة: مُحي محتواها باسم FR');
  screen.getByText(/بطاقة نموذج/);
  expect(screen.getAllByText('السبب: تتضمن معلومات عن شخص')).toHaveLength(2);
  screen.getByText('لا أحد حتى الآن.');
  expect(screen.queryByRole('group')).toBeNull();
});
