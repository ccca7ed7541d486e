/**
 * Tiles: the tree and its entries in pieces that never change.
 *
 * Follows C2SP tlog-tiles <https://c2sp.org/tlog-tiles>: a full tile holds 256 hashes, and stands eight levels
 * above the next; a bundle of entries holds what is under a tile of level 0. Hashing tiles is for tree.ts.
 */

import type { Bytes } from './bytes';
import { parseDecimal } from './checkpoint';
import { Refused } from './refused';
import { SIZE_MAX } from './tree';

/** Hashes of a full tile, entries of a full bundle. */
export const WIDTH_MAX = 256;

/** Levels that a tree of at most 2^63 - 1 leaves has. */
const LEVELS = 8;

/** The highest level in a path (C2SP tlog-tiles). */
const LEVEL_MAX = 63;

/** Hashes `[256 · index, 256 · index + width)` of a level; without a level, entries. */
export interface Tile {
  /** 0 holds leaf hashes; `entries` the entries themselves. */
  readonly level: number | 'entries';
  readonly index: bigint;
  /** 1 to 256; fewer is a partial tile. */
  readonly width: number;
}

/** The path, such as `tile/0/x001/x234/067.p/5`. */
export function tilePath({ level, index, width }: Tile): string {
  return `tile/${level}/${indexPath(index, width)}`;
}

/** Reads {@link tilePath}; throws `Refused` (`tile-path`): a tile has one path. */
export function parseTilePath(path: string): Tile {
  const refused = new Refused('tile-path', 'not the path of a tile, such as tile/0/x001/067');
  const form = /^tile\/([^/]+)\/((?:x?[0-9]+\/)*[0-9]+)(?:\.p\/([0-9]+))?$/;
  const [, level = '', groups = '', partial] = form.exec(path) ?? [];
  const width = partial === undefined ? WIDTH_MAX : Number(partial);
  const number = level === 'entries' ? level : Number(parseDecimal(level) ?? LEVEL_MAX + 1);
  const index = BigInt(groups.replace(/[x/]/g, '') || -1);
  const tile: Tile = { level: number, index, width };
  const inBounds = index >= 0n && index <= SIZE_MAX && width >= 1 && width <= WIDTH_MAX;
  if (!inBounds || (typeof number === 'number' && number > LEVEL_MAX) || tilePath(tile) !== path) throw refused;
  return tile;
}

/** The tiles of hashes that a tree has at size `next` and did not have at size `old`, level by level. */
export function newTiles(old: bigint, next: bigint): readonly Tile[] {
  return Array.from({ length: LEVELS }, (_, level) => level).flatMap((level) => {
    const shift = BigInt(8 * level);
    return pieces(level, old >> shift, next >> shift);
  });
}

/** The bundles of entries that a log has at size `next` and did not have at size `old`. */
export function newBundles(old: bigint, next: bigint): readonly Tile[] {
  return pieces('entries', old, next);
}

/** Reads a bundle: of each entry its length in two bytes, big-endian, and itself; throws `Refused` (`tile-entries`). */
export function parseEntries(bytes: Bytes, width: number): readonly Bytes[] {
  const refused = new Refused('tile-entries', `the bundle does not hold ${width} whole entries`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: Bytes[] = [];
  let at = 0;
  while (entries.length < width) {
    if (at + 2 > bytes.length) throw refused;
    const end = at + 2 + view.getUint16(at);
    if (end > bytes.length) throw refused;
    entries.push(bytes.slice(at + 2, end));
    at = end;
  }
  if (at !== bytes.length) throw refused;
  return entries;
}

function pieces(level: Tile['level'], old: bigint, next: bigint): readonly Tile[] {
  if (old >= next) return [];
  const tiles: Tile[] = [];
  for (let index = old / 256n; index < next / 256n; index++) tiles.push({ level, index, width: WIDTH_MAX });
  const partial = Number(next % 256n);
  if (partial > 0) tiles.push({ level, index: next / 256n, width: partial });
  return tiles;
}

/** Groups of three digits, all but the last marked `x`; then `.p/` and the width, unless full. */
function indexPath(index: bigint, width: number): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const groups = padded.match(/.{3}/g) ?? [];
  const path = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
  return width === WIDTH_MAX ? path : `${path}.p/${width}`;
}
