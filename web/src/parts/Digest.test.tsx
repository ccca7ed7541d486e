import { act, screen } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import { expect, onTestFinished, test, vi } from 'vitest';

import { show } from '../test/visit';
import { Digest, Fingerprint } from './Digest';

const DIGEST = '0123456789abcdef'.repeat(4);

test('a digest is copied whole, however short it is shown, and the button says so for a moment', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  await show(<Digest value={DIGEST} short />);
  screen.getByText('0123456789ab…');
  // The reader's hands of Testing Library wait for a timer that stands still here.
  await act(async () => screen.getByRole('button', { name: 'Copy' }).click());
  expect(screen.getByRole('button').textContent).toBe('Copied');
  expect(await navigator.clipboard.readText()).toBe(DIGEST);
  act(() => void vi.advanceTimersByTime(2000));
  expect(screen.getByRole('button').textContent).toBe('Copy');
});

test('what the browser refused to copy is not said to be copied', async () => {
  const user = userEvent.setup();
  vi.spyOn(navigator.clipboard, 'writeText').mockRejectedValue(new DOMException('no', 'NotAllowedError'));
  await show(<Digest value={DIGEST} />);
  await user.click(screen.getByRole('button', { name: 'Copy' }));
  expect(screen.getByRole('button').textContent).toBe('Copy');
});

test('where a page may not copy there is no button', async () => {
  vi.stubGlobal('navigator', {});
  await show(<Digest value={DIGEST} />);
  expect(screen.queryByRole('button')).toBeNull();
});

test('a short digest can be read whole where the mouse rests, and in print', async () => {
  await show(<Digest value={DIGEST} short />);
  expect(screen.getByTitle(DIGEST).textContent).toMatch(DIGEST);
});

test('in Arabic a digest is shown from left to right beside a button in Arabic', async () => {
  await show(<Digest value={DIGEST} />, 'ar');
  expect(screen.getByText(DIGEST).dir).toBe('ltr');
  screen.getByRole('button', { name: 'نسخ' });
});

test('a fingerprint stands in groups of four, from left to right, for reading aloud', async () => {
  await show(<Fingerprint value={DIGEST} />, 'ar');
  expect(screen.getByText(Array(4).fill('0123 4567 89ab cdef').join(' ')).dir).toBe('ltr');
});
