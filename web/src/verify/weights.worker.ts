/**
 * A worker that checks files of weights, so that the page stays responsive.
 *
 * It takes {@link WeightsOrder}s and answers each with {@link WeightsNews} of the same `id`. Files pass by
 * reference: no bytes are copied between page and worker.
 */

import type { Bytes } from './bytes';
import { type FileKnown, type FileVerdict, checkFile } from './weights';

/** What the page asks: to check a file, or to leave off. */
export type WeightsOrder =
  | {
      readonly ask: 'check';
      readonly id: number;
      readonly file: Blob;
      readonly known: FileKnown;
      readonly leaves: readonly Bytes[] | undefined;
    }
  | { readonly ask: 'stop'; readonly id: number };

/** What the worker tells; `done` and `failed` are the last of an id. */
export type WeightsNews =
  | { readonly tell: 'progress'; readonly id: number; readonly doneBytes: number }
  | { readonly tell: 'done'; readonly id: number; readonly verdict: FileVerdict }
  /** The file could not be read to its end, or the page said stop. */
  | { readonly tell: 'failed'; readonly id: number; readonly stopped: boolean; readonly reason: string };

/** The two members of a worker's global scope that are used: TypeScript knows it as a window here. */
interface Scope {
  addEventListener(type: 'message', listener: (event: MessageEvent<WeightsOrder>) => void): void;
  postMessage(news: WeightsNews): void;
}

/** Answers the orders that a scope receives: one file after another, so that memory stays that of one. */
export function serve(scope: Scope): void {
  /** Of the orders that are not done, those that wait too. */
  const open = new Map<number, AbortController>();
  const check = async (
    { id, file, known, leaves }: WeightsOrder & { ask: 'check' }, controller: AbortController,
  ): Promise<void> => {
    const { signal } = controller;
    try {
      signal.throwIfAborted();
      const onProgress = (doneBytes: number): void => {
        if (!signal.aborted) scope.postMessage({ tell: 'progress', id, doneBytes });
      };
      const verdict = await checkFile(file, known, leaves, { signal, onProgress });
      scope.postMessage({ tell: 'done', id, verdict });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const stopped = signal.aborted;
      // Other chunks of the file may still be read: nothing is told of them any more.
      controller.abort();
      scope.postMessage({ tell: 'failed', id, stopped, reason });
    } finally {
      open.delete(id);
    }
  };
  let before = Promise.resolve();
  scope.addEventListener('message', ({ data }) => {
    if (data.ask === 'stop') return open.get(data.id)?.abort();
    const controller = new AbortController();
    open.set(data.id, controller);
    before = before.then(() => check(data, controller));
  });
}

// Only a worker has `importScripts`; in a test or a page, importing this file starts nothing.
if ('importScripts' in globalThis) serve(globalThis as unknown as Scope);
