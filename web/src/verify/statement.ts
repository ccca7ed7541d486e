/**
 * in-toto statements: what a record says, and about which bytes.
 *
 * Follows <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>; schema/README.md, "Statements".
 */

import type { Digest } from './digest';
import { type Json, type JsonObject, isObject, member, parse } from './json';
import { Refused, attempt } from './refused';
import { digest, list, object, required, text } from './shape';

/** The type of every statement. */
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';

/** The version of every predicate type that this version reads. */
export const VERSION = 1;

/** Bytes that a statement is about. */
export interface Subject {
  readonly name: string;
  readonly sha256: Digest;
}

/** A statement, read but not verified. */
export interface Statement {
  /** At least one. */
  readonly subjects: readonly Subject[];
  /** The predicate type without prefix and version. */
  readonly kind: string;
  /** The version of the predicate type. */
  readonly version: number;
  readonly predicate: JsonObject;
}

const subjects = list(object({ name: required(text), digest: required(object({ sha256: required(digest) })) }));

/** Reads a payload; throws `Refused` (`json`, `statement`). Unknown members are ignored here: they are signed. */
export function parseStatement(payload: Uint8Array): Statement {
  const statement = parse(payload);
  if (member(statement, '_type') !== STATEMENT_TYPE) throw refused('_type');
  const [kind, version] = readPredicateType(member(statement, 'predicateType'));
  const read = attempt(() => subjects(member(statement, 'subject') ?? null, '/subject'));
  if (read instanceof Refused || read.length === 0) throw refused('subject');
  const predicate = member(statement, 'predicate');
  if (!isObject(predicate)) throw refused('predicate');
  return { subjects: read.map((it) => ({ name: it.name, sha256: it.digest.sha256 })), kind, version, predicate };
}

/** Kind and version: `[a-z][a-z-]{0,31}`, and a number from 1 to 2^32 - 1 without leading zeros. */
function readPredicateType(value: Json | undefined): readonly [string, number] {
  const form = /^urn:chancery:predicate:([a-z][a-z-]{0,31}):v([1-9][0-9]{0,9})$/;
  const [, kind, version] = form.exec(typeof value === 'string' ? value : '') ?? [];
  if (kind === undefined || Number(version) >= 2 ** 32) throw refused('predicateType');
  return [kind, Number(version)];
}

function refused(what: string): Refused {
  return new Refused('statement', `the statement's ${what} is missing or malformed`);
}
