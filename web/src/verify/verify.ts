/**
 * Verifying a bundle with nothing but what the reader pins (schema/README.md, "Verifying a bundle";
 * schema/src/bundle/verify.rs).
 *
 * The answer is data: each step is a key with what it found, for pages to say in the reader's language. The
 * first step that fails is the last one. While a reader pins nothing the word *verified* does not occur: the
 * best verdict is then `unpinned`.
 */

import {
  type Admitted, EMPTY_STATE, type State, type Submission, decide, endIn, openSubmission, stateAfter, stateRemembering,
  versionOf,
} from './admission';
import { type Bytes, toUtf8 } from './bytes';
import { type Bundle, type LoggedRecord, parseBundle } from './bundle';
import type { SignedCheckpoint } from './checkpoint';
import { verifyCosignatures } from './cosignature';
import type { Digest } from './digest';
import { type CannotVerify, cannotVerify } from './ed25519';
import { entryBytes } from './entry';
import type { VerifierKey } from './note';
import { type Policy, metSince, missingFrom } from './policy';
import { parseProof, verifyProof } from './proof';
import { noteKeys, signedBy } from './record/charter';
import { mayEnd } from './record/ending';
import type { Kind } from './record/header';
import type { Redaction } from './record/redaction';
import { Refused } from './refused';
import { type Roster, delegationOf, standingOf } from './roster';
import { type FormerLog, checkFollows, readFormer } from './succession';
import { TIME_MAX } from './time';

/** What the reader pins: a fingerprint compared by voice, a policy file, or nothing yet. */
export type Trust =
  | { readonly pins: 'fingerprint'; readonly fingerprint: Digest }
  | { readonly pins: 'policy'; readonly policy: Policy }
  | { readonly pins: 'nothing' };

/** What was checked, in this order. `whole` is only told by {@link verifyFile}. */
export type StepName = 'whole' | 'nation' | 'log' | 'signatures' | 'succession' | 'revocations' | 'ends' | 'cosignatures' | 'blobs';

/** How a step ended; `short`: it holds as far as it goes, which is less far than was asked. */
export type Outcome = 'holds' | 'fails' | 'short' | 'not-checked';

/** Why a step does not hold, for translation; `refused` comes with `code`. */
export type Problem =
  | 'cannot-verify' | 'refused' | 'no-record' | 'no-charter' | 'other-fingerprint' | 'unknown-log' | 'other-header'
  | 'other-checkpoint' | 'order' | 'nothing-pinned' | 'no-policy' | 'too-few' | 'blobs-missing' | 'stray-blob'
  | 'follows-nothing' | 'no-former' | 'walked' | 'blob-size' | 'other-record' | 'key-revoked' | 'key-contested' | 'withdrawn' | 'redacted' | 'others-ended';

/** One step of the verification. */
export interface Step {
  readonly step: StepName;
  readonly outcome: Outcome;
  /** None when it holds. */
  readonly problem: Problem | undefined;
  /** What a sentence about it needs: names, digests, numbers. Strings may come from the record: show them as such. */
  readonly params: Readonly<Record<string, string | number | readonly string[]>>;
  /** In English, for whoever debugs. */
  readonly reason: string;
}

/** A partner that cosigned, and when by its own clock, in POSIX seconds. */
export interface CosignerSeen {
  readonly name: string;
  readonly at: number;
}

/** What ended the record: a withdrawal or a redaction that was admitted to the log. */
export interface EndSeen {
  readonly kind: 'withdrawal' | 'redaction';
  /** Its position in the log. */
  readonly index: number;
  /** Its digest. */
  readonly record: Digest;
  /** When its signer says it was signed, in POSIX seconds: a claim. */
  readonly issuedAt: number;
  /** Why, in one word. */
  readonly reason: string;
  /** More about it, by language. */
  readonly statement: ReadonlyMap<string, string> | undefined;
}

