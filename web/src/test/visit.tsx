/** The portal, and parts of it, as a reader meets them. */
import { act, cleanup, configure, render, screen } from '@testing-library/react';
import { type UserEvent, userEvent } from '@testing-library/user-event';
import type { ReactNode } from 'react';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { navigate } from 'wouter/use-browser-location';

import { languageOf } from '../app/address';
import { App } from '../app/App';
import type { Language } from '../i18n/languages';
import { load, TextProvider } from '../i18n/text';

// A page is read from disk when it is first opened, and the machine may be busy: a second is soon over.
configure({ asyncUtilTimeout: 4_000 });

// What React complains of, a missing key for one, is a mistake.
beforeEach(() => void vi.spyOn(console, 'error'));

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  localStorage.clear();
  const complaints = [...vi.mocked(console.error).mock.calls];
  vi.restoreAllMocks();
  expect(complaints).toEqual([]);
});

/** Opens the portal before a node, at an address that says the language too. Gives the reader's hands. */
export async function visit(address: string, node: typeof fetch): Promise<UserEvent> {
  vi.stubGlobal('fetch', node);
  history.replaceState(null, '', address);
  const language = languageOf(address);
  const messages = await load(language);
  const user = userEvent.setup();
  await act(async () => void render(<App language={language} messages={messages} />));
  return user;
}

/** Opens another address of the portal that is open. */
export async function go(address: string): Promise<void> {
  await act(async () => navigate(address));
}

/** Shows one part alone. */
export async function show(part: ReactNode, language: Language = 'en'): Promise<void> {
  const messages = await load(language);
  render(
    <TextProvider language={language} messages={messages}>
      {part}
    </TextProvider>,
  );
}

/** What stands beside a term of a list of facts. */
export function said(term: string): string {
  return screen.getByText(term, { selector: 'dt' }).nextElementSibling?.textContent ?? '';
}
