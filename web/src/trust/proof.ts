/** A record with all its proof, fetched from the node and checked here against what the reader pins. */
import { startTransition, useEffect, useState } from 'react';
import type { Digest } from '../verify/digest';
import { type Bundle, parseBundle } from '../verify/bundle';
import { type RecordRead, readRecord } from '../verify/record';
import { Refused } from '../verify/refused';
import { parseStatement } from '../verify/statement';
import { readFormer } from '../verify/succession';
import { type Report, type Step, type Trust, verify, verifyFile } from '../verify/verify';
import { type Pins, usePins } from './pins';
import { readPolicy } from './policy';

/** A record of a bundle as it reads. That it counts, the report says. */
export interface Read {
  readonly digest: string;
  readonly record: RecordRead;
}

export type Proof =
  | { readonly state: 'loading' }
  /** The node could not be reached, or did not answer. */
  | { readonly state: 'unreachable' }
  | { readonly state: 'missing' }
  | {
      readonly state: 'here';
      readonly report: Report;
      /** None where the file is not a bundle. */
      readonly bundle: Bundle | null;
      readonly records: readonly Read[];
    };

/** The bundle of a record, and what its verification found. Checked again whenever the pins change. */
export function useProof(digest: string): Proof {
  const pins = usePins();
  const [fetched, setFetched] = useState<{ digest: string; file: Uint8Array<ArrayBuffer> | 'unreachable' | 'missing' } | null>(null);
  const [proof, setProof] = useState<Proof>({ state: 'loading' });
  const [failed, setFailed] = useState<{ error: unknown } | null>(null);
  useEffect(() => {
    const controller = new AbortController();
    setProof({ state: 'loading' });
    fetchBundle(digest, controller.signal)
      .then((file) => setFetched({ digest, file }))
      .catch((error: unknown) => {
        if (!controller.signal.aborted) setFetched({ digest, file: 'unreachable' });
        else if (!(error instanceof DOMException)) throw error;
      });
    return () => controller.abort();
  }, [digest]);
  useEffect(() => {
    if (fetched === null || fetched.digest !== digest) return;
    const { file } = fetched;
    if (typeof file === 'string') return setProof({ state: file });
    let left = false;
    check(file, digest, pins).then(
      (checked) => {
        // Much is shown at once: drawn in slices, so that the page goes on answering its reader.
        if (!left) startTransition(() => setProof(checked));
      },
      (error: unknown) => {
        if (!left) setFailed({ error });
      },
    );
    return () => {
      left = true;
    };
  }, [fetched, digest, pins]);
  // Thrown while the page is made: what a promise throws reaches no boundary.
  if (failed !== null) throw failed.error;
  return proof;
}

async function fetchBundle(digest: string, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer> | 'unreachable' | 'missing'> {
  const answer = await fetch(`/bundle/${digest}`, { signal, credentials: 'omit' });
  if (answer.status === 404) return 'missing';
  if (!answer.ok) return 'unreachable';
  return new Uint8Array(await answer.arrayBuffer());
}

/** Reads and verifies a bundle that should be about `digest`. */
export async function check(file: Uint8Array<ArrayBuffer>, digest: string, pins: Pins): Promise<Proof> {
  const bundle = await attempt(() => parseBundle(file));
  if (bundle === null) return { state: 'here', report: await verifyFile(file, { pins: 'nothing' }), bundle, records: [] };
  const former = await attempt(() => readFormer(bundle.former));
  const logs = [bundle.header.log, ...(former ?? []).map((log) => log.roster.origin)];
  const report = await verify(bundle, trustIn(bundle.header.nation, logs, pins));
  const records = report.records.length > 0 ? report.records : await readAll(bundle);
  if (bundle.header.record !== digest) return { state: 'here', report: another(report), bundle, records };
  return { state: 'here', report, bundle, records };
}

/** The records of a bundle that does not hold, or that nobody could check, as far as they read. */
async function readAll(bundle: Bundle): Promise<Read[]> {
  const records: Read[] = [];
  for (const { envelope } of bundle.records) {
    const record = await attempt(() => readRecord(parseStatement(envelope.payload)));
    if (record !== null) records.push({ digest: envelope.recordDigest, record });
  }
  return records;
}

/** A genuine bundle of another record is no proof of this one. */
function another(report: Report): Report {
  const step: Step = { step: 'whole', outcome: 'fails', problem: 'other-record', params: {}, reason: 'another record' };
  return { ...report, verdict: 'failed', steps: [step] };
}

/**
 * What the reader pins about a log: the policy, where it names the log or one before it; else the nation's
 * fingerprint. Whoever asks for cosignatures is not answered without because the log is said to be a new one.
 */
function trustIn(nation: string, logs: readonly string[], pins: Pins): Trust {
  const policy = pins.policy === null ? null : readPolicy(pins.policy).policy;
  if (policy !== null && policy.logs.some((known) => logs.includes(known.key.name))) return { pins: 'policy', policy };
  const fingerprint = pins.fingerprints[nation];
  return fingerprint === undefined ? { pins: 'nothing' } : { pins: 'fingerprint', fingerprint: fingerprint as Digest };
}

async function attempt<T>(part: () => T | Promise<T>): Promise<T | null> {
  try {
    return await part();
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}
