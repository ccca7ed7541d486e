/** The weights: which files a model is made of (schema/README.md, "Kinds"). Hashing them is in ../weights.ts. */

import { compareText, toUtf8 } from '../bytes';
import { digestOf } from '../digest';
import type { JsonObject } from '../json';
import { CHUNK_BYTES, FILES_MAX, JSON_INTEGER_MAX } from '../limits';
import {
  type Read, checkKnown, digest, integer, list, malformed, name, object, optional, otherwise, required, word,
} from '../shape';
import { blobRef, checkVersion, mediaType, path, uri } from '../text';
import { chunkSum, manifestText, omsRoot } from '../weights';
import type { Facts, Header } from './header';

const FORMATS = ['safetensors', 'gguf', 'onnx', 'pickle', 'script', 'json', 'text', 'other'];

const file = object({
  path: required(path),
  sizeBytes: required(integer),
  sha256: required(digest),
  chunkRoot: required(digest),
  format: optional(word),
});

const read = object({
  org: required(name),
  name: required(name),
  version: required(name),
  files: required(list(file, FILES_MAX)),
  totalBytes: required(integer),
  chunkBytes: required(integer),
  chunkHashes: required(blobRef),
  manifest: required(digest),
  omsRoot: required(digest),
  locations: otherwise(list(object({ uri: required(uri), mediaType: optional(mediaType) })), []),
  ignored: otherwise(list(path), []),
});

/** The files of one version of a model. */
export type Weights = Read<typeof read>;

/** Reads and checks the body of a weights record; throws `Refused` (`malformed`). */
export function readWeights(predicate: JsonObject, header: Header): Facts & { body: Weights } {
  const body = read(predicate, '');
  checkVersion('/version', body.version);
  checkFiles(body);
  if (body.chunkBytes !== CHUNK_BYTES) throw malformed('/chunkBytes', `is not ${CHUNK_BYTES}`);
  const chunks = chunkSum(body.files);
  if (body.chunkHashes.sizeBytes !== 32 * chunks) {
    throw malformed('/chunkHashes/sizeBytes', `is not ${32 * chunks}: 32 for each of ${chunks} chunks`);
  }
  if (body.manifest !== digestOf(toUtf8(manifestText(body.files)))) {
    throw malformed('/manifest', 'is not the digest of these files');
  }
  if (body.omsRoot !== omsRoot(body.files)) throw malformed('/omsRoot', 'is not the digest of these files');
  const urn = `urn:chancery:${header.nation}:${body.org}:${body.name}@${body.version}`;
  return {
    body,
    subjects: [{ name: urn, sha256: body.manifest }],
    blobs: [body.chunkHashes],
    references: [],
    scope: `${body.org}:${body.name}`,
    checkNew: () => {
      body.files.forEach((it, index) => {
        const isNfc = it.path === it.path.normalize('NFC');
        if (!isNfc) throw malformed(`/files/${index}/path`, 'is not in Unicode form NFC');
        checkKnown(`/files/${index}/format`, it.format, FORMATS);
      });
      checkClash(body, (path) => path.toLowerCase());
    },
  };
}

function checkFiles({ files, totalBytes }: Weights): void {
  let total = 0;
  files.forEach(({ path, sizeBytes }, index) => {
    total += sizeBytes;
    if (total > JSON_INTEGER_MAX) {
      throw malformed(`/files/${index}/sizeBytes`, 'makes more than 2^53 - 1 bytes in all');
    }
    const before = files[index - 1];
    if (before !== undefined && compareText(before.path, path) >= 0) {
      throw malformed(`/files/${index}/path`, 'does not come after the path before it; sort the files by path');
    }
  });
  checkClash({ files }, (path) => path.replace(/[A-Z]/g, (letter) => letter.toLowerCase()));
  if (total === 0 || total !== totalBytes) {
    throw malformed('/totalBytes', `is not the sum of the sizes, ${total}, or that is zero`);
  }
}

/** No two paths are one where case, as `fold` takes it, does not count, and none is a folder of another. */
function checkClash({ files }: Pick<Weights, 'files'>, fold: (path: string) => string): void {
  const folded = files.map((it) => fold(it.path));
  const taken = new Set(folded);
  const inside = (path: string): boolean => {
    for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
      if (taken.has(path.slice(0, end))) return true;
    }
    return false;
  };
  if (taken.size < folded.length || folded.some(inside)) {
    throw malformed('/files', 'a path clashes with another where case does not count');
  }
}
