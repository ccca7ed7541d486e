/** Files of weights on the reader's own disk, checked against what was signed. Nothing is uploaded. */
import { type DragEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { useText } from '../i18n/text';
import { Refused } from '../verify/refused';
import type { Weights } from '../verify/record/weights';
import { type FileKnown, type FileVerdict, splitChunkHashes } from '../verify/weights';
import type { WeightsNews, WeightsOrder } from '../verify/weights.worker';
import workerUrl from '../verify/weights.worker.ts?worker&url';
import { Mark, type Tone } from './Mark';

interface Row {
  readonly name: string;
  readonly sizeBytes: number;
  readonly doneBytes: number;
  readonly outcome: FileVerdict | 'unknown' | 'unreadable' | null;
}

export function WeightsCheck(props: { weights: Weights; chunkHashes: Uint8Array<ArrayBuffer> | undefined }): ReactNode {
  const { t } = useText();
  const [rows, setRows] = useState<readonly Row[]>([]);
  const [over, setOver] = useState(false);
  const worker = useRef<Worker | null>(null);
  useEffect(() => () => worker.current?.terminate(), []);

  const check = (files: readonly File[]): void => {
    worker.current?.terminate();
    const leaves = leavesOf(props.weights, props.chunkHashes);
    const started = startWorker();
    worker.current = started;
    const change = (id: number, next: Partial<Row>): void =>
      setRows((before) => before.map((row, index) => (index === id ? { ...row, ...next } : row)));
    started.addEventListener('message', ({ data }: MessageEvent<WeightsNews>) => {
      if (data.tell === 'progress') change(data.id, { doneBytes: data.doneBytes });
      else change(data.id, { outcome: data.tell === 'done' ? data.verdict : 'unreadable' });
    });
    setRows(
      files.map((file, id) => {
        const known = find(props.weights.files, file);
        if (known !== undefined) {
          started.postMessage({ ask: 'check', id, file, known, leaves: leaves?.get(known.path) } satisfies WeightsOrder);
        }
        const name = known?.path ?? file.name;
        return { name, sizeBytes: file.size, doneBytes: 0, outcome: known === undefined ? 'unknown' : null };
      }),
    );
  };

  const drop = async (event: DragEvent): Promise<void> => {
    event.preventDefault();
    setOver(false);
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry());
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
        <label>
          {t('weights.files')}{' '}
          <input type="file" multiple onChange={(event) => check([...(event.target.files ?? [])])} />
        </label>
        <label>
          {t('weights.folder')}{' '}
          <input type="file" {...{ webkitdirectory: '' }} onChange={(event) => check([...(event.target.files ?? [])])} />
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
        <span className="detail">{t('weights.progress', { done: bytes(doneBytes), total: bytes(sizeBytes) })}</span>
      </>
    );
  }
  if (outcome === 'unknown' || outcome === 'unreadable') return <span className="detail">{t(`weights.${outcome}`)}</span>;
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
  return outcome !== 'unreadable' && outcome.verdict === 'matches' ? 'good' : 'bad';
}

/** The leaf hashes of each file, where the blob of them came along and is the one that was signed. */
function leavesOf(weights: Weights, blob: Uint8Array<ArrayBuffer> | undefined): ReturnType<typeof splitChunkHashes> | undefined {
  if (blob === undefined) return undefined;
  try {
    return splitChunkHashes(weights.files, blob);
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}

/** A file of the weights by its path below the folder that was chosen; by its name alone where only one has it. */
function find(files: readonly FileKnown[], file: File): FileKnown | undefined {
  const below = file.webkitRelativePath.split('/').slice(1).join('/').normalize('NFC');
  const named = (path: string): string => path.split('/').at(-1)?.normalize('NFC') ?? '';
  const exact = files.find((known) => known.path.normalize('NFC') === below);
  if (exact !== undefined) return exact;
  const same = files.filter((known) => named(known.path) === file.name.normalize('NFC'));
  return same.length === 1 ? same[0] : same.find((known) => known.sizeBytes === file.size);
}

/** Every file below what was dropped. */
async function filesIn(entry: FileSystemEntry | null): Promise<File[]> {
  if (entry === null) return [];
  if (entry.isFile) return [await new Promise<File>((take, fail) => (entry as FileSystemFileEntry).file(take, fail))];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((take, fail) => reader.readEntries(take, fail));
    if (some.length === 0) break;
    found.push(...some);
  }
  return (await Promise.all(found.map(filesIn))).flat();
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
