import { cleanup, render } from '@testing-library/react';
import { afterEach, expect, test } from 'vitest';

import { Prose } from './Prose';

afterEach(cleanup);

test('headings of a card stand below those of the page, none above one that it is under', () => {
  const { container } = render(<Prose markdown={['#', '##', '###', '####', '#####', '######'].map((it) => `${it} h`).join('\n\n')} />);
  const levels = [...container.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((heading) => heading.tagName);
  expect(levels).toEqual(['H3', 'H4', 'H5', 'H6', 'H6', 'H6']);
});