/** What is known after verification; what was not reached is undefined. */
export interface Report {
  /**
   * `unpinned`: all holds, but for a nation that the reader has not pinned. `cannot`: nothing is said of the record,
   * because this browser, or this page over plain HTTP, has no Ed25519. `void`, `contested`: all holds, but a key
   * that it rests on was revoked. `withdrawn`, `redacted`: all holds, but the nation no longer stands by the record,
   * or has its body erased.
   */
  readonly verdict:
    | 'verified' | 'under-witnessed' | 'contested' | 'void' | 'withdrawn' | 'redacted' | 'unpinned' | 'failed' | 'cannot';
  readonly steps: readonly Step[];
  /** The nation that the log speaks for, by its charter. */
  readonly nation: string | undefined;
  readonly log: string | undefined;
  /** The record digest of the nation's first charter. */
  readonly fingerprint: Digest | undefined;
  /** The version of the last charter in the bundle. */
  readonly charterVersion: number | undefined;
  /** The record that the bundle is about. */
  readonly record: Digest | undefined;
  readonly kind: Kind | undefined;
  /** Its position in the log. */
  readonly index: bigint | undefined;
  /** The size of the log at the checkpoint. */
  readonly size: bigint | undefined;
  /** The keys that signed it. */
  readonly signers: readonly Digest[];
  /** What ended it, by the records of the bundle. */
  readonly end: EndSeen | undefined;
  /** Of those whom the policy names, who has cosigned. */
  readonly cosigners: readonly CosignerSeen[];
  /** Every record of the bundle, when all count: their contents are what was signed. */
  readonly records: readonly Admitted[];
}

/** Reads and verifies the bytes of a bundle. A file that is not one fails at the step `whole`. Never throws. */
export async function verifyFile(bytes: Bytes, trust: Trust): Promise<Report> {
  const run = new Run();
  const why = await cannotVerify();
  if (why !== undefined) {
    run.cannot('whole', why);
    return run.report();
  }
  const bundle = await run.attempt('whole', () => parseBundle(bytes));
  if (bundle === undefined) return run.report();
  run.hold('whole', { records: bundle.records.length, blobs: bundle.blobs.size });
  await run.verify(bundle, trust);
  return run.report();
}

/** Verifies a bundle that was read. Never throws: where the page cannot verify, the first step says so. */
export async function verify(bundle: Bundle, trust: Trust): Promise<Report> {
  const run = new Run();
  const why = await cannotVerify();
  if (why === undefined) await run.verify(bundle, trust);
  else run.cannot('nation', why);
  return run.report();
}

/** A record with what its envelope says. */
interface Opened {
  readonly logged: LoggedRecord;
  readonly index: bigint;
  readonly submission: Submission;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** One verification: the steps so far, and what is known. Each step answers nothing when it failed. */
class Run {
  readonly #steps: Step[] = [];
  readonly #known: Mutable<Omit<Report, 'verdict' | 'steps'>> = {
    nation: undefined,
    log: undefined,
    fingerprint: undefined,
    charterVersion: undefined,
    record: undefined,
    kind: undefined,
    index: undefined,
    size: undefined,
    signers: [],
    end: undefined,
    cosigners: [],
    records: [],
  };

