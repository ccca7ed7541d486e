import { cleanup, screen } from '@testing-library/react';
import { expect, test } from 'vitest';

import { recordOf } from '../test/vectors';
import { said, show } from '../test/visit';
import { Card } from './Card';

const { body: card } = await recordOf('model-card');

test('a card says what its publisher stated', async () => {
  await show(<Card card={card} />);
  expect(said('Languages')).toBe('French, Wolof');
  expect(said('Tasks')).toBe('text-generation');
  expect(said('Architecture')).toBe('transformer-decoder · 7.3e10');
  expect(said('Made from')).toBe('urn:chancery:KE:lab:base@1 finetune');
  expect(said('Training data')).toBe('Web France, European Union');
  expect(said('Where it was trained')).toBe('Jean Zay France2.1e25 FLOP');
  expect(said('Sectors')).toBe('health · conditional · a physician decides');
  expect(said('Contacts')).toBe('https://lab.example/contact');
  expect(said('Annotators’ nations')).toBe('Senegal');
});

test('what is not stated is said so, and is not the same as none', async () => {
  await show(<Card card={{ ...card, lineage: [], limitations: [] }} />);
  expect(said('Made from')).toBe('no other model, its publisher states');
  expect(said('Limitations')).toBe('none known, its publisher states');
  cleanup();
  await show(<Card card={{ ...card, lineage: undefined, limitations: undefined }} />);
  expect([said('Made from'), said('Limitations')]).toEqual(['not stated', 'not stated']);
});

test.each(['Languages', 'Tasks', 'Architecture', 'Training data', 'Where it was trained', 'Sectors', 'Contacts'])(
  '%s that nobody stated are not left blank',
  async (term) => {
    const empty = { languages: [], tasks: [], sectors: [], contacts: [] };
    const unsaid = { architecture: undefined, trainingData: undefined, compute: undefined };
    await show(<Card card={{ ...card, ...empty, ...unsaid }} />);
    expect(said(term)).toBe('not stated');
  },
);

test('the text is shown in the reader’s language, and in no other without a word about it', async () => {
  const text = new Map([['en', 'In English.'], ['ar', 'بالعربية.']]);
  await show(<Card card={{ ...card, culturalAlignment: undefined, text }} />, 'ar');
  await screen.findByText('بالعربية.');
  expect(screen.queryByText('In English.')).toBeNull();
  expect(screen.getByText('بالعربية.').closest('.prose')?.getAttribute('dir')).toBe('rtl');
});

test('a text that is in another language says in which', async () => {
  await show(<Card card={{ ...card, culturalAlignment: undefined }} />);
  await screen.findByRole('heading', { level: 3, name: 'Modèle' });
  screen.getByText('This text is in French; there is none in your language.');
});
