/**
 * Checkpoints: what a log says of itself, and signs.
 *
 * Follows C2SP tlog-checkpoint <https://c2sp.org/tlog-checkpoint>, v1.0.0, without extension lines.
 */

import { type Bytes, toBase64 } from './bytes';
import { hashFromBase64 } from './digest';
import { isOrigin } from './name';
import { type Note, type VerifierKey, verifyNote } from './note';
import { Refused, attempt } from './refused';
import { SIZE_MAX } from './tree';

/** The size and root of a log at one moment. */
export interface Checkpoint {
  /** Which log. */
  readonly origin: string;
  /** How many entries, at most 2^63 - 1. */
  readonly size: bigint;
  /** The root of their tree. */
  readonly root: Bytes;
}

/** A checkpoint that carries a valid signature of its log. Only {@link openCheckpoint} makes one. */
export interface SignedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly note: Note;
}

/** Reads the three lines; throws `Refused` (`checkpoint`). A checkpoint has one text. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', size = '', root = '', end, ...more] = text.split('\n');
  if (end !== '' || more.length > 0) throw refused('a checkpoint is three lines: origin, size and root');
  if (!isOrigin(origin)) throw refused('the first line of a checkpoint is its origin');
  const number = parseDecimal(size);
  if (number === undefined) throw refused('the second line of a checkpoint is a size from 0 to 2^63-1');
  const hash = attempt(() => hashFromBase64(root));
  if (hash instanceof Refused) throw refused('the third line of a checkpoint is a SHA-256 digest in base64');
  return { origin, size: number, root: hash };
}

/** The three lines. */
export function checkpointText(checkpoint: Checkpoint): string {
  return `${checkpoint.origin}\n${checkpoint.size}\n${toBase64(checkpoint.root)}\n`;
}

/**
 * Opens a note as a checkpoint of the log with this key; throws `Refused` (`checkpoint`, `wrong-key`,
 * `unsigned`, `forged`). Lines of others are kept and not yet verified.
 */
export async function openCheckpoint(note: Note, log: VerifierKey): Promise<SignedCheckpoint> {
  const checkpoint = parseCheckpoint(note.text);
  if (log.type !== 'ed25519' || log.name !== checkpoint.origin) {
    throw new Refused('wrong-key', `${log.name} is not the key of the log ${checkpoint.origin}`);
  }
  await verifyNote(note, [log]);
  return { checkpoint, note };
}

/** Reads a number from 0 to 2^63 - 1 in its one form: digits, no sign, no leading zero. */
export function parseDecimal(text: string): bigint | undefined {
  if (!/^(?:0|[1-9][0-9]{0,18})$/.test(text)) return undefined;
  const number = BigInt(text);
  return number <= SIZE_MAX ? number : undefined;
}

function refused(reason: string): Refused {
  return new Refused('checkpoint', reason);
}
