// @sigstore/verify judges an OMS bundle of ours: its form, and its signature by the key that is pinned.
//
// sigstore.mjs MODULES BUNDLE PUBLIC-KEY: the folder where npm installed the judge, files
import { createHash, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const [modules, bundleFile, keyFile] = process.argv.slice(2);
const require = createRequire(resolve(modules, 'package.json'));
const { bundleFromJSON } = require('@sigstore/bundle');
const { Verifier, toSignedEntity } = require('@sigstore/verify');
const { version } = require('@sigstore/verify/package.json');

const pem = readFileSync(keyFile);
const trusted = createHash('sha256').update(pem).digest('hex');
const verifier = new Verifier(
  {
    certificateAuthorities: [],
    timestampAuthorities: [],
    tlogs: [],
    ctlogs: [],
    publicKey: (hint) => {
      if (hint !== trusted) throw new Error(`the key ${hint} is not pinned`);
      return { publicKey: createPublicKey(pem), validFor: () => true };
    },
  },
  // A key alone: no log of Sigstore's, no certificate, no time stamp.
  { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 },
);

function problem(bundle) {
  try {
    verifier.verify(toSignedEntity(bundleFromJSON(bundle)));
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Copies of a base64 text, each with one bit of one byte turned over. */
function* turned(text) {
  const bytes = Buffer.from(text, 'base64');
  for (let at = 0; at < bytes.length; at++) {
    const copy = Buffer.from(bytes);
    copy[at] ^= 1;
    yield copy.toString('base64');
  }
}

function* tampered(bundle) {
  const bent = (change) => {
    const copy = structuredClone(bundle);
    change(copy, copy.dsseEnvelope.signatures);
    return copy;
  };
  const { payload, signatures } = bundle.dsseEnvelope;
  for (const copy of turned(payload)) yield bent((it) => (it.dsseEnvelope.payload = copy));
  for (const copy of turned(signatures[0].sig)) yield bent((_, [one]) => (one.sig = copy));
  yield bent((it) => (it.dsseEnvelope.payloadType = 'text/plain'));
  yield bent((it) => (it.mediaType = 'text/plain'));
  yield bent((it) => (it.verificationMaterial.publicKey.hint = createHash('sha256').digest('hex')));
  yield bent((it) => delete it.verificationMaterial);
  yield bent((_, all) => all.push(all[0]));
  yield bent((_, all) => all.pop());
}

const bundle = JSON.parse(readFileSync(bundleFile, 'utf8'));
const genuine = problem(bundle);
const copies = [...tampered(bundle)];
const refused = copies.filter((copy) => problem(copy) !== undefined).length;
const verdict = genuine === undefined ? 'verified' : `WRONG: ${genuine.message}`;
console.log([`@sigstore/verify ${version}`, 'our OMS bundle', verdict, `refused ${refused} of ${copies.length}`].join('\t'));
process.exitCode = genuine === undefined && refused === copies.length ? 0 : 1;
