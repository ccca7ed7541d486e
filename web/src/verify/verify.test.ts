// @vitest-environment node

import { afterEach, expect, test, vi } from 'vitest';

import { bundleCase } from '../test/vectors';
import { toUtf8 } from './bytes';
import { parseBundle } from './bundle';
import { parseDigest } from './digest';
import { cannotVerify } from './ed25519';
import { parsePolicy } from './policy';
import { type Trust, verify, verifyFile } from './verify';

const whole = bundleCase('a card with all that it needs');
const { bytes } = whole;
const pinned: Trust = { pins: 'fingerprint', fingerprint: parseDigest(whole['fingerprint']) };

afterEach(() => vi.unstubAllGlobals());

test('a file is verified from its bytes, step by step', async () => {
  const report = await verifyFile(bytes, pinned);
  expect(report.verdict).toBe('verified');
  expect(report.steps.map(({ step, outcome }) => [step, outcome])).toEqual([
    ['whole', 'holds'], ['nation', 'holds'], ['log', 'holds'], ['signatures', 'holds'], ['revocations', 'holds'],
    ['ends', 'holds'], ['cosignatures', 'not-checked'],
  ]);
  expect(report.records.map((it) => it.record.kind)).toEqual(['charter', 'delegation', 'license', 'model-card']);
  expect(report.steps[3]?.params).toMatchObject({ holders: ['publisher of FR'], version: 1, roots: 2 });
});

test('whoever pinned the first charter walks to the tenth, step by step', async () => {
  const tenth = bundleCase('a card under the tenth charter');
  const report = await verifyFile(tenth.bytes, { pins: 'fingerprint', fingerprint: parseDigest(tenth['fingerprint']) });
  expect(report).toMatchObject({ verdict: 'verified', charterVersion: 10 });
  expect(report.steps[3]?.params).toMatchObject({ version: 10, roots: 2 });
});

test('while nothing is pinned the word verified does not occur', async () => {
  const report = await verifyFile(bytes, { pins: 'nothing' });
  expect(report.verdict).toBe('unpinned');
  expect(report.fingerprint).toBe(whole['fingerprint']);
  expect(report.steps.find((it) => it.step === 'nation')).toMatchObject({
    outcome: 'not-checked', problem: 'nothing-pinned', params: { nation: 'FR', fingerprint: whole['fingerprint'] },
  });
});

test('nothing pinned does not make a forgery hold', async () => {
  const bundle = await parseBundle(bytes);
  const [charter, publisher, license, card] = bundle.records;
  const forged = { ...bundle, records: [charter!, publisher!, { ...license!, proof: card!.proof }, card!] };
  expect(await verify(forged, { pins: 'nothing' })).toMatchObject({ verdict: 'failed', kind: undefined, signers: [] });
});

test('a policy that asks for more than have cosigned is not met, and says who is missing', async () => {
  const short = bundleCase('a card that one of two has seen: under-witnessed');
  const report = await verifyFile(short.bytes, { pins: 'policy', policy: parsePolicy(toUtf8(short['policy'])) });
  expect(report.verdict).toBe('under-witnessed');
  const step = report.steps.find((it) => it.step === 'cosignatures');
  expect(step).toMatchObject({ outcome: 'short', problem: 'too-few', params: { missing: ['BR'], seen: 1, known: 2 } });
  expect(step?.params['since']).toBe(report.cosigners[0]?.at);
});

test.each([
  ['a card, by a policy that asks for nobody', () => undefined],
  ['a card, by a policy that asks for both', (times: readonly number[]) => Math.max(...times)],
])('%s: since when its quorum is met', async (name, expected) => {
  const known = bundleCase(name);
  const report = await verifyFile(known.bytes, { pins: 'policy', policy: parsePolicy(toUtf8(known['policy'])) });
  const step = report.steps.find((it) => it.step === 'cosignatures');
  expect(step?.outcome).toBe('holds');
  expect(step?.params['since']).toBe(expected(report.cosigners.map((it) => it.at)));
});

test('a byte changed anywhere in a file is never verified', async () => {
  for (let at = 0; at < bytes.length; at += 211) {
    const changed = bytes.slice();
    changed[at] = changed[at]! ^ 0x20;
    expect((await verifyFile(changed, pinned)).verdict, `byte ${at}`).toBe('failed');
  }
});

test('a file that is no bundle fails at the first step', async () => {
  const report = await verifyFile(toUtf8('{}'), pinned);
  expect(report).toMatchObject({ verdict: 'failed', record: undefined, nation: undefined });
  const [first, ...more] = report.steps;
  expect(first).toMatchObject({ step: 'whole', outcome: 'fails', problem: 'refused', params: { code: 'bundle' } });
  expect(more).toEqual([]);
});

test('this page can verify', async () => {
  expect(await cannotVerify()).toBeUndefined();
});

test('over plain HTTP, without WebCrypto or without Ed25519 a page says that it cannot verify', async () => {
  const { subtle } = crypto;
  const bundle = await parseBundle(bytes);
  const without = async (stub: () => void, why: string): Promise<void> => {
    stub();
    expect(await cannotVerify()).toBe(why);
    const report = await verifyFile(bytes, pinned);
    expect(report).toMatchObject({
      verdict: 'cannot', steps: [{ outcome: 'not-checked', problem: 'cannot-verify', params: { why } }],
    });
    expect(await verify(bundle, pinned)).toMatchObject({
      verdict: 'cannot', records: [], steps: [{ step: 'nation', outcome: 'not-checked', params: { why } }],
    });
    vi.unstubAllGlobals();
  };
  const verifying = (verify: SubtleCrypto['verify']): object => ({
    importKey: subtle.importKey.bind(subtle), digest: subtle.digest.bind(subtle), verify,
  });
  await without(() => vi.stubGlobal('isSecureContext', false), 'insecure-context');
  await without(() => vi.stubGlobal('crypto', undefined), 'no-webcrypto');
  await without(() => vi.stubGlobal('crypto', {}), 'no-webcrypto');
  await without(() => vi.stubGlobal('crypto', { subtle: verifying(async () => true) }), 'no-ed25519');
  await without(() => vi.stubGlobal('crypto', { subtle: verifying(async () => false) }), 'no-ed25519');
  await without(
    () => vi.stubGlobal('crypto', { subtle: verifying(() => Promise.reject(new Error('NotSupportedError'))) }),
    'no-ed25519',
  );
});

test('a bundle is verified within the blink of an eye', async () => {
  await verifyFile(bytes, pinned);
  const began = performance.now();
  for (let i = 0; i < 5; i++) await verifyFile(bytes, pinned);
  const eachMs = (performance.now() - began) / 5;
  console.log(`a bundle of ${bytes.length} bytes is verified in ${eachMs.toFixed(1)} ms`);
  // The goal is 50 ms; the machine that tests may be busy.
  expect(eachMs).toBeLessThan(250);
});
