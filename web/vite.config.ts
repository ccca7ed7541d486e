import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` finds a node; `make demo` prints the addresses of three. */
const node = process.env['CHANCERY_NODE'] ?? 'http://127.0.0.1:8420';
const ofNode = ['/graphql', '/record', '/bundle', '/blob', '/log', '/mirror', '/introduction', '/health'];

export default defineConfig({
  plugins: [react()],
  build: {
    manifest: true,
    // Everything is a file of its own: the page's policy allows no inline script, style or data.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2023',
  },
  worker: { format: 'es' },
  server: { proxy: Object.fromEntries(ofNode.map((path) => [path, { target: node }])) },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'] },
});
