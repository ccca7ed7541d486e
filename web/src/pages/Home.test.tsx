import { screen } from '@testing-library/react';
import { expect, test, vi } from 'vitest';

import { listOf, model, nation } from '../test/facts';
import { nodeWith } from '../test/node';
import { visit } from '../test/visit';

const kenya = nation({ id: 'KE', code: 'KE', own: true, fingerprint: '0123'.repeat(16), displayName: 'Kenya' });

test('the first page says whose node it is, and its fingerprint in groups of four', async () => {
  await visit('/en', nodeWith({ nations: [nation(), kenya], models: listOf([]) }));
  await screen.findByRole('heading', { level: 2, name: 'This is the node of Kenya KE' });
  expect(screen.getByText(Array(16).fill('0123').join(' '))).toHaveProperty('dir', 'ltr');
  expect(screen.getByRole('link', { name: 'More about this nation' }).getAttribute('href')).toBe('/en/nation/KE');
});

test('the first page shows what was published last, and counts what is held', async () => {
  await visit('/en', nodeWith({ nations: [nation(), kenya], models: listOf([model()], { totalCount: 1234 }) }));
  await screen.findByText('1,234 models of 2 nations are held here.');
  expect(screen.getByRole('link', { name: 'Sample model' }).getAttribute('href')).toBe('/en/model/FR/lab/model');
});

test('a node that is of no nation says of none that it is', async () => {
  await visit('/en', nodeWith({ nations: [nation()], models: listOf([]) }));
  await screen.findByText('0 models of 1 nation are held here.');
  expect(screen.queryByText(/This is the node of/)).toBeNull();
});

test('words of the first page are looked for among the models', async () => {
  const models = vi.fn(() => listOf([]));
  const user = await visit('/en', nodeWith({ nations: [], models }));
  await user.type(await screen.findByRole('searchbox', { name: 'Words' }), ' droit & santé {Enter}');
  await screen.findByRole('heading', { level: 1, name: 'Models' });
  expect(screen.getByRole('searchbox', { name: 'Words' })).toHaveProperty('value', 'droit & santé');
  await vi.waitFor(() => expect(models).toHaveBeenLastCalledWith(expect.objectContaining({ filter: { text: 'droit & santé' } })));
});

test('what the node could answer is shown beside what it could not', async () => {
  const license = (): never => {
    throw new Error('the record could not be read');
  };
  await visit('/en', nodeWith({ nations: [kenya], models: listOf([model({ license })]) }));
  const alert = await screen.findByRole('alert');
  expect(alert.textContent).toMatch('the record could not be read');
  screen.getByRole('link', { name: 'Sample model' });
  screen.getByRole('heading', { name: 'This is the node of Kenya KE' });
});
