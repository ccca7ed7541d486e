// @vitest-environment node

/**
 * The golden vectors of every format, `schema/vectors`: the same files that Rust is held to.
 *
 * Each file has a runner that says what this implementation makes of a case. A good case must give `expect`,
 * a hostile one must be refused. The words of a refusal are our own; its code, where the vectors have one, its
 * step, its status and its place in the record are theirs. A file without a runner fails.
 */

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, describe, expect, test } from 'vitest';

import { bundleOf, type Case, folder } from '../test/vectors';
import {
  type AdmissionPolicy, EMPTY_STATE, type State, decide, endIn, readBodyOf, readSubmission,
  stateAfter, stateRemembering,
} from './admission';
import { type Bytes, concat, fromBase64, fromHex, toBase64, toHex, toUtf8 } from './bytes';
import { parseBundle } from './bundle';
import { type Checkpoint, checkpointText, openCheckpoint, parseCheckpoint } from './checkpoint';
import { proofTime, verifyCosignatures } from './cosignature';
import { type Digest, digestOf, isDigest, parseDigest } from './digest';
import { PublicKey } from './ed25519';
import { entryBytes, entryLeafHash, parseEntry } from './entry';
import { Envelope, PAYLOAD_TYPE, preAuthenticationEncoding } from './envelope';
import { type Frame, readFrame, verifyPackage } from './frame';
import { parse } from './json';
import { keyIdOf, openKey, possessionMessage, publicKeyFromSpki, readKeyRecord, readRole, toSpki } from './key';
import { isLanguage, isModelId, isName, isNation, isNationInUse, isOrigin } from './name';
import { VerifierKey, parseNote, verifyNote } from './note';
import { judge, metSince, parsePolicy } from './policy';
import { parseProof, verifyProof } from './proof';
import { checkNewRecord, readRecord } from './record';
import { readEvidence, verifyEvidence } from './record/evidence';
import { Refused } from './refused';
import { standingOf } from './roster';
import { parseStatement } from './statement';
import { isDate, isDecimal, isSpdxExpression, lineProblem, mediaTypeProblem, pathProblem, uriProblem } from './text';
import { formatTime, parseTime } from './time';
import { type Tile, newBundles, newTiles, parseEntries, parseTilePath, tilePath } from './tile';
import { Frontier, leafHash, nodeHash, verifyConsistency, verifyInclusion, verifySubtree } from './tree';
import { type Report, type Trust, verify } from './verify';
import { decideRequest, parseAnswer, parseRequest } from './witness';

/** What this implementation makes of a case; throws `Refused` when it refuses it. */
type Runner = (it: Case, cases: readonly Case[]) => unknown;

/** A member that is text, or base64 of bytes when its name ends in `Base64`; `fill` letters A stand for `<fill>`. */
function bytesOf(it: Case, member: string): Bytes {
  const text: string | undefined = it[member];
  if (text === undefined) return fromBase64(it[`${member}Base64`]);
  return toUtf8(it['fill'] === undefined ? text : text.replace('<fill>', 'A'.repeat(it['fill'])));
}

function filled(bytes: Bytes, spaces: number | undefined): Bytes {
  return concat(bytes, new Uint8Array(spaces ?? 0).fill(0x20));
}

const hashes = (list: readonly string[]): readonly Bytes[] => list.map(fromHex);

function described(checkpoint: Checkpoint): Record<string, string> {
  return { origin: checkpoint.origin, size: String(checkpoint.size), root: toHex(checkpoint.root) };
}

/** Refuses what a predicate does not hold of. */
function form(holds: boolean): null {
  if (!holds) throw new Refused('text', 'not of this form');
  return null;
}

const FORMS: Record<string, (text: string) => unknown> = {
  nation: (text) => form(isNation(text)),
  'nation-in-use': (text) => form(isNationInUse(text)),
  name: (text) => form(isName(text)),
  origin: (text) => form(isOrigin(text)),
  language: (text) => form(isLanguage(text)),
  model: (text) => form(isModelId(text)),
  digest: (text) => form(parseDigest(text) === text && isDigest(text)),
  decimal: (text) => form(isDecimal(text)),
  date: (text) => form(isDate(text)),
  time: (text) => {
    const seconds = parseTime(text);
    expect(formatTime(seconds)).toBe(text);
    return seconds;
  },
  line: (text) => form(lineProblem(text) === undefined),
  uri: (text) => form(uriProblem(text) === undefined),
  'media-type': (text) => form(mediaTypeProblem(text) === undefined),
  path: (text) => form(pathProblem(text) === undefined),
  spdx: (text) => form(isSpdxExpression(text)),
};

