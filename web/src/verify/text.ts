/** Text for people, addresses, numbers as text, blobs: what every kind of record is made of (schema/README.md). */

import { utf8Length } from './bytes';
import { BLOB_BYTES_MAX, LINE_BYTES_MAX, PATH_BYTES_MAX, PATH_PARTS_MAX, TEXT_BYTES_MAX } from './limits';
import { isLanguage, isNationInUse } from './name';
import {
  type Read, type Reader, digest, integer, malformed, object, required, table, text, textThat,
} from './shape';

/** A {@link decimal}, in characters. */
const DECIMAL_CHARS_MAX = 64;

/** What is wrong with a line, if anything: not only spaces, at most 1,024 bytes, no control characters. */
export function lineProblem(text: string): string | undefined {
  if (/^ *$/.test(text)) return 'is empty';
  if (utf8Length(text) > LINE_BYTES_MAX) return `is longer than ${LINE_BYTES_MAX} bytes`;
  return /\p{Cc}/u.test(text) ? 'has control characters; write one line' : undefined;
}

/** What is wrong with a URI, if anything: a scheme and something after it, nothing that a browser would run. */
export function uriProblem(text: string): string | undefined {
  const problem = lineProblem(text);
  if (problem !== undefined) return problem;
  const [, scheme] = /^([A-Za-z][A-Za-z0-9+.-]*):[^]/u.exec(text) ?? [];
  if (scheme === undefined || /[ <>"\\^`{|}]/.test(text)) return 'is not a URI';
  return /^(?:javascript|data|vbscript)$/i.test(scheme) ? 'is not an address of anything' : undefined;
}

/** What is wrong with a media type, if anything (RFC 6838 §4.2); parameters may follow a semicolon. */
export function mediaTypeProblem(text: string): string | undefined {
  const problem = lineProblem(text);
  if (problem !== undefined) return problem;
  const essence = (text.split(';')[0] ?? '').replace(/ +$/, '');
  const parts = essence.split('/');
  const named = parts.every((part) => /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/.test(part));
  return parts.length === 2 && named ? undefined : 'is not a media type, such as text/markdown';
}

/** What is wrong with a path of a manifest, if anything: it must mean one file, inside the folder. */
export function pathProblem(path: string): string | undefined {
  const parts = path.split('/');
  if (utf8Length(path) > PATH_BYTES_MAX) return `is longer than ${PATH_BYTES_MAX} bytes`;
  if (/[\\\p{Cc}]/u.test(path)) return 'has a backslash or a control character';
  if (parts.some((part) => part === '' || part === '.' || part === '..')) return 'is not relative to the folder';
  return parts.length > PATH_PARTS_MAX ? `has more than ${PATH_PARTS_MAX} parts` : undefined;
}

/** Whether text is an exact number, such as `2.1e25`. */
export function isDecimal(text: string): boolean {
  return text.length <= DECIMAL_CHARS_MAX && /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?$/.test(text);
}

/** Whether text is a year, a month or a day that exists: `2026`, `2026-11`, `2026-11-24`. */
export function isDate(text: string): boolean {
  const parts = /^([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?$/.exec(text);
  const [year = 0, month = 0, day = 0] = (parts ?? []).slice(1).map((part) => Number(part ?? 1));
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return parts !== null && day >= 1 && day <= days;
}

/** Whether text has the shape of an SPDX license expression (SPDX 3, annex on license expressions). */
export function isSpdxExpression(text: string): boolean {
  const tokens = text.replace(/[()]/g, ' $& ').split(' ').filter((token) => token !== '');
  let depth = 0;
  let wantsLicense = true;
  for (const [index, token] of tokens.entries()) {
    if (wantsLicense) {
      if (token === '(') depth++;
      else if (isSpdxId(token)) wantsLicense = false;
      else return false;
    } else if (token === ')' && depth > 0) depth--;
    else if (token === 'AND' || token === 'OR' || (token === 'WITH' && tokens[index - 1] !== ')')) wantsLicense = true;
    else return false;
  }
  return utf8Length(text) <= LINE_BYTES_MAX && depth === 0 && !wantsLicense;
}

/** One line of text. */
export const line: Reader<string> = checked(lineProblem);

/** A URI. */
export const uri: Reader<string> = checked(uriProblem);

/** A media type. */
export const mediaType: Reader<string> = checked(mediaTypeProblem);

/** A path of a manifest. */
export const path: Reader<string> = checked(pathProblem);

/** An exact number. */
export const decimal: Reader<string> = textThat(isDecimal, 'a decimal number in a string');

/** A date. */
export const date: Reader<string> = textThat(isDate, 'a year, month or day');

/** Lines in several languages, at least one. */
export const lines: Reader<ReadonlyMap<string, string>> = (value, at) => {
  const read = table(isLanguage, line)(value, at);
  if (read.size === 0) throw malformed(at, 'has no language; give at least one');
  return read;
};

/** Long texts in several languages, possibly none. */
export const texts: Reader<ReadonlyMap<string, string>> = table(isLanguage, checked((text) =>
  utf8Length(text) > TEXT_BYTES_MAX ? `is longer than ${TEXT_BYTES_MAX} bytes` : undefined,
));

/** Bytes beside a record, named by their digest. */
export const blobRef = object({
  sha256: required(digest),
  sizeBytes: required((value, at) => {
    const bytes = integer(value, at);
    if (bytes < 1 || bytes > BLOB_BYTES_MAX) throw malformed(at, `is not between 1 and ${BLOB_BYTES_MAX} bytes`);
    return bytes;
  }),
  mediaType: required(mediaType),
});

/** What {@link blobRef} reads. */
export type BlobRef = Read<typeof blobRef>;

/** Throws when a nation code is not in use; asked of new records only. */
export function checkInUse(at: string, nations: readonly string[]): void {
  const unused = nations.find((nation) => !isNationInUse(nation));
  if (unused !== undefined) throw malformed(at, `${unused} is not a code of ISO 3166-1, EU, UN, or XA to XZ`);
}

/** Throws when a period ends before it begins. */
export function checkPeriod(at: string, from: number | undefined, until: number | undefined): void {
  const ends = from !== undefined && until !== undefined;
  if (ends && until <= from) throw malformed(at, 'is not later than its beginning');
}

/** Throws when a version is called `latest`, which means the newest and is nobody's name. */
export function checkVersion(at: string, version: string): void {
  if (version === 'latest') throw malformed(at, 'is `latest`, which always means the newest');
}

function checked(problemOf: (text: string) => string | undefined): Reader<string> {
  return (value, at) => {
    const read = text(value, at);
    const problem = problemOf(read);
    if (problem !== undefined) throw malformed(at, problem);
    return read;
  };
}

function isSpdxId(token: string): boolean {
  const word = /^(?:(DocumentRef-[A-Za-z0-9.-]+):(?=LicenseRef-))?([A-Za-z0-9.-]+)\+?$/.exec(token);
  return word !== null && !['AND', 'OR', 'WITH', 'LicenseRef-'].includes(word[2] ?? '');
}
