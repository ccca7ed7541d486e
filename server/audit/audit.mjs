// Runs every audit of graphql-http against the endpoint named on the command line.
// Prints one line for each; ends with 1 unless all of them are met.
import { auditServer } from 'graphql-http';

const AUDITS = 61;

const [url] = process.argv.slice(2);
if (!url) {
  console.error('usage: node audit.mjs http://127.0.0.1:8420/graphql');
  process.exit(2);
}

const results = await auditServer({ url, fetchFn: fetch });
for (const { id, name, status, reason } of results) {
  console.log(`${status.padEnd(6)} ${id} ${name}${status === 'ok' ? '' : `: ${reason}`}`);
}
const ok = results.filter(({ status }) => status === 'ok').length;
console.log(`${ok} of ${results.length} audits are met`);
process.exitCode = ok === results.length && results.length === AUDITS ? 0 : 1;