/** The statement of a case of record.json: whole, or another one after `set` and `remove` (RFC 6901). */
function statementOf(it: Case, cases: readonly Case[]): unknown {
  if (it['of'] === undefined) return it['statement'];
  const statement = structuredClone(cases.find((other) => other.name === it['of'])!['statement']);
  const parentOf = (pointer: string): readonly [any, string] => {
    const parts = pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = parts.pop()!;
    return [parts.reduce((value, part) => value[part], statement), last];
  };
  for (const [pointer, value] of Object.entries(it['set'] ?? {})) {
    const [parent, member] = parentOf(pointer);
    parent[member] = value;
  }
  if (it['remove'] !== undefined) {
    const [parent, member] = parentOf(it['remove']);
    expect(Object.keys(parent)).toContain(member);
    delete parent[member];
  }
  return statement;
}

function describedFrame(frame: Frame): unknown {
  switch (frame.type) {
    case 'package': {
      const { origin, start, treeSize, entries, proof } = frame.package;
      return {
        type: 3,
        origin,
        start: String(start),
        treeSize: String(treeSize),
        entries: entries.map(toBase64),
        proof: proof.length,
      };
    }
    case 'missing':
      return { type: 7, payload: toBase64(fromHex(frame.missing)) };
    case 'end': {
      const payload = new Uint8Array(8);
      new DataView(payload.buffer).setBigUint64(0, frame.frames);
      return { type: 8, payload: toBase64(payload) };
    }
    default: {
      const type = { header: 1, checkpoint: 2, envelope: 4, blob: 5, proof: 6, former: 9 }[frame.type];
      return { type, payload: toBase64(frame.payload) };
    }
  }
}

/** The log in which the cases named in `after` stand, as a mirror of it sees it. */
async function stateOf(it: Case, cases: readonly Case[]): Promise<State> {
  let state = EMPTY_STATE;
  for (const name of it['after'] as readonly string[]) {
    const submission = await readSubmission(toUtf8(cases.find((other) => other.name === name)!['envelope']));
    state = stateAfter(state, await decide(submission, state, { asks: 'mirror', origin: it['origin'] }));
  }
  return { ...state, position: state.position + (it['void'] ?? 0) };
}

function policyOf(it: Case): AdmissionPolicy {
  const own = it['own'];
  if (own === undefined) return { asks: 'mirror', origin: it['origin'] };
  const blobs = new Map(Object.entries(own.blobs).map(([sha256, size]) => [parseDigest(sha256), size as number]));
  return { asks: 'own', nation: own.nation, origin: own.origin, now: parseTime(own.now), blobs };
}

/** Entry `i` is `i` as eight bytes, big-endian. */
function counting(index: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(index));
  return bytes;
}

/** All complete subtrees of the tree of `size` counting leaves, by level. */
function countingTree(size: number): readonly (readonly Bytes[])[] {
  const levels = [Array.from({ length: size }, (_, index) => leafHash(counting(index)))];
  for (let row = levels[0]!; row.length > 1; row = levels.at(-1)!) {
    levels.push(Array.from({ length: row.length >> 1 }, (_, i) => nodeHash(row[2 * i]!, row[2 * i + 1]!)));
  }
  return levels;
}

