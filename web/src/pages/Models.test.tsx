import { screen, within } from '@testing-library/react';
import { expect, test, vi } from 'vitest';

import { listOf, model, nation, record, verdict } from '../test/facts';
import { never, noNode, nodeWith } from '../test/node';
import { visit } from '../test/visit';

const nations = [nation(), nation({ id: 'KE', code: 'KE' })];

/** What the node was asked last. */
function asked(models: ReturnType<typeof vi.fn>): unknown {
  return models.mock.lastCall?.[0];
}

test('a model is shown by its name, nation, version, languages and terms', async () => {
  const said = { license: 'Apache-2.0', version: '2.1', languages: ['fr', 'wo', 'ar', 'sw', 'en', 'zh'] };
  await visit('/en/models', nodeWith({ nations, models: listOf([model(said)]) }));
  const card = await screen.findByRole('article');
  expect(within(card).getByRole('link', { name: 'Sample model' }).getAttribute('href')).toBe('/en/model/FR/lab/model');
  const facts = within(card).getAllByRole('listitem').map((fact) => fact.textContent);
  expect(facts).toEqual(['France FR', 'lab/model', 'Version 2.1', 'Apache-2.0', 'French, Wolof, Arabic, Swahili and 2 more']);
});

test('a model whose card does not count says so, and one that counts says nothing', async () => {
  const replaced = model({ id: 'old', card: record({ verdict: verdict('SUPERSEDED') }) });
  await visit('/en/models', nodeWith({ nations, models: listOf([model(), replaced]) }));
  const [valid, superseded] = (await screen.findAllByRole('article')).map((card) => card.textContent);
  expect(superseded).toMatch('replaced by a later record, says this node');
  expect(valid).not.toMatch('says this node');
});

test('the node is asked for just what was filled in, and the address keeps it', async () => {
  const models = vi.fn(() => listOf([]));
  const user = await visit('/en/models', nodeWith({ nations, models }));
  await screen.findByRole('option', { name: 'Kenya' });
  await user.type(screen.getByRole('searchbox', { name: 'Words' }), ' law ');
  await user.selectOptions(screen.getByRole('combobox', { name: 'Nation' }), 'Kenya');
  await user.type(screen.getByRole('textbox', { name: 'Knows the language' }), 'sw');
  await user.click(screen.getByRole('button', { name: 'Search' }));
  await vi.waitFor(() => expect(asked(models)).toMatchObject({ filter: { text: 'law', nation: 'KE', language: 'sw' } }));
  expect(Object.fromEntries(new URLSearchParams(location.search))).toMatchObject({ text: 'law', nation: 'KE', language: 'sw' });
});

test('an address with filters fills in the form, a nation too that is not held here', async () => {
  const models = vi.fn(() => listOf([]));
  await visit('/en/models?text=law&nation=BR&license=Apache-2.0&language=pt-BR&after=', nodeWith({ nations, models }));
  await screen.findByText('No model is like that.');
  expect(screen.getByRole('searchbox', { name: 'Words' })).toHaveProperty('value', 'law');
  expect(screen.getByRole('combobox', { name: 'Nation' })).toHaveProperty('value', 'BR');
  expect(screen.getByRole('textbox', { name: 'Knows the language' })).toHaveProperty('value', 'pt-BR');
  expect(screen.getByRole('textbox', { name: 'License' })).toHaveProperty('value', 'Apache-2.0');
  expect(asked(models)).toMatchObject({ filter: { text: 'law', nation: 'BR', language: 'pt-BR', license: 'Apache-2.0' } });
});

test('pages follow each other by links that keep the filters', async () => {
  const second = { pageInfo: { hasPreviousPage: true, hasNextPage: false, startCursor: null, endCursor: 'end' } };
  const first = { pageInfo: { hasPreviousPage: false, hasNextPage: true, startCursor: null, endCursor: 'a+b' } };
  const models = vi.fn(({ after }: { after?: unknown }) => listOf([model()], { totalCount: 48, ...(after === 'a+b' ? second : first) }));
  const user = await visit('/en/models?text=law', nodeWith({ nations, models }));
  const pages = await screen.findByRole('navigation', { name: 'Pages' });
  expect(within(pages).queryByRole('link', { name: 'First page' })).toBeNull();
  await user.click(within(pages).getByRole('link', { name: 'Next page' }));
  await user.click(await screen.findByRole('link', { name: 'First page' }));
  expect(models.mock.calls.map(([args]) => args)).toMatchObject([
    { filter: { text: 'law' } },
    { filter: { text: 'law' }, after: 'a+b' },
  ]);
  const address = new URLSearchParams(location.search);
  expect([address.get('text'), address.get('after')]).toEqual(['law', null]);
});

