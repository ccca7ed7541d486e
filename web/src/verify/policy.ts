/**
 * Policies: which logs are known, and how many partners must have seen a checkpoint.
 *
 * Follows C2SP tlog-policy <https://c2sp.org/tlog-policy>; one deviation: the text must be UTF-8.
 *
 *     log <vkey> [<url>]
 *     witness <name> <vkey> [<url>]
 *     group <name> all|any|<k> <member>...
 *     quorum <name>|none
 */

import { fromUtf8, toHex } from './bytes';
import { type Checkpoint, type SignedCheckpoint, checkpointText, parseDecimal } from './checkpoint';
import { type Cosignature, verifyCosignatures } from './cosignature';
import { type KeyType, VerifierKey } from './note';
import { Refused, attempt } from './refused';
import { TIME_MAX } from './time';

/** Logs, witnesses and groups of one policy, each. */
export const ITEMS_MAX = 512;

/** A policy, in bytes. */
export const POLICY_BYTES_MAX = 1 << 20;

/** A known log; its key's name is the origin. */
export interface KnownLog {
  readonly key: VerifierKey;
  readonly url: string | undefined;
}

/** A known cosigner, and what this policy calls it. */
export interface KnownWitness {
  readonly name: string;
  readonly key: VerifierKey;
  readonly url: string | undefined;
}

/** What one party asks of a checkpoint before it believes it. */
export interface Policy {
  readonly logs: readonly KnownLog[];
  readonly witnesses: readonly KnownWitness[];
  /** What must be satisfied. */
  readonly quorum: Member;
}

/** A witness, or a group of which enough members must be satisfied; `none` is a group that asks for nobody. */
export type Member = KnownWitness | Group;

/** Members of which `threshold` must be satisfied. */
export interface Group {
  readonly threshold: number;
  readonly members: readonly Member[];
}

/** Reads a policy; throws `Refused` (`policy`) at the first line that is wrong. */
export function parsePolicy(bytes: Uint8Array): Policy {
  const text = bytes.length > POLICY_BYTES_MAX ? undefined : attempt(() => fromUtf8(bytes));
  if (typeof text !== 'string' || !text.endsWith('\n')) {
    throw new Refused('policy', `not lines of UTF-8, each ended, of at most ${POLICY_BYTES_MAX} bytes`);
  }
  const reader = new Reader();
  const lines = text.slice(0, -1).split('\n');
  for (const [index, line] of lines.entries()) reader.line(line, index + 1);
  return reader.end(lines.length);
}

/**
 * The witnesses whose cosignatures of exactly this checkpoint would count and are missing, by their names;
 * `undefined` when the quorum is met. A second cosignature of the same key does not count.
 */
export function missingFrom(
  policy: Policy, checkpoint: Checkpoint, cosignatures: readonly Cosignature[],
): readonly string[] | undefined {
  const text = checkpointText(checkpoint);
  const seen = cosignatures.filter((it) => checkpointText(it.checkpoint) === text);
  const keys = new Set(seen.map((it) => toHex(it.key.key.bytes)));
  const satisfied = (member: Member): boolean =>
    'key' in member
      ? keys.has(toHex(member.key.key.bytes))
      : member.members.filter(satisfied).length >= member.threshold;
  const missing = (member: Member): readonly string[] => {
    if (satisfied(member)) return [];
    return 'key' in member ? [member.name] : member.members.flatMap(missing);
  };
  return satisfied(policy.quorum) ? undefined : missing(policy.quorum);
}

/** Since when the quorum is met, in POSIX seconds; `undefined` where it is not, or asks for nobody. */
export function metSince(
  policy: Policy, checkpoint: Checkpoint, cosignatures: readonly Cosignature[],
): number | undefined {
  const byTime = [...cosignatures].sort((a, b) => (a.time < b.time ? -1 : 1));
  const counts = Array.from({ length: byTime.length + 1 }, (_, count) => count);
  const enough = counts.find((count) => missingFrom(policy, checkpoint, byTime.slice(0, count)) === undefined);
  const last = enough === undefined ? undefined : byTime[enough - 1];
  return last === undefined || last.time > TIME_MAX ? undefined : Number(last.time);
}

/** Verifies the cosignatures of a checkpoint and asks {@link missingFrom}; throws `Refused` (`forged`). */
export async function judge(policy: Policy, signed: SignedCheckpoint): Promise<readonly string[] | undefined> {
  const cosignatures = await verifyCosignatures(signed, policy.witnesses.map((witness) => witness.key));
  return missingFrom(policy, signed.checkpoint, cosignatures);
}

