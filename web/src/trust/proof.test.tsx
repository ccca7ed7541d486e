import { cleanup, render } from '@testing-library/react';
import type { ReactNode } from 'react';
import { afterEach, expect, test, vi } from 'vitest';

import { ErrorBoundary } from '../app/ErrorBoundary';
import { en } from '../i18n/messages/en';
import { TextProvider } from '../i18n/text';
import { bundleCase, bundleOf, casesOf } from '../test/vectors';
import { parseBundle } from '../verify/bundle';
import { PinsProvider } from './pins';
import { check, useProof } from './proof';

const { bytes, fingerprint } = bundleCase('a card with all that it needs');

const verify = vi.hoisted(() => vi.fn());
vi.mock('../verify/verify', async (original) => {
  const real = await original<typeof import('../verify/verify')>();
  verify.mockImplementation(real.verify);
  return { ...real, verify };
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function Page(): ReactNode {
  return useProof(fingerprint).state;
}

test('a check that fails by a mistake of ours fails the page, and does not ask for ever', async () => {
  verify.mockRejectedValueOnce(new Error('a mistake'));
  vi.stubGlobal('fetch', async () => new Response(bytes));
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const page = render(
    <TextProvider language="en" messages={en}>
      <PinsProvider>
        <ErrorBoundary>
          <Page />
        </ErrorBoundary>
      </PinsProvider>
    </TextProvider>,
  );
  await page.findByText('a mistake');
});

test('the records are read whether or not they could be checked', async () => {
  const { header } = await parseBundle(bytes);
  const seen = async () => {
    const proof = await check(bytes, header.record, { fingerprints: {}, policy: null });
    return proof.state === 'here' ? [proof.report.verdict, ...proof.records.map((it) => it.record.kind)] : [];
  };
  const records = ['charter', 'delegation', 'license', 'model-card'];
  expect(await seen()).toEqual(['unpinned', ...records]);
  vi.stubGlobal('isSecureContext', false);
  expect(await seen()).toEqual(['cannot', ...records]);
});

test('a policy that names an earlier log is not passed over for the fingerprint of that log', async () => {
  const cases = casesOf('succession');
  const it = cases.find(({ name }) => name === 'an old log is pinned')!;
  const file = bundleOf(it, cases);
  const { header } = await parseBundle(file);
  const seen = async (policy: string | null) => {
    const proof = await check(file, header.record, { fingerprints: { FR: it['fingerprint'] }, policy });
    if (proof.state !== 'here') throw new Error(proof.state);
    return proof;
  };
  const { report, records } = await seen(null);
  expect(report.verdict).toBe('under-witnessed');
  expect(report.steps.find(({ step }) => step === 'succession')).toMatchObject({ outcome: 'short', problem: 'walked' });
  const said = records.flatMap(({ record }) => (record.kind === 'log-succession' ? [record.body] : []));
  const names = await seen(`log ${said[0]!.predecessor}\nquorum none\n`);
  expect(names.report.steps.at(-1)).toMatchObject({ step: 'nation', outcome: 'fails', problem: 'unknown-log' });
});