test('models come in the order of the address, page links keep it, and another one begins at the first page', async () => {
  const pageInfo = { hasPreviousPage: true, hasNextPage: true, startCursor: null, endCursor: 'two' };
  const models = vi.fn(() => listOf([model()], { totalCount: 60, pageInfo }));
  const user = await visit('/en/models?text=umoja&order=name&after=one', nodeWith({ nations, models }));
  const next = await screen.findByRole('link', { name: 'Next page' });
  expect(next.getAttribute('href')).toBe('/en/models?text=umoja&order=name&after=two');
  expect(screen.getByRole('link', { name: 'First page' }).getAttribute('href')).toBe('/en/models?text=umoja&order=name');
  expect(asked(models)).toMatchObject({ filter: { text: 'umoja' }, order: 'NAME', after: 'one' });
  const order = screen.getByRole('combobox', { name: 'Order' });
  expect(order).toHaveProperty('value', 'name');
  await user.selectOptions(order, 'Newest first');
  await user.click(screen.getByRole('button', { name: 'Search' }));
  await vi.waitFor(() => expect(asked(models)).toMatchObject({ filter: { text: 'umoja' }, order: 'NEWEST', after: null }));
  expect(screen.queryByRole('link', { name: 'First page' })).toBeNull();
});

test('the last page has no next one', async () => {
  await visit('/en/models', nodeWith({ nations, models: listOf([model()]) }));
  await screen.findByText('1 model found');
  expect(screen.queryByRole('link', { name: 'Next page' })).toBeNull();
});

test('where no model is like that, all are one link away', async () => {
  const models = vi.fn(({ filter }: { filter?: unknown }) => listOf(Object.keys(filter ?? {}).length > 0 ? [] : [model()]));
  const user = await visit('/en/models?text=nothing', nodeWith({ nations, models }));
  await screen.findByRole('heading', { name: 'No model found' });
  await user.click(screen.getByRole('link', { name: 'Show all' }));
  await screen.findByRole('heading', { name: '1 model found' });
  expect(screen.queryByText('No model is like that.')).toBeNull();
});

test('until the node answers the page says that it asks, and counts nothing', async () => {
  await visit('/en/models', nodeWith({ nations, models: never }));
  expect((await screen.findByRole('status')).textContent).toBe('Asking the node …');
  expect(screen.queryByRole('heading', { level: 2 })).toBeNull();
});

test('a node that refuses says why, in its own words', async () => {
  const models = (): never => {
    throw new Error('`after` is no cursor');
  };
  await visit('/en/models?after=x', nodeWith({ nations, models }));
  const alert = await screen.findByRole('alert');
  within(alert).getByRole('heading', { name: 'The node did not answer this question' });
  within(alert).getByText('`after` is no cursor');
  expect(screen.queryByRole('status')).toBeNull();
});

test('a node that cannot be reached can be asked again', async () => {
  const user = await visit('/en/models', noNode);
  within(await screen.findByRole('alert')).getByRole('heading', { name: 'The node cannot be reached' });
  vi.stubGlobal('fetch', nodeWith({ nations, models: listOf([model()]) }));
  await user.click(screen.getByRole('button', { name: 'Ask again' }));
  await screen.findByRole('link', { name: 'Sample model' });
  expect(screen.queryByRole('alert')).toBeNull();
});

test.each([
  ['ru', 1, 'Найдена 1 модель'], ['ru', 3, 'Найдены 3 модели'], ['ru', 5, 'Найдено 5 моделей'], ['ru', 21, 'Найдена 21 модель'],
  ['zh', 1, '找到 1 个模型'], ['zh', 5, '找到 5 个模型'], ['ar', 2, 'عُثر على نموذجين'],
])('in %s %d models are counted in words that fit', async (language, totalCount, words) => {
  await visit(`/${language}/models`, nodeWith({ nations, models: listOf([], { totalCount }) }));
  await screen.findByRole('heading', { level: 2, name: words });
});

test('the portal is asked in its language, and shows names in theirs', async () => {
  const displayName = vi.fn(() => 'نموذج');
  const displayNames = [{ language: 'en', text: 'Sample model' }, { language: 'ar', text: 'نموذج' }];
  await visit('/ar/models', nodeWith({ nations, models: listOf([model({ displayName, displayNames })]) }));
  const name = await screen.findByText('نموذج');
  expect([name.lang, name.dir]).toEqual(['ar', 'rtl']);
  expect(displayName).toHaveBeenCalledWith({ language: 'ar' });
  expect(screen.getByText('FR', { selector: 'abbr' }).dir).toBe('ltr');
  expect([document.documentElement.lang, document.documentElement.dir]).toEqual(['ar', 'rtl']);
});
