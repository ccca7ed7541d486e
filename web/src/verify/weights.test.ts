// @vitest-environment node

import { createHash, randomFillSync } from 'node:crypto';

import { afterEach, expect, test, vi } from 'vitest';

import { type Bytes, concat } from './bytes';
import { type Digest, digestOf, toDigest } from './digest';
import { CHUNK_BYTES } from './limits';
import { Refused, attempt } from './refused';
import {
  type FileKnown, checkFile, chunkCount, chunkRoot, hashChunks, omsRoot, pairFolder, splitChunkHashes,
} from './weights';
import { type WeightsNews, type WeightsOrder, serve } from './weights.worker';

afterEach(() => vi.unstubAllGlobals());

function randomBytes(length: number): Bytes {
  return randomFillSync(new Uint8Array(length));
}

/** RFC 6962 leaf hashes, made with Node's own hashing. */
function leavesOf(bytes: Bytes): readonly Bytes[] {
  return Array.from({ length: Math.ceil(bytes.length / CHUNK_BYTES) }, (_, index) => {
    const chunk = bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
    return new Uint8Array(createHash('sha256').update(Uint8Array.of(0)).update(chunk).digest());
  });
}

/** A file as its publisher knew it. */
function published(bytes: Bytes, path = 'model.safetensors'): { known: FileKnown; leaves: readonly Bytes[] } {
  const leaves = leavesOf(bytes);
  return { known: { path, sizeBytes: bytes.length, chunkRoot: toDigest(chunkRoot(leaves)) }, leaves };
}

function flipped(bytes: Bytes, ...places: readonly number[]): Bytes {
  const changed = bytes.slice();
  for (const at of places) changed[at] = changed[at]! ^ 1;
  return changed;
}

test.each([0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 5])(
  'a file of %i bytes matches what was published',
  async (length) => {
    const bytes = randomBytes(length);
    const { known, leaves } = published(bytes);
    const progress: number[] = [];
    const verdict = await checkFile(new Blob([bytes]), known, leaves, { onProgress: (done) => progress.push(done) });
    expect(verdict).toEqual({ verdict: 'matches' });
    expect(progress).toHaveLength(chunkCount(length));
    expect(progress.at(-1) ?? 0).toBe(length);
  },
);

test('the chunk that differs is named by its bytes, the last one up to the end of the file', async () => {
  const bytes = randomBytes(4 * CHUNK_BYTES + 5);
  const { known, leaves } = published(bytes);
  const check = (places: readonly number[]) => checkFile(new Blob([flipped(bytes, ...places)]), known, leaves);
  const chunk = (from: number, to = from + 1) => ({
    start: from * CHUNK_BYTES, end: Math.min(to * CHUNK_BYTES, bytes.length),
  });

  expect(await check([CHUNK_BYTES])).toEqual({ verdict: 'differs', ranges: [chunk(1)] });
  expect(await check([4 * CHUNK_BYTES + 4])).toEqual({ verdict: 'differs', ranges: [chunk(4)] });
  expect(await check([0, CHUNK_BYTES - 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES])).toEqual({
    verdict: 'differs', ranges: [chunk(0), chunk(2, 4)],
  });
});

test('without the leaf hashes a changed file differs, and nobody knows where', async () => {
  const bytes = randomBytes(CHUNK_BYTES + 1);
  const { known } = published(bytes);
  expect(await checkFile(new Blob([bytes]), known, undefined)).toEqual({ verdict: 'matches' });
  expect(await checkFile(new Blob([flipped(bytes, 3)]), known, undefined)).toEqual({
    verdict: 'differs', ranges: undefined,
  });
});

test('a file that is longer or shorter is told by its size', async () => {
  const { known, leaves } = published(randomBytes(9));
  for (const found of [0, 8, 10]) {
    const verdict = await checkFile(new Blob([randomBytes(found)]), known, leaves);
    expect(verdict).toEqual({ verdict: 'size', expected: 9, found });
  }
});

