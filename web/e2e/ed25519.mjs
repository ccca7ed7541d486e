// The portal's Ed25519 in a real browser, for whoever compares verifiers. As tests/judges, it reads
// `key:message:signature` in hexadecimal from each line of standard input and answers with `1` or `0`;
// before that it says which browser it is.
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { launch, open } from './browser.mjs';

const ORIGIN = 'http://127.0.0.1';

/** `src/verify/ed25519.ts` and what it imports, as the portal is built. */
async function bundle() {
  const [{ output }] = await build({
    configFile: false,
    root: fileURLToPath(new URL('..', import.meta.url)),
    logLevel: 'error',
    build: { write: false, target: 'es2023', lib: { entry: 'src/verify/ed25519.ts', formats: ['es'] } },
  });
  return output[0].code;
}

/** Runs in the page: a verdict for each case, or why there is none. */
async function judge(cases) {
  const { PublicKey, cannotVerify } = await import('/ed25519.js');
  const problem = await cannotVerify();
  if (problem !== undefined) throw new Error(`this browser cannot verify: ${problem}`);
  const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const accepts = async ([key, message, signature]) => {
    let read;
    try {
      read = PublicKey.fromBytes(bytes(key));
    } catch (error) {
      if (error.name === 'Refused') return false;
      throw error;
    }
    return read.verify(bytes(message), bytes(signature));
  };
  const verdicts = [];
  for (const one of cases) verdicts.push(await accepts(one));
  return verdicts;
}

const cases = (await text(process.stdin)).split('\n').filter((line) => line !== '').map((line) => line.split(':'));
const code = await bundle();
const browser = await launch();
try {
  const { page, wrongs } = await open(browser);
  const files = {
    '/': { contentType: 'text/html', body: '<!doctype html><title>Ed25519</title>' },
    '/ed25519.js': { contentType: 'text/javascript', body: code },
  };
  await page.route(`${ORIGIN}/**`, (route) => route.fulfill(files[new URL(route.request().url()).pathname] ?? { status: 404 }));
  await page.goto(`${ORIGIN}/`);
  const verdicts = await page.evaluate(judge, cases);
  if (wrongs.length > 0) throw new Error(wrongs.join('\n'));
  process.stdout.write([`Chromium ${browser.version().split('.')[0]}`, ...verdicts.map((verdict) => (verdict ? '1' : '0'))].join('\n') + '\n');
} finally {
  await browser.close();
}
