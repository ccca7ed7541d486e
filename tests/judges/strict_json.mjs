// Strict JSON for Node: a reader written from the rules. What it takes, JSON.parse must take too.
// It answers with what was read, spelt so that two readers can be compared byte for byte.
import { readFileSync } from 'node:fs';

const DEPTH_MAX = 32;
const SHORT = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

class Refused extends Error {}

class Reader {
  constructor(text) {
    [this.text, this.at] = [text, 0];
  }

  whole() {
    const value = this.value(0);
    this.space();
    if (this.at !== this.text.length) throw new Refused('bytes after the value');
    return value;
  }

  space() {
    while (' \t\n\r'.includes(this.text[this.at] ?? '?')) this.at += 1;
  }

  // Takes `expected` if it stands here.
  takes(expected) {
    const stands = this.text.startsWith(expected, this.at);
    if (stands) this.at += expected.length;
    return stands;
  }

  value(depth) {
    this.space();
    for (const [word, spelt] of [['null', 'n'], ['true', 't'], ['false', 'f']]) if (this.takes(word)) return spelt;
    if (this.takes('"')) return this.string();
    if (this.takes('[')) return `[${this.items(depth, ']', (inner) => this.value(inner))}]`;
    if (this.takes('{')) {
      const seen = new Set();
      return `{${this.items(depth, '}', (inner) => this.member(inner, seen))}}`;
    }
    return this.integer();
  }

  items(depth, end, item) {
    if (depth >= DEPTH_MAX) throw new Refused('nested too deep');
    let read = '';
    this.space();
    if (this.takes(end)) return read;
    do {
      read += item(depth + 1);
      this.space();
    } while (this.takes(','));
    if (!this.takes(end)) throw new Refused(`no ${end}`);
    return read;
  }

  member(depth, seen) {
    this.space();
    if (!this.takes('"')) throw new Refused('no key');
    const key = this.string();
    this.space();
    if (seen.has(key) || !this.takes(':')) throw new Refused('a key twice or without a colon');
    seen.add(key);
    return key + this.value(depth);
  }

  string() {
    let read = '';
    for (;;) {
      const unit = this.text[this.at];
      this.at += 1;
      if (unit === undefined || unit < ' ') throw new Refused('a string without end, or a control character');
      if (unit === '"') break;
      read += unit === '\\' ? this.escape() : unit;
    }
    if (!read.isWellFormed()) throw new Refused('a lone surrogate');
    return `s${Buffer.from(read, 'utf8').toString('hex')};`;
  }

  escape() {
    const letter = this.text[this.at] ?? '';
    this.at += 1;
    if (letter !== 'u') {
      if (!Object.hasOwn(SHORT, letter)) throw new Refused('an unknown escape');
      return SHORT[letter];
    }
    const digits = this.text.slice(this.at, this.at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new Refused('an escape of four digits');
    this.at += 4;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  integer() {
    const found = /-?[0-9.eE+-]*/y;
    found.lastIndex = this.at;
    const [text] = found.exec(this.text);
    const plain = /^(0|-?[1-9][0-9]{0,15})$/.test(text);
    if (!plain || !Number.isSafeInteger(Number(text))) throw new Refused('not a plain integer');
    this.at += text.length;
    return `i${text};`;
  }
}

function read(base64) {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(base64, 'base64'));
    const value = new Reader(text).whole();
    JSON.parse(text);
    return value;
  } catch (error) {
    if (error instanceof Refused || error instanceof TypeError) return '-';
    return `${error}`; // JSON.parse refuses what was taken, or this reader has a fault: no verdict is like it.
  }
}

const lines = readFileSync(0, 'latin1').split('\n').slice(0, -1);
process.stdout.write(lines.map((line) => `${read(line)}\n`).join(''));