/** A file that is larger than memory would like: it makes its bytes as they are asked for. */
function endless(chunks: number) {
  const counted = { now: 0, most: 0, bytesAtOnce: 0 };
  const slice = (start: number, end: number) => ({
    arrayBuffer: async () => {
      counted.most = Math.max(counted.most, ++counted.now);
      counted.bytesAtOnce = Math.max(counted.bytesAtOnce, end - start);
      await new Promise((done) => setTimeout(done, 1));
      counted.now--;
      return new ArrayBuffer(8);
    },
  });
  return { counted, blob: { size: chunks * CHUNK_BYTES, slice } as unknown as Blob };
}

test('at most four chunks are read at once, however large the file', async () => {
  const { blob, counted } = endless(50);
  expect(await hashChunks(blob)).toHaveLength(50);
  expect(counted).toEqual({ now: 0, most: 4, bytesAtOnce: CHUNK_BYTES });
});

test('it can be stopped, and a file that cannot be read is no verdict', async () => {
  const controller = new AbortController();
  const onProgress = () => controller.abort(new Error('enough'));
  await expect(hashChunks(endless(50).blob, { signal: controller.signal, onProgress })).rejects.toThrow('enough');

  const { known, leaves } = published(randomBytes(9));
  const gone = { size: 9, slice: () => ({ arrayBuffer: () => Promise.reject(new Error('gone')) }) };
  await expect(checkFile(gone as unknown as Blob, known, leaves)).rejects.toThrow('gone');
});

test('the hashing may be another', async () => {
  const digest = async (bytes: Bytes) => new Uint8Array(createHash('sha256').update(bytes).digest());
  const bytes = randomBytes(9);
  expect(await hashChunks(new Blob([bytes]), { digest })).toEqual(leavesOf(bytes));
});

test('a page without WebCrypto hashes too', async () => {
  const bytes = randomBytes(CHUNK_BYTES + 1);
  vi.stubGlobal('crypto', {});
  expect(await hashChunks(new Blob([bytes]))).toEqual(leavesOf(bytes));
});

test('the blob of chunk hashes proves itself against the root of every file', () => {
  const files = [0, 1, 2 * CHUNK_BYTES + 1].map((length, index) => published(randomBytes(length), `${index}`));
  const known = files.map((file) => file.known);
  const blob = concat(...files.flatMap((file) => file.leaves));
  expect([...splitChunkHashes(known, blob)]).toEqual(files.map(({ known: { path }, leaves }) => [path, leaves]));

  const exchanged = concat(blob.slice(0, 32), blob.slice(64, 96), blob.slice(32, 64), blob.slice(96));
  const longer = concat(blob, new Uint8Array(32));
  for (const wrong of [new Uint8Array(), blob.slice(32), longer, flipped(blob, 40), exchanged]) {
    expect(attempt(() => splitChunkHashes(known, wrong))).toBeInstanceOf(Refused);
  }
});

test('the OMS root sorts by components: a/b before a-b', () => {
  const file = (path: string) => ({ path, sha256: digestOf(new TextEncoder().encode(path)) as Digest });
  const [folder, dash] = [file('a/b'), file('a-b')];
  const expected = createHash('sha256').update(Buffer.from(folder!.sha256 + dash!.sha256, 'hex')).digest('hex');
  expect(omsRoot([dash!, folder!])).toBe(expected);
});

test('a folder is paired by path, whichever way its system writes letters', () => {
  const known = ['a', 'été', 'gone'].map((path) => published(randomBytes(1), path.normalize('NFC')).known);
  const folder = ['a', 'été'.normalize('NFD'), 'new'].map((path) => ({ path }));
  const { pairs, missing, strangers } = pairFolder(known, folder);
  expect(pairs.map(([file]) => file.path)).toEqual(['a', 'été'.normalize('NFC')]);
  expect(missing.map((file) => file.path)).toEqual(['gone']);
  expect(strangers).toEqual([{ path: 'new' }]);
});

/** The paths that each of the given ones is taken for; none where it is a stranger. */
function taken(files: readonly string[], given: readonly string[]): (string | undefined)[] {
  const known = files.map((path) => published(randomBytes(1), path).known);
  const { pairs } = pairFolder(known, given.map((path) => ({ path })));
  return given.map((path) => pairs.find(([, found]) => found.path === path)?.[0].path);
}

