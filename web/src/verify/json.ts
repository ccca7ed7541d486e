/**
 * Strict JSON: what two parsers could read differently is refused (schema/README.md, "Strict JSON").
 *
 * RFC 8259 in UTF-8, without duplicate members, without numbers other than plain integers of at most
 * 2^53 - 1, without `-0`, lone surrogates, byte order mark or bytes after the value, and nested at most
 * 32 deep. Text is never normalised. The built-in parser takes all of these, so this file has its own.
 */

import { fromUtf8 } from './bytes';
import { JSON_DEPTH_MAX, JSON_INTEGER_MAX } from './limits';
import { Refused } from './refused';

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object. It has no prototype, so `__proto__` and `constructor` are members like any other. */
export interface JsonObject {
  readonly [member: string]: Json;
}

/** Reads one value from UTF-8; throws `Refused` (`json`). */
export function parse(bytes: Uint8Array): Json {
  let text: string;
  try {
    text = fromUtf8(bytes);
  } catch {
    throw new Refused('json', 'not strict JSON: not UTF-8');
  }
  const reader = new Reader(text);
  return reader.whole();
}

/** Whether a value is an object. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value is a list. */
export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** A member of a value, when the value is an object and has it. */
export function member(value: Json | undefined, name: string): Json | undefined {
  return isObject(value) ? value[name] : undefined;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'], ['\\', '\\'], ['/', '/'], ['b', '\b'], ['f', '\f'], ['n', '\n'], ['r', '\r'], ['t', '\t'],
]);

/** Reads JSON text from its front. */
class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Json {
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) throw this.#refused('something stands after the value');
    return value;
  }

  #value(depth: number): Json {
    this.#space();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth + 1);
      case '[':
        return this.#list(depth + 1);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonObject {
    this.#enter(depth);
    const object = Object.create(null) as Record<string, Json>;
    if (this.#takes('}')) return object;
    do {
      this.#space();
      const name = this.#string();
      if (name in object) throw this.#refused(`the key ${JSON.stringify(name)} stands twice`);
      this.#expect(':');
      object[name] = this.#value(depth);
    } while (this.#takes(','));
    this.#expect('}');
    return object;
  }

  #list(depth: number): readonly Json[] {
    this.#enter(depth);
    const items: Json[] = [];
    if (this.#takes(']')) return items;
    do {
      items.push(this.#value(depth));
    } while (this.#takes(','));
    this.#expect(']');
    return items;
  }

  #enter(depth: number): void {
    if (depth > JSON_DEPTH_MAX) throw this.#refused(`nested deeper than ${JSON_DEPTH_MAX}`);
    this.#at++;
  }

  #string(): string {
    if (this.#text[this.#at] !== '"') throw this.#refused('expected a string');
    this.#at++;
    let read = '';
    for (;;) {
      const from = this.#at;
      let code = this.#text.charCodeAt(from);
      // NaN, past the end, is neither of these and not at least a space.
      while (code !== 0x22 && code !== 0x5c && code >= 0x20) code = this.#text.charCodeAt(++this.#at);
      read += this.#text.slice(from, this.#at);
      if (code === 0x22) {
        this.#at++;
        return read;
      }
      if (code !== 0x5c) throw this.#refused('a string does not end, or has a control character in it');
      read += this.#escape();
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? '';
    if (letter !== 'u') {
      const character = ESCAPES.get(letter);
      if (character === undefined) throw this.#refused('an unknown escape');
      this.#at += 2;
      return character;
    }
    const unit = this.#unit();
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
    const low = unit < 0xdc00 ? this.#unit() : 0;
    if (low < 0xdc00 || low > 0xdfff) throw this.#refused('a lone surrogate');
    return String.fromCharCode(unit, low);
  }

  /** The number of a `\uXXXX`. */
  #unit(): number {
    const escape = this.#text.slice(this.#at, this.#at + 6);
    if (!/^\\u[0-9A-Fa-f]{4}$/.test(escape)) throw this.#refused('not \\u and four hexadecimal digits');
    this.#at += 6;
    return Number.parseInt(escape.slice(2), 16);
  }

  #number(): number {
    const number = /[-0-9+.A-Za-z]*/y;
    number.lastIndex = this.#at;
    const [text = ''] = number.exec(this.#text) ?? [];
    if (!/^(?:0|-?[1-9][0-9]{0,15})$/.test(text)) throw this.#refused('not a value, or not a plain integer');
    const value = Number(text);
    if (Math.abs(value) > JSON_INTEGER_MAX) throw this.#refused('an integer past 2^53 - 1; write it as a string');
    this.#at += text.length;
    return value;
  }

  #word<T extends Json>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#refused('not a value');
    this.#at += word.length;
    return value;
  }

  #takes(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#takes(character)) throw this.#refused(`expected ${character}`);
  }

  #space(): void {
    let code = this.#text.charCodeAt(this.#at);
    while (code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d) code = this.#text.charCodeAt(++this.#at);
  }

  #refused(problem: string): Refused {
    return new Refused('json', `not strict JSON: ${problem}, at character ${this.#at}`);
  }
}