  report(): Report {
    return { verdict: this.#verdict(), steps: this.#steps, ...this.#known };
  }

  #verdict(): Report['verdict'] {
    if (this.#steps.some((step) => step.outcome === 'fails' && step.problem !== 'key-revoked')) return 'failed';
    if (this.#steps.some((step) => step.problem === 'cannot-verify')) return 'cannot';
    if (this.#steps.some((step) => step.problem === 'redacted')) return 'redacted';
    if (this.#steps.some((step) => step.problem === 'key-revoked')) return 'void';
    if (this.#steps.some((step) => step.problem === 'key-contested')) return 'contested';
    if (this.#steps.some((step) => step.problem === 'withdrawn')) return 'withdrawn';
    if (this.#steps.some((step) => step.problem === 'nothing-pinned')) return 'unpinned';
    const short = this.#steps.some((step) => step.problem === 'too-few' || step.problem === 'walked');
    return short ? 'under-witnessed' : 'verified';
  }

  async verify(bundle: Bundle, trust: Trust): Promise<void> {
    this.#known.record = bundle.header.record;
    const founding = await this.#founding(bundle, trust);
    if (founding === undefined) return;
    const [first, logKey, former] = founding;
    const proven = await this.#inclusion(bundle, first, logKey);
    if (proven === undefined) return;
    const [checkpoint, opened] = proven;
    const state = await this.#authority(opened);
    if (state?.roster === undefined) return;
    if (!(await this.#succession(opened, former, trust))) return;
    this.#revocations(state.roster);
    this.#ends(state);
    if (!(await this.#cosignatures(checkpoint, trust))) return;
    this.#blobs(bundle, opened);
  }

  /**
   * The first record is the charter that the reader pins, by fingerprint or by log key; or that of an earlier log
   * is, which a later step has to lead here from.
   */
  async #founding(
    bundle: Bundle, trust: Trust,
  ): Promise<readonly [Submission, VerifierKey, readonly FormerLog[]] | undefined> {
    const { header, records } = bundle;
    const [first] = records;
    if (first === undefined) return this.fail('nation', 'no-record', {}, 'the bundle has no record');
    const submission = await this.attempt('nation', () => openSubmission(first.envelope));
    if (submission === undefined) return undefined;
    const { record, digest } = submission;
    if (record.kind !== 'charter') return this.fail('nation', 'no-charter', {}, 'the first record is not a charter');
    const { nation, log } = record.header;
    const keys = await this.attempt('nation', () => noteKeys(record.body, nation, log));
    if (keys === undefined) return undefined;
    const params = { nation, log, fingerprint: digest, logKey: String(keys.log) };
    const former = await this.attempt('nation', () => readFormer(bundle.former));
    if (former === undefined) return undefined;
    const earlier = trust.pins === 'fingerprint' ? former.find((it) => it.fingerprint === trust.fingerprint) : undefined;
    if (trust.pins === 'fingerprint' && trust.fingerprint !== digest && earlier === undefined) {
      const reason = `the charter of ${nation} has the fingerprint ${digest}, not the pinned ${trust.fingerprint}`;
      return this.fail('nation', 'other-fingerprint', { ...params, pinned: trust.fingerprint }, reason);
    }
    if (trust.pins === 'policy' && !trust.policy.logs.some((known) => known.key.equals(keys.log))) {
      return this.fail('nation', 'unknown-log', params, `the policy does not name the log key ${keys.log}`);
    }
    // The file's header proves nothing, but programs show it: it may not name another nation.
    if (header.nation !== nation || header.log !== log) {
      const reason = "the bundle's header names another nation or log than its charter";
      return this.fail('nation', 'other-header', params, reason);
    }
    if (trust.pins === 'nothing') this.#note('nation', 'not-checked', 'nothing-pinned', params, 'nothing is pinned');
    else this.hold('nation', { ...params, fingerprint: earlier?.fingerprint ?? digest });
    Object.assign(this.#known, { nation, log, fingerprint: digest });
    return [submission, keys.log, former];
  }

  /**
   * That the log took the place of an earlier one, as the roots of both have signed. A pin of an earlier log does not
   * tell which of several that do is right.
   */
  async #succession(opened: readonly Opened[], former: readonly FormerLog[], trust: Trust): Promise<boolean> {
    const first = opened[0]?.submission.record;
    const said = opened.flatMap(({ submission: { record } }) => (record.kind === 'log-succession' ? [record.body] : []))[0];
    const old = former.at(-1);
    if (said === undefined && old === undefined) return true;
    if (said === undefined || first?.kind !== 'charter') {
      this.fail('succession', 'follows-nothing', {}, 'the file tells of an earlier log that this one does not follow');
      return false;
    }
    if (old === undefined) {
      this.#note('succession', 'not-checked', 'no-former', {}, 'the file does not tell of the earlier log');
      return true;
    }
    const { nation, log } = first.header;
    const base = await this.attempt('succession', () => checkFollows(nation, first.body, said, old));
    if (base === undefined) return false;
    const logs = former.map((it) => it.roster.origin);
    const params = { log, former: logs.join(', '), size: String(base.size), reason: said.reason };
    if (trust.pins === 'fingerprint' && trust.fingerprint !== this.#known.fingerprint) {
      this.#note('succession', 'short', 'walked', params, 'the pin is that of an earlier log');
    } else this.hold('succession', params);
    return true;
  }

  /** The log's key signed one checkpoint, and every record is an entry under it; the charter the first. */
  async #inclusion(
    { records }: Bundle, first: Submission, logKey: VerifierKey,
  ): Promise<readonly [SignedCheckpoint, readonly Opened[]] | undefined> {
    const opened: Opened[] = [];
    let checkpoint: SignedCheckpoint | undefined;
    let next = 0n;
    for (const logged of records) {
      const read = await this.attempt('log', async () => {
        const submission = opened.length === 0 ? first : await openSubmission(logged.envelope);
        return { submission, ...(await prove(logged, submission, logKey)) };
      });
      if (read === undefined) return undefined;
      const { submission, index, signed } = read;
      if (checkpoint !== undefined && checkpoint.note.source !== signed.note.source) {
        return this.fail('log', 'other-checkpoint', {}, 'the proofs stand under different checkpoints');
      }
      if (index < next || (checkpoint === undefined && index !== 0n)) {
        return this.fail('log', 'order', {}, 'the records do not stand in the order of the log, from its charter on');
      }
      next = index + 1n;
      if (submission.digest === this.#known.record) this.#known.index = index;
      checkpoint = signed;
      opened.push({ logged, index, submission });
    }
    if (checkpoint === undefined) return this.fail('log', 'no-record', {}, 'the bundle has no record');
    const { origin, size } = checkpoint.checkpoint;
    this.#known.size = size;
    // Of what is erased, its redaction is proven.
    const redaction = opened.find(({ submission: { record } }) => record.kind === 'redaction' && record.body.redacts === this.#known.record);
    this.hold('log', { log: origin, size: String(size), index: String(this.#known.index ?? redaction?.index ?? '') });
    return [checkpoint, opened];
  }

  /**
   * Every record was signed by keys that the nation let speak, judged in the order of the log; so a reader who last
   * saw an early charter walks every step from it to the last one. A record whose body is erased is known by its
   * redaction, which is judged in its turn.
   */
  async #authority(opened: readonly Opened[]): Promise<State | undefined> {
    const admitted: Admitted[] = [];
    const tombs = erased(opened);
    let state: State = EMPTY_STATE;
    for (const { index, submission } of opened) {
      const { record } = submission;
      for (let tomb = tombs[0]; tomb !== undefined && BigInt(tomb.index) < index; tomb = tombs[0]) {
        state = stateRemembering(state, tomb);
        tombs.shift();
      }
      // Whether a card stands for its version, only the whole log can tell.
      const before = record.kind === 'model-card' ? record.body.supersedes : undefined;
      const version = versionOf(record);
      const cards = new Map(state.cards);
      if (version !== undefined) cards.set(version, before === undefined ? [] : [before]);
      const at = { ...state, cards, position: Number(index) };
      const policy = { asks: 'mirror', origin: this.#known.log ?? '' } as const;
      const it = await this.attempt('signatures', () => decide(submission, at, policy));
      if (it === undefined) return undefined;
      state = stateAfter(at, it);
      admitted.push(it);
    }
    const { record: named } = this.#known;
    const about = named === undefined ? undefined : state.records.get(named);
    if (about === undefined) {
      return this.fail('signatures', 'no-record', {}, 'the record that the bundle is about is not in it');
    }
    const reigns = admitted.flatMap(({ record, signers }) => (record.kind === 'charter' ? [{ ...record.body, signers }] : []));
    const charter = reigns.at(-1);
    Object.assign(this.#known, {
      kind: about.kind, charterVersion: charter?.version, signers: about.signers, records: admitted,
      index: BigInt(about.index),
    });
    const holders = about.signers.map((keyid) => delegationOf(state.roster, keyid)?.holder ?? '');
    const roots = charter === undefined ? 0 : signedBy(charter, charter.signers);
    this.hold('signatures', { keys: about.signers, holders, version: charter?.version ?? 0, roots });
    return state;
  }

  /** Whether the keys were still trusted where the record stands, by the revocations in the bundle. */
  #revocations(roster: Roster): void {
    const { record, index, size, signers, kind } = this.#known;
    if (record === undefined || index === undefined || kind === undefined) return;
    const it = standingOf(roster, kind, Number(index), record, signers);
    const held = [...roster.revocations.values()].flat().length;
    if (it.standing === 'stands') {
      this.hold('revocations', { held, size: String(size ?? '') });
    } else if (it.standing === 'contested') {
      const reason = `the key ${it.key} was compromised, and the roots have not affirmed the record`;
      this.#note('revocations', 'short', 'key-contested', { key: it.key }, reason);
    } else {
      const reason = `the key ${it.key} is not trusted from entry ${it.from} on`;
      this.fail('revocations', 'key-revoked', { key: it.key, from: it.from, index: String(index) }, reason);
    }
  }

  /**
   * Whether the nation still stands by the record, and by those that it rests on, by the withdrawals and redactions in
   * the bundle. Only what may end is asked.
   */
  #ends(state: State): void {
    const { record, kind, size, records } = this.#known;
    if (record === undefined || kind === undefined || !mayEnd(kind)) return;
    const ended = (digest: Digest): EndSeen | undefined => {
      const end = endIn(state, digest);
      const by = records.find((it) => it.digest === end?.record)?.record;
      if (end === undefined || (by?.kind !== 'withdrawal' && by?.kind !== 'redaction')) return undefined;
      const { reason, statement } = by.body;
      return { kind: end.kind, index: end.index, record: end.record, issuedAt: by.header.issuedAt, reason, statement };
    };
    const end = ended(record);
    if (end !== undefined) {
      this.#known.end = end;
      const problem = end.kind === 'redaction' ? 'redacted' : 'withdrawn';
      const { index, reason, issuedAt: since } = end;
      this.#note('ends', 'short', problem, { index, since }, `it is ${problem} by entry ${index}: ${reason}`);
      return;
    }
    const others = [...state.records.keys()].filter((digest) => ended(digest) !== undefined);
    if (others.length === 0) this.hold('ends', { size: String(size ?? '') });
    else this.#note('ends', 'short', 'others-ended', { others }, 'something that it rests on has ended');
  }

  /** Who has cosigned the checkpoint, of those whom the policy names. One that is forged condemns all. */
  async #cosignatures(checkpoint: SignedCheckpoint, trust: Trust): Promise<boolean> {
    if (trust.pins !== 'policy') {
      this.#note('cosignatures', 'not-checked', 'no-policy', {}, 'only a policy file names witnesses');
      return true;
    }
    const { policy } = trust;
    const keys = policy.witnesses.map((witness) => witness.key);
    const seen = await this.attempt('cosignatures', () => verifyCosignatures(checkpoint, keys));
    if (seen === undefined) return false;
    const missing = missingFrom(policy, checkpoint.checkpoint, seen);
    this.#known.cosigners = seen
      .filter((it) => it.time <= TIME_MAX)
      .map((it) => ({ name: it.key.name, at: Number(it.time) }));
    const names = this.#known.cosigners.map((it) => it.name);
    const counted = { names, seen: seen.length, known: keys.length };
    const last = Math.max(...this.#known.cosigners.map((it) => it.at));
    const since = missing === undefined ? metSince(policy, checkpoint.checkpoint, seen) : last;
    const dated = Number.isFinite(since) ? { ...counted, since: Number(since) } : counted;
    if (missing === undefined) this.hold('cosignatures', dated);
    else this.#note('cosignatures', 'short', 'too-few', { ...dated, missing }, 'the policy asks for more');
    return true;
  }

  /** Which blobs travel with the bundle: only those that its records name, as long as they say. */
  #blobs({ blobs }: Bundle, opened: readonly Opened[]): void {
    const named = opened.flatMap(({ submission }) => submission.record.blobs);
    const digests = new Set(named.map((blob) => blob.sha256));
    const stray = [...blobs.keys()].find((held) => !digests.has(held));
    if (stray !== undefined) {
      this.fail('blobs', 'stray-blob', { blob: stray }, `no record of the bundle names the blob ${stray}`);
      return;
    }
    const held = named.filter((blob) => blobs.has(blob.sha256));
    const other = held.find((blob) => blobs.get(blob.sha256)?.length !== blob.sizeBytes);
    if (other !== undefined) {
      const { sha256, sizeBytes } = other;
      this.fail('blobs', 'blob-size', { blob: sha256 }, `the blob ${sha256} is not of ${sizeBytes} bytes`);
      return;
    }
    const missing = named.length - held.length;
    if (missing > 0) {
      this.#note('blobs', 'not-checked', 'blobs-missing', { missing, named: named.length }, `${missing} are not in it`);
    }
  }

  /** Runs a part of a step; a refusal fails the step. */
  async attempt<T>(step: StepName, part: () => Promise<T>): Promise<T | undefined> {
    try {
      return await part();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.code === 'cannot-verify') return this.cannot(step, 'no-ed25519');
      return this.fail(step, 'refused', { code: error.code, at: error.pointer ?? '' }, error.message);
    }
  }

  hold(step: StepName, params: Step['params']): void {
    this.#note(step, 'holds', undefined, params, '');
  }

  fail(step: StepName, problem: Problem, params: Step['params'], reason: string): undefined {
    this.#note(step, 'fails', problem, params, reason);
    return undefined;
  }

  cannot(step: StepName, why: CannotVerify): undefined {
    this.#note(step, 'not-checked', 'cannot-verify', { why }, `this page cannot verify: ${why}`);
    return undefined;
  }

  #note(step: StepName, outcome: Outcome, problem: Problem | undefined, params: Step['params'], reason: string): void {
    this.#steps.push({ step, outcome, problem, params, reason });
  }
}

/**
 * By their positions, the redactions whose records are not in the bundle, for their bodies are gone. Where a record
 * stands none was erased, and of two that are said to have stood in one place the later one is not.
 */
function erased(opened: readonly Opened[]): Redaction[] {
  const tombs = new Map<number, Redaction>();
  for (const { submission: { record } } of opened) {
    if (record.kind !== 'redaction') continue;
    const { body } = record;
    const held = opened.some((it) => it.submission.digest === body.redacts || it.index === BigInt(body.index));
    if (!held && !tombs.has(body.index)) tombs.set(body.index, body);
  }
  return [...tombs.values()].sort((one, other) => one.index - other.index);
}

/** Proves one record under the checkpoint of its own proof. */
async function prove(
  { envelope, proof }: LoggedRecord, { record }: Submission, log: VerifierKey,
): Promise<{ index: bigint; signed: SignedCheckpoint }> {
  const parsed = parseProof(toUtf8(proof));
  // Positions are compared as numbers further on.
  if (parsed.index > BigInt(Number.MAX_SAFE_INTEGER)) throw new Refused('proof-range', 'the entry lies too far');
  const signed = await verifyProof(parsed, entryBytes({ kind: record.kind, envelope: envelope.digest }), log);
  return { index: parsed.index, signed };
}
