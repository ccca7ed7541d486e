/** Refusals: the one kind of error that this folder throws on purpose. */

/** Why a record does not count in a log, as schema/src/admission.rs has it. */
export type AdmissionCode =
  | 'malformed' | 'too-large' | 'kind-unknown' | 'wrong-log' | 'charter-missing' | 'charter-not-next'
  | 'key-unknown' | 'key-not-authorised' | 'key-expired' | 'key-revoked' | 'position-ahead' | 'signature-invalid'
  | 'threshold-not-met'
  | 'algorithm-missing' | 'charter-expired' | 'already-entered' | 'issued-in-future' | 'reference-unknown'
  | 'reference-foreign' | 'reference-void' | 'blob-missing' | 'version-taken' | 'supersedes-unknown'
  | 'reference-ended' | 'version-ended' | 'succession-misplaced';

/** Why bytes or text are not what they should be: the format's name, or what is wrong with it. */
export type FormatCode =
  | 'hex' | 'base64' | 'utf8' | 'digest' | 'json' | 'name' | 'time' | 'text'
  | 'key-not-canonical' | 'key-small-order' | 'key-mixed-order' | 'key-not-spki' | 'key-unknown-algorithm'
  | 'key-id' | 'bad-signature' | 'cannot-verify'
  | 'statement' | 'envelope' | 'envelope-large' | 'payload-type' | 'key-twice' | 'envelope-not-fixed' | 'subjects'
  | 'entry' | 'checkpoint' | 'wrong-key'
  | 'note-large' | 'note-text' | 'note-shape' | 'note-line' | 'note-signatures' | 'note-name' | 'verifier-key'
  | 'unsigned' | 'forged'
  | 'policy' | 'proof' | 'proof-large' | 'proof-range' | 'proof-length' | 'proof-root'
  | 'frame' | 'frame-long' | 'frame-type' | 'frame-digest'
  | 'bundle' | 'bundle-large' | 'bundle-header'
  | 'follows-former' | 'follows-nation' | 'follows-predecessor' | 'follows-roots'
  | 'tile-path' | 'tile-entries' | 'witness-text' | 'chunk-hashes';

/** What was refused: a code for programs, a reason in English for whoever debugs. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: AdmissionCode | FormatCode;
  /** Within a predicate, where (RFC 6901). */
  readonly pointer: string | undefined;

  constructor(code: AdmissionCode | FormatCode, reason: string, pointer?: string) {
    super(reason);
    this.code = code;
    this.pointer = pointer;
  }
}

/** Answers what `read` answers, and a refusal as a value; any other error passes. */
export function attempt<T>(read: () => T): T | Refused {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
}
