import { act, cleanup, renderHook } from '@testing-library/react';
import { afterEach, expect, test } from 'vitest';

import { PinsProvider, usePins } from './pins';

afterEach(() => {
  cleanup();
  localStorage.clear();
});

const ONE = '1'.repeat(64);
const TWO = '2'.repeat(64);

/** What a page of the portal in another tab would read and do. */
function tab() {
  return renderHook(usePins, { wrapper: PinsProvider }).result;
}

test('what another tab has pinned is not lost when this one pins, unpins or adopts', () => {
  const [here, there] = [tab(), tab()];
  act(() => there.current.pin('FR', ONE));
  act(() => here.current.pin('KE', TWO));
  expect(tab().current.fingerprints).toEqual({ FR: ONE, KE: TWO });
  act(() => there.current.adopt('log …'));
  act(() => here.current.unpin('FR'));
  expect(tab().current).toMatchObject({ fingerprints: { KE: TWO }, policy: 'log …' });
});

test('what another tab keeps is shown here at once', () => {
  const [here, there] = [tab(), tab()];
  act(() => there.current.pin('FR', ONE));
  expect(here.current.fingerprints).toEqual({});
  act(() => void window.dispatchEvent(new StorageEvent('storage', { key: 'chancery.pins' })));
  expect(here.current.fingerprints).toEqual({ FR: ONE });
});
