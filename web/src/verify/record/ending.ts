/** What ends another record says of it: its kind and of what it speaks (schema/README.md, "Kinds"). */

import { isName } from '../name';
import { malformed } from '../shape';
import type { Kind } from './header';

/** The kinds of record that may be withdrawn, and redacted. */
const MAY_END: readonly Kind[] = ['model-card', 'weights', 'license'];

/** Whether records of a kind may be withdrawn, and redacted. */
export function mayEnd(kind: Kind): boolean {
  return MAY_END.includes(kind);
}

/** Throws `Refused` (`malformed`) when such records do not end, or the scope is none. */
export function checkEnding({ kind, scope }: { readonly kind: Kind; readonly scope: string }): void {
  if (!mayEnd(kind)) throw malformed('/kind', `is ${kind}, and such records are neither withdrawn nor redacted`);
  const parts = scope.split(':');
  if (parts.length !== 2 || !parts.every(isName)) throw malformed('/scope', 'is not <org>:<name>');
}
