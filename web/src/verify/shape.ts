/**
 * Shapes: small readers that turn strict JSON into typed values, and say where one does not fit.
 *
 * A shape refuses what another language's reader could take for something else: a list for an object, null
 * for a list. Members that it does not name are let stand: they are signed, and that is all. Every refusal
 * is `malformed`, with a JSON pointer (RFC 6901).
 */

import { type Digest, isDigest } from './digest';
import { type Json, type JsonObject, isList, isObject } from './json';
import { LIST_ITEMS_MAX } from './limits';
import { isLanguage, isName, isNation, isOrigin } from './name';
import { Refused, attempt } from './refused';
import { parseTime } from './time';

/** Reads a value that stands at a pointer; throws `Refused`. */
export type Reader<T> = (value: Json, at: string) => T;

/** How a member is read that may be absent. */
export type Field<T> = (value: Json | undefined, object: string, name: string) => T;

/** What {@link object} makes of fields. */
export type ObjectOf<F> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** What a reader reads. */
export type Read<R> = R extends Reader<infer T> ? T : never;

/** A refusal at a place. */
export function malformed(at: string, problem: string): Refused {
  return new Refused('malformed', `${at}: ${problem}`, at);
}

/** The pointer of a member of what stands at `at`. */
export function below(at: string, name: string | number): string {
  return `${at}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** A member that must be there. */
export function required<T>(read: Reader<T>): Field<T> {
  return (value, object, name) => {
    if (value === undefined) throw malformed(object, `missing field \`${name}\``);
    return read(value, below(object, name));
  };
}

/** A member that may be absent or null, which says the same. */
export function optional<T>(read: Reader<T>): Field<T | undefined> {
  return (value, object, name) => {
    const absent = value === undefined || value === null;
    return absent ? undefined : read(value, below(object, name));
  };
}

/** A member that may be absent, but not null, and then has a value of its own. */
export function otherwise<T>(read: Reader<T>, absent: NoInfer<T>): Field<T> {
  return (value, object, name) => (value === undefined ? absent : read(value, below(object, name)));
}

/** An object with these members, and any others. */
export function object<F extends Readonly<Record<string, Field<unknown>>>>(fields: F): Reader<ObjectOf<F>> {
  const entries = Object.entries(fields);
  return (value, at) => {
    const source = asObject(value, at);
    const read = entries.map(([name, field]) => [name, field(source[name], at, name)] as const);
    return Object.fromEntries(read) as ObjectOf<F>;
  };
}

/** A list of at most so many items. */
export function list<T>(read: Reader<T>, itemsMax: number = LIST_ITEMS_MAX): Reader<readonly T[]> {
  return (value, at) => {
    if (!isList(value)) throw malformed(at, 'is not a list');
    checkCount(at, value.length, itemsMax);
    return value.map((item, index) => read(item, below(at, index)));
  };
}

/** An object that is a table: every member is named and read alike. */
export function table<T>(isKey: (key: string) => boolean, read: Reader<T>): Reader<ReadonlyMap<string, T>> {
  return (value, at) => {
    const members = Object.entries(asObject(value, at));
    checkCount(at, members.length, LIST_ITEMS_MAX);
    return new Map(
      members.map(([key, item]) => {
        if (!isKey(key)) throw malformed(below(at, key), 'is not named as it must be');
        return [key, read(item, below(at, key))];
      }),
    );
  };
}

/** Text that meets a predicate. */
export function textThat<T extends string>(is: (text: string) => text is T, what: string): Reader<T>;
export function textThat(is: (text: string) => boolean, what: string): Reader<string>;
export function textThat(is: (text: string) => boolean, what: string): Reader<string> {
  return (value, at) => {
    const read = text(value, at);
    if (!is(read)) throw malformed(at, `is not ${what}`);
    return read;
  };
}

/** One of a closed list of words. */
export function oneOf<const W extends string>(words: readonly W[]): Reader<W> {
  return textThat((read): read is W => (words as readonly string[]).includes(read), `one of ${words.join(', ')}`);
}

/** Any text. */
export const text: Reader<string> = (value, at) => {
  if (typeof value !== 'string') throw malformed(at, 'is not text');
  return value;
};

/** `true` or `false`. */
export const flag: Reader<boolean> = (value, at) => {
  if (typeof value !== 'boolean') throw malformed(at, 'is neither true nor false');
  return value;
};

/** An integer from 0 to 2^53 - 1. */
export const integer: Reader<number> = (value, at) => {
  if (typeof value !== 'number' || value < 0) throw malformed(at, 'is not an integer from 0 to 2^53 - 1');
  return value;
};

/** A SHA-256 digest. */
export const digest: Reader<Digest> = textThat(isDigest, '64 lowercase hexadecimal digits');

/** A nation code. */
export const nation: Reader<string> = textThat(isNation, 'a nation code');

/** A name of an organisation, a model, a version. */
export const name: Reader<string> = textThat(isName, 'a name');

/** The name of a log. */
export const origin: Reader<string> = textThat(isOrigin, 'an origin');

/** A language tag. */
export const language: Reader<string> = textThat(isLanguage, 'a language tag');

/** A word of a list that later versions may lengthen: 1 to 64 of a-z, 0-9 and `-`. */
export const word: Reader<string> = textThat((read) => /^[a-z0-9-]{1,64}$/.test(read), 'a word of a-z, 0-9 and -');

/** A time, in POSIX seconds. */
export const time: Reader<number> = (value, at) => {
  const read = text(value, at);
  const seconds = attempt(() => parseTime(read));
  if (seconds instanceof Refused) throw malformed(at, seconds.message);
  return seconds;
};

/** Throws when a list is too long. */
export function checkCount(at: string, count: number, itemsMax: number): void {
  if (count > itemsMax) throw malformed(at, `has ${count} items; at most ${itemsMax} are allowed`);
}

/** Throws when an item stands twice. */
export function checkDistinct(at: string, items: readonly string[]): void {
  const index = items.findIndex((item, i) => items.indexOf(item) !== i);
  if (index >= 0) throw malformed(below(at, index), 'stands twice');
}

/** Throws when a word is none of those that this version knows; asked of new records only. */
export function checkKnown(at: string, found: string | undefined, words: readonly string[]): void {
  if (found !== undefined && !words.includes(found)) {
    throw malformed(at, `\`${found}\` is not a word that this version knows`);
  }
}

/** {@link checkKnown} for each of a list. */
export function checkAllKnown(at: string, found: readonly string[], words: readonly string[]): void {
  found.forEach((item, index) => checkKnown(below(at, index), item, words));
}

function asObject(value: Json, at: string): JsonObject {
  if (!isObject(value)) throw malformed(at, 'is not an object');
  return value;
}
