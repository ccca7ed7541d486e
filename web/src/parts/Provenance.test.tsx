import { screen, within } from '@testing-library/react';
import { expect, test } from 'vitest';

import { report } from '../test/facts';
import { show } from '../test/visit';
import type { Proof } from '../trust/proof';
import type { Report, Step } from '../verify/verify';
import { Provenance } from './Provenance';

const VERDICTS = ['verified', 'under-witnessed', 'contested', 'void', 'withdrawn', 'redacted', 'unpinned', 'failed', 'cannot'] as const;

function found(of: Report): Proof {
  return { state: 'here', report: of, bundle: null, records: [] };
}

function step(outcome: Step['outcome'], more: Partial<Step> = {}): Step {
  return { step: 'blobs', outcome, problem: undefined, params: {}, reason: '', ...more };
}

/** Shape and colour of a mark. */
function markIn(place: HTMLElement): { shape: string | null | undefined; colour: string | null; hidden: string | null } {
  const mark = place.querySelector('svg')!;
  return {
    shape: mark.querySelector('path')?.getAttribute('d'),
    colour: mark.getAttribute('class'),
    hidden: mark.getAttribute('aria-hidden'),
  };
}

test.each([
  ['verified', 'Verified: signed for FR', 'mark mark-good'],
  ['under-witnessed', 'Signed for FR, but too few have seen it', 'mark mark-wary'],
  ['contested', 'Signed for FR, but the key is in doubt', 'mark mark-wary'],
  ['void', 'Does not count: its key was revoked', 'mark mark-bad'],
  ['withdrawn', 'Withdrawn: FR no longer stands by it', 'mark mark-wary'],
  ['redacted', 'Redacted: its contents were erased for FR', 'mark mark-bad'],
  ['unpinned', 'Consistent with what this node calls FR', 'mark mark-none'],
  ['failed', 'Does not hold: do not rely on it', 'mark mark-bad'],
  ['cannot', 'Cannot verify here', 'mark mark-none'],
] as const)('the verdict %s is told by a word beside its mark', async (verdict, words, colour) => {
  await show(<Provenance proof={found(report(verdict))} />);
  const line = screen.getByText(words).closest('p')!;
  expect(markIn(line)).toMatchObject({ colour, hidden: 'true' });
});

test('what is good, wary, bad and none differs in shape, so that no colour is needed', async () => {
  const steps = [
    step('holds', { step: 'blobs' }),
    step('short', { step: 'cosignatures', problem: 'too-few', params: { names: [], seen: 0, known: 2, missing: ['BR'] } }),
    step('fails', { step: 'log', problem: 'order' }),
    step('not-checked', { step: 'nation', problem: 'cannot-verify' }),
  ];
  await show(<Provenance proof={found(report('failed', { steps }))} />);
  const marks = screen.getAllByRole('listitem').map(markIn);
  expect(marks.map((mark) => mark.colour)).toEqual(['mark mark-good', 'mark mark-wary', 'mark mark-bad', 'mark mark-none']);
  expect(new Set(marks.map((mark) => mark.shape)).size).toBe(4);
});

test('only what is verified has the mark of what is good, and its word', async () => {
  for (const verdict of VERDICTS) await show(<Provenance proof={found(report(verdict))} />);
  const panels = screen.getAllByRole('region');
  expect(panels.map((panel) => panel.querySelectorAll('.mark-good').length > 0)).toEqual(VERDICTS.map((it) => it === 'verified'));
  expect(panels.map((panel) => /verified/i.test(panel.textContent))).toEqual(VERDICTS.map((it) => it === 'verified'));
});

test('attachments that did not come along are told as not checked, and how many', async () => {
  const missing = step('not-checked', { problem: 'blobs-missing', params: { missing: 2, named: 3 } });
  await show(<Provenance proof={found(report('verified', { steps: [missing] }))} />);
  const item = screen.getByRole('listitem');
  within(item).getByText('2 of 3 attachments are not in the file, and were not checked.');
  expect(markIn(item).colour).toBe('mark mark-none');
});

test('what strangers wrote stands apart from the sentence, in its own direction', async () => {
  const holds = step('holds', { step: 'signatures', params: { holders: ['ناشر\u202e'], keys: ['ab'], version: 1, roots: 2 } });
  await show(<Provenance proof={found(report('verified', { steps: [holds] }))} />);
  const name = screen.getByText('ناشر');
  expect([name.tagName, name.dir]).toEqual(['BDI', 'auto']);
  within(name).getByText('U+202E');
  expect(screen.getByText('ab').dir).toBe('ltr');
});

test.each([
  ['ru', 1, 'подписало 1 должностное лицо'], ['ru', 2, 'подписали 2 должностных лица'], ['ru', 5, 'подписали 5 должностных лиц'],
  ['zh', 2, '由 2 名授权官员签名'],
] as const)('in %s %d officers are counted in words that fit', async (language, roots, words) => {
  const holds = step('holds', { step: 'signatures', params: { holders: ['lab'], keys: ['ab'], version: 1, roots } });
  await show(<Provenance proof={found(report('verified', { steps: [holds] }))} />, language);
  expect(screen.getByRole('listitem').textContent.replaceAll(/\s/g, ' ')).toMatch(words);
});

test('until the record is here the panel says that it asks', async () => {
  await show(<Provenance proof={{ state: 'loading' }} />);
  expect(screen.getByRole('status').textContent).toBe('Asking the node …');
});