function tilesOf(size: number): unknown {
  const tree = countingTree(size);
  const bytesOfTile = ({ level, index, width }: Tile): Bytes => {
    const from = Number(index) * 256;
    return concat(...(tree[8 * (level as number)] ?? []).slice(from, from + width));
  };
  const tiles = newTiles(0n, BigInt(size));
  const levels = [...new Set(tiles.map((tile) => tile.level))].map((level) => {
    const row = tiles.filter((tile) => tile.level === level);
    const last = row.at(-1)!;
    const lastSha256 = digestOf(bytesOfTile(last));
    const full = row.filter((tile) => tile.width === 256).length;
    return { full, partial: last.width % 256, last: tilePath(last), lastSha256 };
  });
  const entries = newBundles(0n, BigInt(size)).flatMap(({ index, width }) =>
    Array.from({ length: width }, (_, i) => concat(Uint8Array.of(0, 8), counting(Number(index) * 256 + i))),
  );
  return {
    levels,
    tiles: tiles.length,
    tilesSha256: digestOf(concat(...tiles.map(bytesOfTile))),
    bundlesSha256: digestOf(concat(...entries)),
  };
}

const RUNNERS: Record<string, Runner> = {
  json: (it) => {
    parse(fromBase64(it['bytes']));
    return true;
  },

  ed25519: async (it) => {
    const key = PublicKey.fromBytes(fromHex(it['publicKey']));
    if (!(await key.verify(fromHex(it['message']), fromHex(it['signature'])))) throw new Refused('bad-signature', 'no');
    return true;
  },

  text: (it) => FORMS[it['form']]!(it['text']),

  statement: (it) => {
    const { kind, version, subjects, predicate } = parseStatement(bytesOf(it, 'payload'));
    return { kind, version, subjects: subjects.map(({ name, sha256 }) => [name, sha256]), predicate };
  },

  envelope: async (it) => {
    const bytes = filled(bytesOf(it, 'envelope'), it['spacesAfter']);
    const envelope = Envelope.parse(bytes);
    expect(Envelope.fromFixed(envelope.bytes).digest, 'the fixed form is fixed').toBe(envelope.digest);
    const read = {
      isFixed: toHex(bytes) === toHex(envelope.bytes),
      fixed: new TextDecoder().decode(envelope.bytes),
      digest: envelope.digest,
      recordDigest: envelope.recordDigest,
      signedMessage: toBase64(preAuthenticationEncoding(PAYLOAD_TYPE, envelope.payload)),
    };
    const keys: readonly string[] | undefined = it['keys'];
    if (keys === undefined) return read;
    const verified = keys.map((key) => envelope.verifiedBy(publicKeyFromSpki(fromBase64(key))));
    return { ...read, verified: await Promise.all(verified) };
  },

  'public-key': (it) => {
    const key = publicKeyFromSpki(fromHex(it['spki']));
    expect(toHex(toSpki(key)), 'a key has one DER').toBe(it['spki']);
    return { key: toHex(key.bytes), keyid: keyIdOf(key) };
  },

  'key-record': async (it) => {
    const record = readKeyRecord(it['record'], '');
    const role = readRole(it['role'], '');
    await openKey(record, it['nation'], it['origin'], role);
    return { message: new TextDecoder().decode(possessionMessage(it['nation'], it['origin'], role, record.keyid)) };
  },

  record: async (it, cases) => {
    const record = await readRecord(parseStatement(toUtf8(JSON.stringify(statementOf(it, cases)))));
    if (it['new'] === true) checkNewRecord(record);
    const { kind, references, blobs, scope = null } = record;
    return { kind, references, blobs, scope };
  },

  admission: async (it, cases) => {
    const submission = await readSubmission(filled(toUtf8(it['envelope']), it['spacesAfter']));
    const admitted = await decide(submission, await stateOf(it, cases), policyOf(it));
    return { digest: admitted.digest, kind: admitted.record.kind, signers: admitted.signers };
  },

  standing: async (it, cases) => {
    const log: readonly string[] = (cases.find(({ name }) => name === it['of']) ?? it)['log'];
    const erased: readonly number[] = it['erased'] ?? [];
    const read = await Promise.all(log.slice(0, it['size']).map((envelope) => readSubmission(toUtf8(envelope))));
    let state = EMPTY_STATE;
    let asked: Digest | undefined;
    for (const [position, submission] of read.entries()) {
      if (position === it['index']) asked = submission.digest;
      if (erased.includes(position)) {
        const redactions = read.flatMap(({ record }) => (record.kind === 'redaction' ? [record.body] : []));
        state = stateRemembering(state, redactions.find(({ index }) => index === position)!);
        continue;
      }
      const policy = { asks: 'mirror', origin: 'fr.example.org/chancery' } as const;
      const admitted = await decide(submission, state, policy);
      state = stateAfter(state, admitted);
    }
    const { kind, signers } = state.records.get(asked!)!;
    const standing = standingOf(state.roster!, kind, it['index'], asked!, signers);
    const end = endIn(state, asked!);
    return end === undefined ? standing : { ...standing, end: { kind: end.kind, index: end.index } };
  },

  body: async (it) => {
    const { digest } = await readBodyOf(parseEntry(toUtf8(it['entry'])), toUtf8(it['body']));
    return { digest };
  },

  entry: (it) => {
    const bytes = bytesOf(it, 'entry');
    const entry = parseEntry(bytes);
    expect(entryBytes(entry), 'an entry has one form').toEqual(bytes);
    return { kind: entry.kind, envelope: entry.envelope, leafHash: toHex(entryLeafHash(entry)) };
  },

  'tree-root': (it) => {
    const frontier = new Frontier();
    if (it['count'] === undefined) for (const leaf of it['leaves']) frontier.push(leafHash(fromHex(leaf)));
    else for (let index = 0; index < it['count']; index++) frontier.push(leafHash(counting(index)));
    if (toHex(frontier.root) !== it['root']) throw new Refused('proof-root', 'the root is another');
    return { peaks: frontier.peaks.map(toHex) };
  },

  'tree-inclusion': (it) => {
    const leaf = leafHash(fromHex(it['entry']));
    verifyInclusion(leaf, BigInt(it['index']), BigInt(it['size']), hashes(it['proof']), fromHex(it['root']));
    return { leafHash: toHex(leaf) };
  },

  'tree-consistency': (it) => {
    const old = { size: BigInt(it['old']), root: fromHex(it['oldRoot']) };
    verifyConsistency(old, { size: BigInt(it['new']), root: fromHex(it['newRoot']) }, hashes(it['proof']));
    return { holds: true };
  },

  'tree-subtree': (it) => {
    const [start, end, size] = [BigInt(it['start']), BigInt(it['end']), BigInt(it['size'])];
    verifySubtree(start, end, fromHex(it['subtreeRoot']), size, fromHex(it['root']), hashes(it['proof']));
    return { holds: true };
  },

  'tile-path': (it) => {
    const tile = parseTilePath(it['path']);
    const { level, index, width } = tile;
    return level === 'entries' ? { index: String(index), width } : { level, index: String(index), width };
  },

  tile: (it) => {
    if (it['old'] === undefined) return tilesOf(it['size']);
    const [old, size] = [BigInt(it['old']), BigInt(it['size'])];
    return { tiles: newTiles(old, size).map(tilePath), bundles: newBundles(old, size).map(tilePath) };
  },

  entries: (it) => ({ entries: parseEntries(fromBase64(it['bundle']), it['width']).map(toBase64) }),

  'verifier-key': (it) => {
    const { name, type, key, keyId } = VerifierKey.parse(it['key']);
    return { name, type: type === 'ed25519' ? 1 : 4, keyId: toHex(keyId), public: toHex(key.bytes) };
  },

  note: async (it) => {
    const bytes = bytesOf(it, 'note');
    const note = parseNote(bytes);
    expect(toUtf8(note.source), 'a note has one form').toEqual(bytes);
    const signers = await verifyNote(note, it['keys'].map((key: string) => VerifierKey.parse(key)));
    return {
      text: note.text.length < 1000 ? note.text : { bytes: toUtf8(note.text).length },
      lines: note.signatures.map(({ name }) => name),
      signers: signers.map(({ name }) => name),
    };
  },

  checkpoint: (it) => {
    const checkpoint = parseCheckpoint(it['checkpoint']);
    expect(checkpointText(checkpoint), 'a checkpoint has one text').toBe(it['checkpoint']);
    return described(checkpoint);
  },

  'signed-checkpoint': async (it) => {
    const { checkpoint, note } = await openCheckpoint(parseNote(toUtf8(it['note'])), VerifierKey.parse(it['log']));
    return { ...described(checkpoint), lines: note.signatures.map(({ name }) => name) };
  },

  cosignature: async (it) => {
    const signed = await openCheckpoint(parseNote(toUtf8(it['note'])), VerifierKey.parse(it['log']));
    const witnesses: readonly (readonly [string, VerifierKey])[] = it['witnesses'].map((text: string) => [
      text.slice(0, 2), VerifierKey.parse(text.slice(3)),
    ]);
    const seen = await verifyCosignatures(signed, witnesses.map(([, key]) => key));
    const byNation = seen.map((one) => [witnesses.find(([, key]) => key.equals(one.key))![0], one] as const);
    const times = Array.from({ length: 9 }, (_, k) => proofTime(byNation, 0n, k + 1)).filter((it) => it !== undefined);
    expect(proofTime(byNation, signed.checkpoint.size, 1), 'not covered').toBeUndefined();
    return { cosignatures: seen.map(({ key, time }) => [key.name, String(time)]), proofTimes: times.map(String) };
  },

  'witness-request': async (it) => {
    const request = parseRequest(bytesOf(it, 'body'));
    const last = it['stored'];
    const stored = last === null ? undefined : { size: BigInt(last.size), root: fromHex(last.root) };
    const log = it['log'] === null ? undefined : VerifierKey.parse(it['log']);
    const decision = await decideRequest(stored, request, log);
    if (decision.status !== 200) throw new Refused('witness-text', `${decision.status}`);
    const { size, root } = described(decision.signed.checkpoint);
    return { size, root };
  },

  'witness-answer': (it) =>
    parseAnswer(new TextDecoder().decode(bytesOf(it, 'body'))).map(({ name, keyId }) => [name, toHex(keyId)]),

  evidence: async (it) => {
    const { body } = await readEvidence(it['evidence']);
    const { log, earlier, later } = await verifyEvidence(body);
    return { log: log.toString(), earlier: described(earlier), later: described(later) };
  },

  policy: async (it) => {
    const policy = parsePolicy(bytesOf(it, 'policy'));
    const signed = await openCheckpoint(parseNote(toUtf8(it['note'])), VerifierKey.parse(it['log']));
    const missing = (await judge(policy, signed)) ?? null;
    const seen = await verifyCosignatures(signed, policy.witnesses.map((witness) => witness.key));
    const since = metSince(policy, signed.checkpoint, seen) ?? null;
    return { logs: policy.logs.length, witnesses: policy.witnesses.length, missing, since };
  },

  proof: async (it) => {
    const proof = parseProof(bytesOf(it, 'proof'));
    const { checkpoint } = await verifyProof(proof, toUtf8(it['entry']), VerifierKey.parse(it['log']));
    const { size, root } = described(checkpoint);
    const { extra } = proof;
    const read = { index: String(proof.index), size, root };
    if (extra === undefined) return read;
    return { ...read, extra: extra.length < 100 ? toBase64(extra) : { bytes: extra.length } };
  },

  frame: async (it) => {
    const bytes = fromBase64(it['frames']);
    const frames: unknown[] = [];
    let at = 0;
    for (let read = await readFrame(bytes, at); read !== undefined; read = await readFrame(bytes, at)) {
      frames.push(describedFrame(read.frame));
      at = read.end;
    }
    return { frames, waiting: bytes.length - at };
  },

  package: async (it) => {
    const read = await readFrame(fromBase64(it['frame']), 0);
    if (read?.frame.type !== 'package') throw new Error('not a package');
    const leaves = verifyPackage(read.frame.package, hashes(it['tail']), fromHex(it['root'])).map(toHex);
    return { first: leaves[0], last: leaves.at(-1) };
  },

  bundle: async (it, cases) => {
    const { header, records, blobs } = await parseBundle(bundleOf(it, cases));
    return { header, records: records.map((one) => one.envelope.recordDigest), blobs: [...blobs.keys()].sort() };
  },

  'bundle-verdict': bundleVerdict,
  succession: bundleVerdict,
};

