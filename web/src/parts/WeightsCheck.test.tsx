import { act, cleanup, fireEvent, render } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';

import { en } from '../i18n/messages/en';
import { TextProvider } from '../i18n/text';
import type { Weights } from '../verify/record/weights';
import type { WeightsNews, WeightsOrder } from '../verify/weights.worker';
import { WeightsCheck } from './WeightsCheck';

/** A worker that does nothing but what a test makes it tell. */
class StubWorker extends EventTarget {
  static all: StubWorker[] = [];
  readonly orders: WeightsOrder[] = [];
  constructor() {
    super();
    StubWorker.all.push(this);
  }
  postMessage(order: WeightsOrder): void {
    this.orders.push(order);
  }
  terminate(): void {}
  tell(data: WeightsNews): void {
    act(() => void this.dispatchEvent(new MessageEvent('message', { data })));
  }
}

const weights = { files: ['a/config.json', 'b/config.json', 'model.onnx'].map((path) => ({ path, sizeBytes: 1 })) } as unknown as Weights;

function open() {
  StubWorker.all = [];
  vi.stubGlobal('Worker', StubWorker);
  const page = render(
    <TextProvider language="en" messages={en}>
      <WeightsCheck weights={weights} chunkHashes={undefined} />
    </TextProvider>,
  );
  const choose = (...names: string[]): void => {
    fireEvent.change(page.getByLabelText('Choose files'), { target: { files: names.map((name) => new File(['x'], name)) } });
  };
  const drop = async (...entries: object[]): Promise<void> => {
    const items = entries.map((entry) => ({ webkitGetAsEntry: () => entry }));
    await act(async () => void fireEvent.drop(page.container.querySelector('.drop')!, { dataTransfer: { items } }));
  };
  const rows = () =>
    Object.fromEntries(
      [...page.container.querySelectorAll('.steps li')].map((row) => [row.querySelector('strong')?.textContent, row.getAttribute('data-outcome')]),
    );
  return { choose, drop, rows };
}

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function fileAt(fullPath: string) {
  return { fullPath, isFile: true, file: (take: (file: File) => void) => take(new File(['x'], fullPath.split('/').at(-1)!)) };
}

function goneAt(fullPath: string) {
  return { fullPath, isFile: true, file: (_take: unknown, fail: (error: Error) => void) => fail(new Error('gone')) };
}

function folderAt(fullPath: string, ...inside: object[]) {
  const left = [inside, []];
  return { fullPath, isFile: false, createReader: () => ({ readEntries: (take: (found: object[]) => void) => take(left.shift()!) }) };
}

test('files of a folder that was dropped are told apart by their paths, and what is missing is told', async () => {
  const { drop, rows } = open();
  await drop(folderAt('/petit', fileAt('/petit/model.onnx'), folderAt('/petit/b', fileAt('/petit/b/config.json'))));
  expect(rows()).toEqual({ 'model.onnx': null, 'b/config.json': null, 'a/config.json': 'missing' });
  expect(StubWorker.all[0]?.orders).toMatchObject([{ known: { path: 'model.onnx' } }, { known: { path: 'b/config.json' } }]);
});

test('what cannot be opened is told, and the rest is checked', async () => {
  const { drop, rows } = open();
  await drop(fileAt('/model.onnx'), goneAt('/gone'));
  expect(rows()).toEqual({ 'model.onnx': null, gone: 'unreadable' });
});

test('single files are checked, and nothing is said of the others', () => {
  const { choose, rows } = open();
  choose('model.onnx', 'stranger.bin');
  expect(rows()).toEqual({ 'model.onnx': null, 'stranger.bin': 'unknown' });
  StubWorker.all[0]!.tell({ tell: 'done', id: 0, verdict: { verdict: 'matches' } });
  expect(rows()).toMatchObject({ 'model.onnx': 'matches' });
});

test('a worker that fails leaves nothing reading for ever', () => {
  const { choose, rows } = open();
  choose('model.onnx', 'stranger.bin');
  act(() => void StubWorker.all[0]!.dispatchEvent(new Event('error')));
  expect(rows()).toEqual({ 'model.onnx': 'unreadable', 'stranger.bin': 'unknown' });
});

test('what an earlier worker still tells is not believed', () => {
  const { choose, rows } = open();
  choose('model.onnx');
  choose('model.onnx');
  StubWorker.all[0]!.tell({ tell: 'done', id: 0, verdict: { verdict: 'matches' } });
  expect(rows()).toEqual({ 'model.onnx': null });
});
