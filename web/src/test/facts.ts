/** Whole objects, most of them of the SDL, of which a test says only what it is about. */
import type { Report } from '../verify/verify';
import type { Sdl } from './node';

/** A digest that is told apart by its digit. */
export const digestOf = (digit: string): string => digit.repeat(64);

export function nation(said: Partial<Sdl<'Nation'>> = {}): Sdl<'Nation'> {
  return {
    id: 'FR', code: 'FR', origin: 'fr.example.org/chancery', fingerprint: digestOf('f'),
    displayName: 'France', displayNames: [{ language: 'fr', text: 'France' }],
    own: false, accredited: true, size: 7,
    logKey: 'fr.example.org/chancery+f1cca830+AR', witnessKey: 'fr.example.org/chancery/witness+a061a63c+BC',
    mirrorKey: 'fr.example.org/chancery/mirror+b8889d1b+BD',
    charter: null, charterVersion: 1, log: null, evidence: null, successor: null, predecessor: null, models: listOf([]),
    ...said,
  };
}

export function succession(said: Partial<Sdl<'LogSuccession'>> = {}): Sdl<'LogSuccession'> {
  return {
    origin: 'fr.example.org/chancery-2', fingerprint: digestOf('a'), predecessorOrigin: 'fr.example.org/chancery',
    predecessorFingerprint: digestOf('f'), baseSize: 7, base: '', reason: 'key-lost',
    ...said,
  };
}

export function model(said: Partial<Sdl<'Model'>> = {}): Sdl<'Model'> {
  return {
    id: 'model 1.0', urn: 'urn:chancery:FR:lab:model', version: '1.0', nation: nation(), org: 'lab', name: 'model',
    displayName: 'Sample model', displayNames: [{ language: 'en', text: 'Sample model' }],
    languages: [], license: null, licenseRecord: null, weights: [], card: record(), versions: [], ended: false,
    ...said,
  };
}

export function record(said: Partial<Sdl<'Record'>> = {}): Sdl<'Record'> {
  return {
    id: 'record', digest: digestOf('c'), kind: 'model-card', origin: 'fr.example.org/chancery', nation: nation(), index: 3,
    beyondBase: false,
    envelopeDigest: digestOf('e'), envelope: null, payload: null, entry: null, proof: null, verdict: verdict('VALID'),
    issuedAt: '2026-11-24T12:00:00Z', signers: [], cosignatures: [], standing: standing(), ends: [], erasure: null, bundle: null,
    ...said,
  };
}

/** A withdrawal. */
export function end(said: Partial<Sdl<'End'>> = {}): Sdl<'End'> {
  return {
    kind: 'withdrawal', digest: digestOf('a'), index: 6, issuedAt: '2026-11-24T12:00:00Z', reason: 'safety', statement: [],
    record: (): Sdl<'Record'> => record(),
    ...said,
  };
}

export function verdict(state: Sdl<'Verdict'>['state'], said: Partial<Sdl<'Verdict'>> = {}): Sdl<'Verdict'> {
  return { state, code: null, reason: null, supersededBy: null, ...said };
}

export function cosignature(said: Partial<Sdl<'Cosignature'>> = {}): Sdl<'Cosignature'> {
  return {
    origin: 'fr.example.org/chancery', size: 7, name: 'ke.example.org/chancery/witness', nation: 'KE', held: false,
    at: '2026-11-25T08:00:00Z', line: '— ke.example.org/chancery/witness AA',
    ...said,
  };
}

export function partner(said: Partial<Sdl<'Partner'>> = {}): Sdl<'Partner'> {
  return {
    nation: 'FR', origin: 'fr.example.org/chancery', fingerprint: digestOf('f'), scopes: [], validUntil: null, endpoints: [],
    sync: null,
    ...said,
  };
}

export function sync(state: Sdl<'SyncState'>['state'], said: Partial<Sdl<'SyncState'>> = {}): Sdl<'SyncState'> {
  return { state, connected: true, held: null, shown: null, since: null, reason: null, lastHeard: null, ...said };
}

export function standing(said: Partial<Sdl<'Standing'>> = {}): Sdl<'Standing'> {
  const heartbeat = '2026-11-24T12:00:00Z';
  return { state: 'SIGNED', since: null, witnessed: 0, mirrored: 0, known: 2, heartbeat, staleSince: null, ...said };
}

export function log(said: Partial<Sdl<'Log'>> = {}): Sdl<'Log'> {
  return {
    id: 'log', origin: 'fr.example.org/chancery', nation: nation(), own: false, size: 7, root: digestOf('0'), checkpoint: '',
    cosignatures: [], standing: standing(),
    ...said,
  };
}

/** One page of models: all of them, when nothing else is said. */
export function listOf(models: readonly Sdl<'Model'>[], said: Partial<Sdl<'ModelConnection'>> = {}): Sdl<'ModelConnection'> {
  return {
    totalCount: models.length,
    edges: models.map((node, index) => ({ node, cursor: String(index) })),
    pageInfo: { hasPreviousPage: false, hasNextPage: false, startCursor: null, endCursor: null },
    ...said,
  };
}

/** What a verification found. */
export function report(verdict: Report['verdict'], said: Partial<Report> = {}): Report {
  return {
    verdict, steps: [], nation: 'FR', log: 'fr.example.org/chancery', fingerprint: undefined, charterVersion: undefined, record: undefined, kind: undefined,
    index: undefined, size: undefined, signers: [], end: undefined, cosigners: [], records: [],
    ...said,
  };
}
