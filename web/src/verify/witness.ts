/**
 * Witnessing: when a partner cosigns a checkpoint, and what it answers when it does not.
 *
 * Follows C2SP tlog-witness <https://c2sp.org/tlog-witness>, v1.0.0, `add-checkpoint`: the texts, and the
 * decision. A browser witnesses nothing; this is here so that two implementations agree on it.
 */

import { type Bytes, equal, fromUtf8, toUtf8, utf8Length } from './bytes';
import { type SignedCheckpoint, openCheckpoint, parseDecimal } from './checkpoint';
import { NOTE_BYTES_MAX, PROOF_HASHES_MAX } from './limits';
import { type Note, type SignatureLine, type VerifierKey, parseNote, parseSignatureLines } from './note';
import { parseHashes } from './proof';
import { Refused, attempt } from './refused';
import { EMPTY_ROOT, verifyConsistency } from './tree';

/** A request, in bytes. */
export const REQUEST_BYTES_MAX = 64 + PROOF_HASHES_MAX * 45 + NOTE_BYTES_MAX;

/** A request to cosign, not yet verified. */
export interface WitnessRequest {
  /** The size that the witness is believed to have seen last. */
  readonly old: bigint;
  /** The consistency proof from there. */
  readonly proof: readonly Bytes[];
  /** The new checkpoint. */
  readonly note: Note;
}

/** What a witness answers: the checkpoint that it remembers and cosigns, or a status of HTTP. */
export type WitnessDecision =
  | { readonly status: 200; readonly signed: SignedCheckpoint }
  | { readonly status: 400 | 403 | 404 | 422 }
  | { readonly status: 409; readonly size: bigint };

/** Reads a body: `old <size>`, hashes, a blank line, the checkpoint; throws `Refused` (`witness-text`). */
export function parseRequest(body: Uint8Array): WitnessRequest {
  const refused = new Refused('witness-text', 'not old and a size, at most 63 hashes, a blank line and a signed note');
  if (body.length > REQUEST_BYTES_MAX) throw refused;
  const text = attempt(() => fromUtf8(body));
  const blank = typeof text === 'string' ? text.indexOf('\n\n') : -1;
  if (typeof text !== 'string' || blank < 0) throw refused;
  const [first = '', ...lines] = text.slice(0, blank).split('\n');
  const old = first.startsWith('old ') ? parseDecimal(first.slice('old '.length)) : undefined;
  const proof = parseHashes(lines);
  const note = attempt(() => parseNote(toUtf8(text.slice(blank + 2))));
  if (old === undefined || proof === undefined || note instanceof Refused) throw refused;
  return { old, proof, note };
}

/**
 * Decides on a request. `stored` is what this witness cosigned last; `log` the key of the request's origin,
 * when the witness serves it. Where two reasons meet, the order of the specification decides.
 */
export async function decideRequest(
  stored: { readonly size: bigint; readonly root: Bytes } | undefined,
  request: WitnessRequest,
  log: VerifierKey | undefined,
): Promise<WitnessDecision> {
  if (log === undefined || log.name !== request.note.text.split('\n')[0]) return { status: 404 };
  let signed: SignedCheckpoint;
  try {
    signed = await openCheckpoint(request.note, log);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { status: ['unsigned', 'forged', 'wrong-key'].includes(error.code) ? 403 : 400 };
  }
  const { checkpoint } = signed;
  if (request.old > checkpoint.size) return { status: 400 };
  const last = stored ?? { size: 0n, root: EMPTY_ROOT };
  if (request.old !== last.size) return { status: 409, size: last.size };
  const sameSize = checkpoint.size === last.size && request.proof.length === 0;
  if (sameSize && !equal(checkpoint.root, last.root)) return { status: 409, size: last.size };
  const proven = attempt(() => verifyConsistency(last, checkpoint, request.proof));
  return proven instanceof Refused ? { status: 422 } : { status: 200, signed };
}

/** Reads the body of a 200: 1 to 512 lines of cosignatures, each ended; throws `Refused` (`witness-text`). */
export function parseAnswer(body: string): readonly SignatureLine[] {
  const whole = body.endsWith('\n') && utf8Length(body) - 1 <= NOTE_BYTES_MAX;
  const lines = whole ? attempt(() => parseSignatureLines(body.slice(0, -1))) : undefined;
  if (lines === undefined || lines instanceof Refused) {
    throw new Refused('witness-text', 'not 1 to 512 lines of cosignatures');
  }
  return lines;
}
