/** What a timed cosignature signs, and how its line carries the time (C2SP tlog-cosignature, type 0x04). */

import { type Bytes, toUtf8 } from './bytes';

/** The text that is signed, of a checkpoint's text and a time in POSIX seconds. */
export function cosignatureMessage(text: string, time: bigint): Bytes {
  return toUtf8(`cosignature/v1\ntime ${time}\n${text}`);
}

/** The time (eight bytes, big-endian, never 0) and the signature of a line; nothing when the time is 0 or missing. */
export function splitCosignature(bytes: Bytes): { readonly time: bigint; readonly signature: Bytes } | undefined {
  if (bytes.length < 8) return undefined;
  const time = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0);
  return time === 0n ? undefined : { time, signature: bytes.slice(8) };
}
