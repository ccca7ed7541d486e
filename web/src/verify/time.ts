/** Points in time, to the second, always UTC: RFC 3339 in one form only, `2026-11-24T12:00:00Z`. */

import { Refused } from './refused';

/** 9999-12-31T23:59:59Z. */
export const TIME_MAX = 253_402_300_799;

/** Reads a time; answers POSIX seconds from 0 to {@link TIME_MAX}; throws `Refused` (`time`). */
export function parseTime(text: string): number {
  const refused = new Refused('time', 'not a time: expected the form 2026-11-24T12:00:00Z, between 1970 and 9999');
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/.test(text)) throw refused;
  const seconds = Date.parse(text) / 1000;
  // A day that does not exist is read as another one.
  if (!(seconds >= 0 && seconds <= TIME_MAX) || formatTime(seconds) !== text) throw refused;
  return seconds;
}

/** Writes POSIX seconds from 0 to {@link TIME_MAX}. */
export function formatTime(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}