/** What a bundle proves to a reader with this trust. */
async function bundleVerdict(...[it, cases]: Parameters<Runner>): Promise<unknown> {
  const trust: Trust =
    it['policy'] === undefined
      ? { pins: 'fingerprint', fingerprint: parseDigest(it['fingerprint']) }
      : { pins: 'policy', policy: parsePolicy(toUtf8(it['policy'])) };
  const report = await verify(await parseBundle(bundleOf(it, cases)), trust);
  const last = report.steps.at(-1)!;
  if (report.verdict === 'failed') throw new Refused('bundle', `${last.step}: ${last.problem}: ${last.reason}`);
  return {
    verdict: report.verdict,
    checks: report.steps.map(({ step, outcome }) => [step, outcome]),
    nation: report.nation,
    log: report.log,
    charterVersion: report.charterVersion,
    record: report.record,
    kind: report.kind,
    index: Number(report.index),
    size: Number(report.size),
    signers: report.signers,
    cosigners: report.cosigners.map(({ name, at }) => [name, formatTime(at)]),
    end: endOf(report),
  };
}

/** What ended a record, as the vectors say it. */
function endOf({ end }: Report): unknown {
  if (end === undefined) return null;
  const statement = end.statement === undefined ? null : Object.fromEntries(end.statement);
  return { ...end, issuedAt: formatTime(end.issuedAt), statement };
}

