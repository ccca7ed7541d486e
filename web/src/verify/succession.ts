/**
 * Succession: whether a new log takes the place of an old one of the same nation, as the charters of both tell
 * (schema/README.md, "Succession"; schema/src/succession.rs). Which of two that do is right, only those can tell
 * who mirrored the old one.
 */

import { EMPTY_STATE, type State, decide, openSubmission, stateAfter } from './admission';
import { toUtf8 } from './bytes';
import { type Checkpoint, openCheckpoint } from './checkpoint';
import type { Digest } from './digest';
import type { Envelope } from './envelope';
import { SUCCESSIONS_MAX } from './limits';
import { parseNote } from './note';
import { type Charter, noteKeys } from './record/charter';
import type { LogSuccession } from './record/log-succession';
import { Refused } from './refused';
import type { Roster } from './roster';

/** A log that another took the place of. */
export interface FormerLog {
  /** Its first charter. */
  readonly first: Charter;
  /** The record digest of it. */
  readonly fingerprint: Digest;
  /** Its keys by its charters alone. */
  readonly roster: Roster;
  /** What it took the place of itself. */
  readonly succession: LogSuccession | undefined;
}

/**
 * Reads logs that came before, the oldest first: of each the envelopes of all its charters in log order, and after
 * the first one its log succession if it has one. Throws `Refused` (`follows-…`) where one does not follow.
 */
export async function readFormer(envelopes: readonly Envelope[]): Promise<readonly FormerLog[]> {
  const logs: FormerLog[] = [];
  let state: State = EMPTY_STATE;
  for (const envelope of envelopes) {
    try {
      const submission = await openSubmission(envelope);
      const { record } = submission;
      if (record.kind === 'charter' && record.body.version === 1) state = EMPTY_STATE;
      const origin = state.roster?.origin ?? record.header.log;
      const isFirst = state.roster === undefined;
      const admitted = await decide(submission, state, { asks: 'mirror', origin });
      state = stateAfter(state, admitted);
      const { roster } = state;
      const last = logs.pop();
      if (roster === undefined) throw broken('former', 'an earlier log has no charter');
      if (record.kind === 'charter' && isFirst) {
        if (last !== undefined) logs.push(last);
        if (logs.length >= SUCCESSIONS_MAX) throw broken('former', `there are more than ${SUCCESSIONS_MAX} earlier logs`);
        logs.push({ first: record.body, fingerprint: submission.digest, roster, succession: undefined });
      } else if (record.kind === 'charter' && last !== undefined) {
        logs.push({ ...last, roster });
      } else if (record.kind === 'log-succession' && last !== undefined) {
        logs.push({ ...last, succession: record.body });
      } else throw broken('former', `an earlier log is told by charters, not by a ${record.kind}`);
    } catch (error) {
      if (error instanceof Refused && !error.code.startsWith('follows-')) {
        throw broken('former', `an earlier log: ${error.message}`);
      }
      throw error;
    }
  }
  for (const [index, log] of logs.entries()) {
    const older = logs[index - 1];
    if (older === undefined) continue;
    if (log.succession === undefined) throw broken('former', `the log ${log.roster.origin} does not say what it follows`);
    await checkFollows(log.roster.nation, log.first, log.succession, older);
  }
  return logs;
}

/**
 * Checks that the log of `nation` that begins with the charter `first` and says `succession`, both admitted there,
 * follows `old`. Answers the base; throws `Refused` (`follows-…`).
 */
export async function checkFollows(
  nation: string, first: Charter, succession: LogSuccession, old: FormerLog,
): Promise<Checkpoint> {
  const { roster } = old;
  if (nation !== roster.nation) {
    throw broken('nation', `the new log is of ${nation}, and the earlier one of ${roster.nation}`);
  }
  const { log } = await noteKeys(roster.charter, roster.nation, roster.origin);
  const said = [
    ['key', succession.predecessor === String(log)],
    ['fingerprint', succession.fingerprint === old.fingerprint],
    ['last charter', succession.charter === roster.charterDigest],
  ] as const;
  for (const [what, same] of said) {
    if (!same) throw broken('predecessor', `the succession names another ${what} than the log ${roster.origin} has`);
  }
  const { checkpoint: base } = await openCheckpoint(parseNote(toUtf8(succession.base)), log);
  const roots = (charter: Charter): readonly string[] => charter.roots.map((root) => root.keyid);
  const same = [
    ['roots', sameSet(roots(first), roots(roster.charter))],
    ['threshold', first.threshold === roster.charter.threshold],
    ['algorithms', sameSet(first.algorithms, roster.charter.algorithms)],
  ] as const;
  for (const [what, equal] of same) {
    if (!equal) {
      const whose = `version ${roster.charter.version} of the charter of ${roster.origin}`;
      throw broken('roots', `the first charter of the new log has other ${what} than ${whose}`);
    }
  }
  return base;
}

function sameSet(one: readonly string[], other: readonly string[]): boolean {
  return one.every((it) => other.includes(it)) && other.every((it) => one.includes(it));
}

function broken(rule: 'former' | 'nation' | 'predecessor' | 'roots', reason: string): Refused {
  return new Refused(`follows-${rule}`, reason);
}
