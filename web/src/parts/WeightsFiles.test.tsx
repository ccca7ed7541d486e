import { screen, within } from '@testing-library/react';
import { expect, test } from 'vitest';

import { recordOf } from '../test/vectors';
import { show } from '../test/visit';
import { WeightsFiles } from './WeightsFiles';

const { body: weights } = await recordOf('weights');
const [file] = weights.files;

test('every file has a row with its path, size and digest', async () => {
  await show(<WeightsFiles weights={weights} />);
  screen.getByText('3 files, 16.8 MB together');
  const [, ...rows] = screen.getAllByRole('row');
  expect(rows.map((row) => within(row).getByRole('rowheader').textContent)).toEqual(['a-b', 'a/b', 'c']);
  expect(rows.map((row) => within(row).getAllByRole('cell')[0]!.textContent)).toEqual(['16.8 MB', '0 bytes', '5 bytes']);
  within(rows[0]!).getByTitle(file!.sha256);
});

test('files that can run code are marked, and no others', async () => {
  const files = [{ ...file!, path: 'model.pkl', format: 'pickle' }, { ...file!, path: 'load.py', format: 'script' }, file!];
  await show(<WeightsFiles weights={{ ...weights, files }} />);
  const headers = screen.getAllByRole('rowheader').map((header) => header.textContent);
  expect(headers).toEqual(['model.pkl (can run code)', 'load.py (can run code)', 'a-b']);
});

test('a path that would turn the line shows the characters that do', async () => {
  await show(<WeightsFiles weights={{ ...weights, files: [{ ...file!, path: 'a\u202egpj.exe' }] }} />, 'ar');
  const path = screen.getByText('agpj.exe');
  within(path).getByText('U+202E');
  expect(path.dir).toBe('ltr');
});

test.each([
  ['en', 201, 'and 1 more file; the bundle names all.'],
  ['ru', 202, 'и ещё 2 файла; в пакете названы все.'],
  ['ru', 205, 'и ещё 5 файлов; в пакете названы все.'],
  ['ar', 202, 'وملفان آخران؛ والحزمة تسمّيها جميعًا.'],
] as const)('in %s of %d files the first two hundred are listed, and the others counted', async (language, count, words) => {
  const files = Array.from({ length: count }, (_, index) => ({ ...file!, path: `part-${index}` }));
  await show(<WeightsFiles weights={{ ...weights, files }} />, language);
  expect(document.querySelectorAll('tbody tr')).toHaveLength(200);
  screen.getByText(words);
});

test('two hundred files are all listed, and nothing says that there are more', async () => {
  const files = Array.from({ length: 200 }, (_, index) => ({ ...file!, path: `part-${index}` }));
  await show(<WeightsFiles weights={{ ...weights, files }} />);
  screen.getByText('part-199');
  expect(screen.queryByText(/the bundle names all/)).toBeNull();
});