test('a file is found by its path, with or without the folder that was chosen', () => {
  const files = ['config.json', 'onnx/config.json', 'onnx/model.onnx'];
  expect(taken(files, ['petit/config.json', 'petit/onnx/config.json'])).toEqual(['config.json', 'onnx/config.json']);
  expect(taken(files, ['onnx/config.json', 'onnx/model.onnx'])).toEqual(['onnx/config.json', 'onnx/model.onnx']);
});

test('a file is found by its name alone only where that is no guess', () => {
  const files = ['a/config.json', 'b/config.json', 'a/model.onnx'];
  expect(taken(files, ['model.onnx', 'config.json'])).toEqual(['a/model.onnx', undefined]);
  expect(taken(files, ['petit/a/model.onnx', 'petit/old/model.onnx'])).toEqual(['a/model.onnx', undefined]);
});

test('two copies of a file are both found', () => {
  expect(taken(['model.onnx'], ['one/model.onnx', 'two/model.onnx'])).toEqual(['model.onnx', 'model.onnx']);
});

/** A worker's scope: what it told, how it is asked, and a promise of so many last words. */
function scopeOf(lasts: number) {
  const news: WeightsNews[] = [];
  let give: (order: WeightsOrder) => void = () => {};
  const done = new Promise<void>((resolve) => {
    const postMessage = (it: WeightsNews): void => {
      news.push(it);
      if (it.tell !== 'progress' && news.filter((one) => one.tell !== 'progress').length === lasts) resolve();
    };
    const addEventListener = (_: 'message', listener: (event: MessageEvent<WeightsOrder>) => void): void => {
      give = (data) => listener({ data } as MessageEvent<WeightsOrder>);
    };
    serve({ addEventListener, postMessage });
  });
  return { news, give, done };
}

test('a worker reads one file after another, however many it is asked for', async () => {
  const { news, give, done } = scopeOf(3);
  const { blob, counted } = endless(8);
  const known = { ...published(randomBytes(1)).known, sizeBytes: blob.size };
  for (const id of [0, 1, 2]) give({ ask: 'check', id, file: blob, known, leaves: undefined });
  await done;
  expect(counted.most).toBe(4);
  expect(news.filter((it) => it.tell === 'done').map((it) => it.id)).toEqual([0, 1, 2]);
});

test('a worker never begins a file that was stopped while it waited', async () => {
  const { news, give, done } = scopeOf(2);
  const first = endless(8);
  const second = endless(8);
  const known = { ...published(randomBytes(1)).known, sizeBytes: first.blob.size };
  give({ ask: 'check', id: 0, file: first.blob, known, leaves: undefined });
  give({ ask: 'check', id: 1, file: second.blob, known: { ...known, sizeBytes: 1 }, leaves: undefined });
  give({ ask: 'stop', id: 1 });
  await done;
  expect(news.filter((it) => it.id === 1)).toMatchObject([{ tell: 'failed', stopped: true }]);
  expect(second.counted.most).toBe(0);
});

test('a worker tells progress and a verdict, and stops when it is told', async () => {
  const { news, give, done } = scopeOf(2);
  const bytes = randomBytes(9);
  const { known, leaves } = published(bytes);
  give({ ask: 'check', id: 1, file: new Blob([flipped(bytes, 8)]), known, leaves });
  const large = endless(50);
  give({ ask: 'check', id: 2, file: large.blob, known: { ...known, sizeBytes: large.blob.size }, leaves: undefined });
  give({ ask: 'stop', id: 2 });
  await done;
  expect(news.filter((it) => it.id === 1)).toEqual([
    { tell: 'progress', id: 1, doneBytes: 9 },
    { tell: 'done', id: 1, verdict: { verdict: 'differs', ranges: [{ start: 0, end: 9 }] } },
  ]);
  expect(news.filter((it) => it.id === 2).at(-1)).toMatchObject({ tell: 'failed', stopped: true });
});
