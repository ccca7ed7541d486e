import { screen } from '@testing-library/react';
import { expect, test } from 'vitest';

import { recordOf } from '../test/vectors';
import { said, show } from '../test/visit';
import { License } from './License';

const { body: terms } = await recordOf('license');

test('terms are called by their title and SPDX name, and their texts can be read', async () => {
  await show(<License license={terms} />);
  screen.getByText('Terms');
  expect(said('SPDX')).toBe('LicenseRef-lab-terms');
  expect(screen.getByRole('link', { name: 'French' }).getAttribute('href')).toBe(`/blob/${terms.texts[1]!.blob.sha256}`);
});

test('the text that prevails is marked, and no other', async () => {
  await show(<License license={terms} />);
  expect(said('Texts')).toBe('English — this text prevailsFrench');
});

test('clauses say what they allow and forbid, under a word that only the texts bind', async () => {
  await show(<License license={terms} />);
  screen.getByText('The texts bind. These clauses say how somebody reads them.');
  expect(screen.getAllByRole('listitem').map((clause) => clause.textContent)).toEqual([
    'Allowed: run · finetune · attribute',
    'Forbidden: run',
  ]);
});

test('terms without clauses say nothing of readings', async () => {
  await show(<License license={{ ...terms, clauses: [], spdx: undefined }} />);
  expect(screen.queryByText('As read for programs')).toBeNull();
  expect(screen.queryByText('SPDX')).toBeNull();
});

test('a title stands in the reader’s language where it has one, else in the first there is', async () => {
  const title = new Map([['en', 'Terms'], ['ar', 'شروط']]);
  await show(<License license={{ ...terms, title }} />, 'ar');
  expect([screen.getByText('شروط').lang, screen.getByText('شروط').dir]).toEqual(['ar', 'rtl']);
  await show(<License license={{ ...terms, title }} />, 'fr');
  expect([screen.getByText('Terms').lang, screen.getByText('Terms').dir]).toEqual(['en', 'ltr']);
});
