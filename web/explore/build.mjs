// Copies the built files of GraphiQL and React, and our page around them, to `dist`.
// The server embeds `dist`; nothing is fetched from elsewhere when the page is shown.
import { cp, mkdir, rm } from 'node:fs/promises';

const files = {
  'node_modules/react/umd/react.production.min.js': 'react.js',
  'node_modules/react-dom/umd/react-dom.production.min.js': 'react-dom.js',
  'node_modules/graphiql/graphiql.min.js': 'graphiql.js',
  'node_modules/graphiql/graphiql.min.css': 'graphiql.css',
  'src/index.html': 'index.html',
  'src/page.js': 'page.js',
  'src/page.css': 'page.css',
};

await rm('dist', { recursive: true, force: true });
await mkdir('dist');
for (const [from, to] of Object.entries(files)) {
  await cp(from, `dist/${to}`);
}