/** What has been read so far. */
class Reader {
  readonly #logs: KnownLog[] = [];
  readonly #witnesses: KnownWitness[] = [];
  readonly #groups: Group[] = [];
  readonly #named = new Map<string, Member>();
  readonly #used = new Set<Member>();
  #quorum: Member | undefined;
  #at = 1;

  line(line: string, number: number): void {
    this.#at = number;
    if (hasControls(line)) throw this.#refused('has a control character');
    const [word, ...rest] = line.split(/[ \t]+/).filter((it) => it !== '');
    if (word === undefined || word.startsWith('#')) return;
    const [first, second, third] = rest;
    if (word === 'log' && first !== undefined && rest.length <= 2) this.#log(first, second);
    else if (word === 'witness' && first !== undefined && second !== undefined && rest.length <= 3) {
      this.#witness(first, second, third);
    } else if (word === 'group' && first !== undefined && second !== undefined && third !== undefined) {
      this.#group(first, second, rest.slice(2));
    } else if (word === 'quorum' && first !== undefined && rest.length === 1) this.#setQuorum(first);
    else throw this.#refused('not a log, witness, group or quorum');
  }

  end(lines: number): Policy {
    this.#at = lines;
    if (this.#quorum === undefined) throw this.#refused('a policy has exactly one quorum');
    return { logs: this.#logs, witnesses: this.#witnesses, quorum: this.#quorum };
  }

  #log(text: string, url: string | undefined): void {
    this.#logs.push({ key: this.#key(text, 'ed25519', this.#logs), url });
    this.#checkCount(this.#logs.length);
  }

  #witness(name: string, text: string, url: string | undefined): void {
    const witness = { name, key: this.#key(text, 'cosignature', this.#witnesses), url };
    this.#define(name, witness);
    this.#witnesses.push(witness);
    this.#checkCount(this.#witnesses.length);
  }

  #group(name: string, threshold: string, names: readonly string[]): void {
    const members = names.map((it) => {
      const member = this.#find(it);
      if (this.#used.has(member)) throw this.#refused(`${it} is a member of a group already`);
      this.#used.add(member);
      return member;
    });
    const count = threshold === 'any' ? 1n : threshold === 'all' ? BigInt(members.length) : parseDecimal(threshold);
    if (count === undefined || count < 1n || count > members.length) {
      throw this.#refused('the threshold is not all, any, or a number from 1 to the number of members');
    }
    const group = { threshold: Number(count), members };
    this.#define(name, group);
    this.#groups.push(group);
    this.#checkCount(this.#groups.length);
  }

  #setQuorum(name: string): void {
    const quorum = name === 'none' ? { threshold: 0, members: [] } : this.#find(name);
    if (this.#quorum !== undefined) throw this.#refused('a policy has exactly one quorum');
    this.#quorum = quorum;
  }

  #define(name: string, member: Member): void {
    if (name === 'none' || this.#named.has(name)) throw this.#refused(`the name ${name} is taken`);
    this.#named.set(name, member);
  }

  #find(name: string): Member {
    const member = this.#named.get(name);
    if (member === undefined) throw this.#refused(`the name ${name} is not defined on an earlier line`);
    return member;
  }

  #key(text: string, type: KeyType, known: readonly { readonly key: VerifierKey }[]): VerifierKey {
    const key = attempt(() => VerifierKey.parse(text));
    if (key instanceof Refused || key.type !== type) throw this.#refused('not a verifier key of the right type');
    const same = ({ key: other }: { readonly key: VerifierKey }): boolean =>
      other.key.equals(key.key) || (other.name === key.name && toHex(other.keyId) === toHex(key.keyId));
    if (known.some(same)) throw this.#refused('the key stands in the policy already');
    return key;
  }

  #checkCount(count: number): void {
    if (count > ITEMS_MAX) throw this.#refused(`more than ${ITEMS_MAX} logs, witnesses or groups`);
  }

  #refused(problem: string): Refused {
    return new Refused('policy', `line ${this.#at} of the policy: ${problem}`);
  }
}

/** Whether a line has control characters of ASCII, but the tab. */
function hasControls(line: string): boolean {
  for (let at = 0; at < line.length; at++) {
    const code = line.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true;
  }
  return false;
}