/** How a refusal must agree with the words of the vector, in the files whose words say more than prose. */
const AGREES: Record<string, (words: string, refusal: Refused) => void> = {
  admission: (words, { code }) => agree(/^([a-z-]+): /, words, code),
  body: (words, { code }) => agree(/^([a-z-]+): /, words, code),
  'bundle-verdict': (words, { message }) => agree(/^([a-z]+): /, words, message.split(':')[0]),
  succession: (words, { message }) => agree(/^([a-z]+): /, words, message.split(':')[0]),
  'witness-request': (words, { message }) => agree(/^([0-9]{3})/, words, /^[0-9]{3}/.exec(message)?.[0] ?? '400'),
  evidence: (words, { pointer }) => agree(/^(|\/.*?): /, words, pointer),
  // The pointer of the place, within the predicate.
  record: (words, { pointer }) => agree(/^is not well formed: (|\/.*?): /, words, pointer),
};

/** What both must say, where the words of the vector say it. */
function agree(form: RegExp, words: string, own: string | undefined): void {
  const said = form.exec(words)?.[1];
  if (said === undefined) return;
  agreed++;
  expect(own).toBe(said);
}

/** How many refusals were compared by more than being refusals. */
let agreed = 0;

interface Tally {
  cases: number;
  refused: number;
}

