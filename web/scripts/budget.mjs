// Holds the weight of the portal: what a first visit loads, and each page and language after it (gzip).
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const FIRST_KIB = 170;
const PAGE_KIB = 60;
const LANGUAGE_KIB = 25;

const manifest = JSON.parse(readFileSync('dist/.vite/manifest.json', 'utf8'));
const size = (file) => gzipSync(readFileSync(`dist/${file}`)).length / 1024;

/** A chunk with all that it needs at once. */
function withImports(key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const next of manifest[key].imports ?? []) withImports(next, seen);
  return seen;
}

const first = withImports('index.html');
const weigh = (keys) => [...keys].reduce((sum, key) => sum + size(manifest[key].file), 0);
const findings = [];
const check = (name, kib, most) => {
  console.log(`${name.padEnd(34)} ${kib.toFixed(1).padStart(6)} KiB of ${most}`);
  if (kib > most) findings.push(name);
};
check('first load', weigh(first), FIRST_KIB);
for (const [key, chunk] of Object.entries(manifest)) {
  if (!chunk.isDynamicEntry) continue;
  const own = [...withImports(key)].filter((part) => !first.has(part));
  check(key, weigh(own), key.includes('/messages/') ? LANGUAGE_KIB : PAGE_KIB);
}
if (findings.length > 0) {
  console.error(`too heavy: ${findings.join(', ')}`);
  process.exit(1);
}
