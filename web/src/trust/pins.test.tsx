import { act, cleanup, renderHook } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';

import { PinsProvider, usePins } from './pins';

afterEach(() => {
  vi.unstubAllGlobals();
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

test('where the browser keeps nothing, pins hold while the page is open, and are known not to be kept', () => {
  const blocked = (): never => {
    throw new DOMException('The operation is insecure.', 'SecurityError');
  };
  vi.stubGlobal('localStorage', { getItem: blocked, setItem: blocked });
  const here = tab();
  expect(here.current.kept).toBe(true);
  act(() => here.current.pin('FR', ONE));
  act(() => here.current.pin('KE', TWO));
  act(() => here.current.adopt('log …'));
  act(() => here.current.unpin('FR'));
  expect(here.current).toMatchObject({ fingerprints: { KE: TWO }, policy: 'log …', kept: false });
  expect(tab().current).toMatchObject({ fingerprints: {}, policy: null });
});

test('what a full browser did not keep is kept with the next change that fits', () => {
  const here = tab();
  const kept = vi.spyOn(localStorage, 'setItem').mockImplementationOnce(() => {
    throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
  });
  act(() => here.current.pin('FR', ONE));
  expect(here.current).toMatchObject({ fingerprints: { FR: ONE }, kept: false });
  kept.mockRestore();
  act(() => here.current.pin('KE', TWO));
  expect(here.current.kept).toBe(true);
  expect(tab().current.fingerprints).toEqual({ FR: ONE, KE: TWO });
});
