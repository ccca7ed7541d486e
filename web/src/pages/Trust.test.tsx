import { screen, within } from '@testing-library/react';
import { expect, test, vi } from 'vitest';

import { en } from '../i18n/messages/en';
import { nodeWith } from '../test/node';
import { visit } from '../test/visit';

const DIGEST = '0123456789abcdef'.repeat(4);
const GROUPS = DIGEST.match(/.{4}/g)!.join(' ');

test('where nothing is pinned the page leads to where fingerprints are', async () => {
  await visit('/en/trust', nodeWith({}));
  const none = await screen.findByText(/^You have pinned none/);
  expect(within(none).getByRole('link', { name: 'Nations' }).getAttribute('href')).toBe('/en/nations');
});

test('a fingerprint that was read out is pinned as it was written down, and unpinned', async () => {
  const user = await visit('/en/trust', nodeWith({}));
  await user.type(await screen.findByRole('textbox', { name: 'Nation code' }), 'ke');
  await user.click(screen.getByRole('textbox', { name: 'Fingerprint as read out' }));
  await user.paste(GROUPS.toUpperCase().replaceAll(' ', '-'));
  await user.click(screen.getByRole('button', { name: 'I have compared it: pin it' }));
  const kept = screen.getByText(GROUPS).closest('li')!;
  within(kept).getByText('Kenya');
  expect(screen.queryByText(/^You have pinned none/)).toBeNull();
  expect(screen.getByRole('textbox', { name: 'Nation code' })).toHaveProperty('value', '');
  await user.click(within(kept).getByRole('button', { name: 'Unpin' }));
  expect(screen.queryByText(GROUPS)).toBeNull();
});

test('what is not yet a code and a fingerprint cannot be pinned', async () => {
  const user = await visit('/en/trust', nodeWith({}));
  const pin = await screen.findByRole('button', { name: 'I have compared it: pin it' });
  const code = screen.getByRole('textbox', { name: 'Nation code' });
  const fingerprint = screen.getByRole('textbox', { name: 'Fingerprint as read out' });
  expect(pin).toHaveProperty('disabled', true);
  await user.type(code, 'K');
  await user.click(fingerprint);
  await user.paste(DIGEST);
  expect(pin).toHaveProperty('disabled', true);
  await user.type(code, 'E');
  expect(pin).toHaveProperty('disabled', false);
  await user.type(fingerprint, '0');
  expect(pin).toHaveProperty('disabled', true);
});

test('what was pinned is there when the page is opened again', async () => {
  localStorage.setItem('chancery.pins', JSON.stringify({ fingerprints: { BR: DIGEST }, policy: 'quorum none' }));
  await visit('/en/trust', nodeWith({}));
  await screen.findByText(GROUPS);
  screen.getByText('Brazil');
  expect(screen.getByRole('textbox', { name: 'A policy file' })).toHaveProperty('value', 'quorum none');
  screen.getByText('This policy is in force in this browser.');
});

test('only the policy that was adopted is said to be in force, and only until it is dropped', async () => {
  const user = await visit('/en/trust', nodeWith({}));
  const policy = await screen.findByRole('textbox', { name: 'A policy file' });
  const inForce = () => screen.queryByText('This policy is in force in this browser.') !== null;
  await user.type(policy, 'quorum none');
  expect(inForce()).toBe(false);
  await user.click(screen.getByRole('button', { name: 'Adopt it' }));
  expect(inForce()).toBe(true);
  await user.type(policy, '{Enter}# and more');
  expect(inForce()).toBe(false);
  await user.clear(policy);
  await user.type(policy, 'quorum none');
  expect(inForce()).toBe(true);
  await user.click(screen.getByRole('button', { name: 'Drop it' }));
  expect(inForce()).toBe(false);
  expect(policy).toHaveProperty('value', '');
  expect(screen.queryByRole('button', { name: 'Drop it' })).toBeNull();
});

test('a policy that the browser does not keep is in force, and is said to last only while the page is open', async () => {
  vi.stubGlobal('localStorage', undefined);
  const user = await visit('/en/trust', nodeWith({}));
  await user.type(await screen.findByRole('textbox', { name: 'A policy file' }), 'quorum none');
  await user.click(screen.getByRole('button', { name: 'Adopt it' }));
  expect(screen.getByRole('alert').textContent).toBe(en['pin.unkept']);
  expect(screen.queryByText('This policy is in force in this browser.')).toBeNull();
  screen.getByRole('button', { name: 'Drop it' });
});

test('what is no policy cannot be adopted, and why is said', async () => {
  const user = await visit('/en/trust', nodeWith({}));
  await user.type(await screen.findByRole('textbox', { name: 'A policy file' }), 'nonsense');
  screen.getByText(/^This is not a policy: ./);
  expect(screen.getByRole('button', { name: 'Adopt it' })).toHaveProperty('disabled', true);
});

test('in Arabic the page runs from the right, and codes and fingerprints from the left', async () => {
  localStorage.setItem('chancery.pins', JSON.stringify({ fingerprints: { KE: DIGEST }, policy: null }));
  await visit('/ar/trust', nodeWith({}));
  const fingerprint = await screen.findByText(GROUPS);
  screen.getByText('كينيا');
  expect([document.documentElement.dir, fingerprint.dir, screen.getByText('KE').dir]).toEqual(['rtl', 'ltr', 'ltr']);
  for (const field of screen.getAllByRole<HTMLInputElement>('textbox')) expect(field.dir).toBe('ltr');
});