const table = new Map<string, Tally>();
const files = readdirSync(folder).filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -5));

test('every file of vectors has a runner, and every runner its file', () => {
  expect(Object.keys(RUNNERS).sort()).toEqual(files.sort());
});

describe.each(files)('%s', (file) => {
  const read = JSON.parse(readFileSync(join(folder, `${file}.json`), 'utf8'));
  const cases: readonly Case[] =
    read.cases ??
    read.vectors.map((it: any) => ({ ...it, ...(it.accept ? { expect: true } : { refused: 'refused' }) }));
  const runner = RUNNERS[file] ?? (() => expect.unreachable(`${file}.json is read by no runner`));
  table.set(file, { cases: cases.length, refused: cases.filter((it) => it.refused !== undefined).length });

  test.each(cases.map((it) => [it.name, it] as const))('%s', async (_, it) => {
    if (it.refused === undefined) {
      expect(it).toHaveProperty('expect');
      expect(await runner(it, cases)).toEqual(it.expect);
      return;
    }
    const refusal = await Promise.resolve()
      .then(() => runner(it, cases))
      .then(
        () => expect.unreachable('it should be refused'),
        (error: unknown) => error,
      );
    expect(refusal).toBeInstanceOf(Refused);
    AGREES[file]?.(it.refused, refusal as Refused);
  }, 60_000);
});

afterAll(() => {
  const sum = (count: (it: Tally) => number): number => [...table.values()].reduce((all, it) => all + count(it), 0);
  const total: Tally = { cases: sum((it) => it.cases), refused: sum((it) => it.refused) };
  const number = (count: number): string => String(count).padStart(5);
  const lines = [...table, ['in all', total] as const].map(
    ([file, it]) => `${file.padEnd(18)}${number(it.cases)} cases,${number(it.refused)} refused`,
  );
  console.log([...lines, `${agreed} refusals agree in code, step, status or place`].join('\n'));
});
