/** Files of weights on the reader's own disk, checked against what was signed. Nothing is uploaded. */
import { type DragEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { useText } from '../i18n/text';
import { Refused, attempt } from '../verify/refused';
import type { Weights } from '../verify/record/weights';
import { type FileVerdict, pairFolder, splitChunkHashes } from '../verify/weights';
import type { WeightsNews, WeightsOrder } from '../verify/weights.worker';
import workerUrl from '../verify/weights.worker.ts?worker&url';
import { Mark, type Tone } from './Mark';

interface Row {
  readonly name: string;
  readonly sizeBytes: number;
  readonly doneBytes: number;
  /** Null while it is read. */
  readonly outcome: FileVerdict | 'unknown' | 'unreadable' | 'missing' | null;
}

/** What the reader chose or dropped. */
interface Given {
  /** From the folder that was chosen; the name alone of a file without one. */
  readonly path: string;
  /** Null where the browser could not open it. */
  readonly file: File | null;
}

export function WeightsCheck(props: { weights: Weights; chunkHashes: Uint8Array<ArrayBuffer> | undefined }): ReactNode {
  const { t } = useText();
  const [rows, setRows] = useState<readonly Row[]>([]);
  const [over, setOver] = useState(false);
  const worker = useRef<Worker | null>(null);
  useEffect(() => () => worker.current?.terminate(), []);

  const check = (given: readonly Given[]): void => {
    worker.current?.terminate();
    const leaves = leavesOf(props.weights, props.chunkHashes);
    const started = startWorker();
    worker.current = started;
    // What a worker told before it was ended may still arrive: its rows are gone.
    const change = (next: (row: Row, id: number) => Row): void => {
      if (worker.current === started) setRows((before) => before.map(next));
    };
    started.addEventListener('message', ({ data }: MessageEvent<WeightsNews>) => {
      const told: Partial<Row> =
        data.tell === 'progress' ? { doneBytes: data.doneBytes } : { outcome: data.tell === 'done' ? data.verdict : 'unreadable' };
      change((row, id) => (id === data.id ? { ...row, ...told } : row));
    });
    started.addEventListener('error', () => change((row) => (row.outcome === null ? { ...row, outcome: 'unreadable' } : row)));
    const { pairs, missing, strangers } = pairFolder(props.weights.files, given);
    const rowOf = (name: string, file: File | null, outcome: Row['outcome']): Row =>
      ({ name, sizeBytes: file?.size ?? 0, doneBytes: 0, outcome: file === null ? 'unreadable' : outcome });
    const absent = missing.map(({ path, sizeBytes }): Row => ({ name: path, sizeBytes, doneBytes: 0, outcome: 'missing' }));
    setRows([
      ...pairs.map(([known, { file }]) => rowOf(known.path, file, null)),
      ...strangers.map(({ path, file }) => rowOf(path, file, 'unknown')),
      // Of single files nobody expects that they are all.
      ...(given.some(({ path }) => path.includes('/')) ? absent : []),
    ]);
    for (const [id, [known, { file }]] of pairs.entries()) {
      if (file === null) continue;
      started.postMessage({ ask: 'check', id, file, known, leaves: leaves?.get(known.path) } satisfies WeightsOrder);
    }
  };

  const drop = async (event: DragEvent): Promise<void> => {
    event.preventDefault();
    setOver(false);
    // What is dropped beside files, text for one, is no entry.
    const entries = [...event.dataTransfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
    check((await Promise.all(entries.map(filesIn))).flat());
  };

  return (
    <section className="sheet screen-only">
      <h2>{t('weights.check')}</h2>
      <p>{t('weights.checkText')}</p>
      <div
        className="drop"
        data-over={over}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => void drop(event)}
      >
        <label className="chooser">
          {t('weights.files')}
          <input type="file" multiple className="visually-hidden" onChange={(event) => check(givenTo(event.target))} />
        </label>{' '}
        <label className="chooser">
          {t('weights.folder')}
          <input
            type="file"
            {...{ webkitdirectory: '' }}
            className="visually-hidden"
            onChange={(event) => check(givenTo(event.target))}
          />
        </label>
      </div>
      <ul className="steps" aria-live="polite">
        {rows.map((row, index) => (
          <li key={index} data-outcome={typeof row.outcome === 'string' ? row.outcome : row.outcome?.verdict}>
            <Mark tone={toneOf(row.outcome)} />
            <div>
              <strong>
                <bdi dir="ltr">{row.name}</bdi>
              </strong>
              <Said row={row} />
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Said(props: { row: Row }): ReactNode {
  const { t, bytes, number } = useText();
  const { sizeBytes, doneBytes, outcome } = props.row;
  if (outcome === null) {
    return (
      <>
        <progress max={Math.max(1, sizeBytes)} value={doneBytes} aria-label={t('weights.reading')} />
        {/* A screen reader would be told every chunk. */}
        <span className="detail" aria-hidden="true">{t('weights.progress', { done: bytes(doneBytes), total: bytes(sizeBytes) })}</span>
      </>
    );
  }
  if (typeof outcome === 'string') return <span className="detail">{t(`weights.${outcome}`)}</span>;
  switch (outcome.verdict) {
    case 'matches':
      return <span className="detail">{t('weights.matches', { size: bytes(sizeBytes) })}</span>;
    case 'size':
      return <span className="detail">{t('weights.size', { expected: number(outcome.expected), found: number(outcome.found) })}</span>;
    case 'differs': {
      const ranges = outcome.ranges?.map((range) => `${number(range.start)}–${number(range.end)}`).join(t('list.comma'));
      return <span className="detail">{ranges === undefined ? t('weights.differs') : t('weights.range', { ranges })}</span>;
    }
  }
}

function toneOf(outcome: Row['outcome']): Tone {
  if (outcome === null || outcome === 'unknown') return 'none';
  if (outcome === 'missing') return 'wary';
  return outcome !== 'unreadable' && outcome.verdict === 'matches' ? 'good' : 'bad';
}

/** The leaf hashes of each file, where the blob of them came along and is the one that was signed. */
function leavesOf(weights: Weights, blob: Uint8Array<ArrayBuffer> | undefined): ReturnType<typeof splitChunkHashes> | undefined {
  if (blob === undefined) return undefined;
  const leaves = attempt(() => splitChunkHashes(weights.files, blob));
  return leaves instanceof Refused ? undefined : leaves;
}

function givenTo(input: HTMLInputElement): Given[] {
  return [...(input.files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** Every file below what was dropped; what cannot be opened, by its path alone. Never rejects. */
async function filesIn(entry: FileSystemEntry): Promise<Given[]> {
  // Files that were dropped have no `webkitRelativePath`.
  const path = entry.fullPath.slice(1);
  try {
    if (entry.isFile) {
      return [{ path, file: await new Promise<File>((take, fail) => (entry as FileSystemFileEntry).file(take, fail)) }];
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    const found: FileSystemEntry[] = [];
    for (;;) {
      const some = await new Promise<FileSystemEntry[]>((take, fail) => reader.readEntries(take, fail));
      if (some.length === 0) break;
      found.push(...some);
    }
    return (await Promise.all(found.map(filesIn))).flat();
  } catch {
    return [{ path, file: null }];
  }
}

/** What browsers that know Trusted Types offer; TypeScript does not list it yet. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(address: string): string }): { createScriptURL(address: string): object };
}

/** The page's policy lets a worker be started from the node's own files only. */
const own = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy('chancery', {
  createScriptURL: (address: string) => {
    if (new URL(address, location.href).origin !== location.origin) throw new TypeError('not a file of this node');
    return address;
  },
});

function startWorker(): Worker {
  // A trusted address is an object where the policy asks for it.
  const address = (own?.createScriptURL(workerUrl) ?? workerUrl) as string;
  return new Worker(address, { type: 'module' });
}
