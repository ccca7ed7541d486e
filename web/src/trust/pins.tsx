/** What the reader pins: fingerprints of nations, compared by voice, or a policy file. Kept in this browser only. */
import { createContext, type ReactNode, use, useEffect, useMemo, useState } from 'react';
import { isNation } from '../verify/name';

export interface Pins {
  /** Fingerprints by nation code. */
  readonly fingerprints: Readonly<Record<string, string>>;
  /** A C2SP tlog-policy, as text. */
  readonly policy: string | null;
}

export interface Trust extends Pins {
  /** Whether this browser keeps the last change; otherwise it holds only while the page is open. */
  readonly kept: boolean;
  readonly pin: (nation: string, fingerprint: string) => void;
  readonly unpin: (nation: string) => void;
  readonly adopt: (policy: string | null) => void;
}

const PLACE = 'chancery.pins';
const NONE: Pins = { fingerprints: {}, policy: null };

const PinsContext = createContext<Trust | null>(null);

export function PinsProvider(props: { children: ReactNode }): ReactNode {
  const [pins, setPins] = useState(() => ({ ...read(), kept: true }));
  useEffect(() => {
    // Told of what other tabs keep; without a key, that all was cleared.
    const follow = ({ key }: StorageEvent): void => {
      if (key === PLACE || key === null) setPins({ ...read(), kept: true });
    };
    window.addEventListener('storage', follow);
    return () => window.removeEventListener('storage', follow);
  }, []);
  const trust = useMemo<Trust>(() => {
    // From what is kept, not from what is shown: another tab may have changed it a moment ago.
    // Only what could not be kept is nowhere but here.
    const keep = (change: (before: Pins) => Partial<Pins>): void => {
      const before = pins.kept ? read() : pins;
      const { fingerprints, policy } = { ...before, ...change(before) };
      setPins({ fingerprints, policy, kept: write({ fingerprints, policy }) });
    };
    return {
      ...pins,
      pin: (nation, fingerprint) => keep(({ fingerprints }) => ({ fingerprints: { ...fingerprints, [nation]: fingerprint } })),
      unpin: (nation) =>
        keep((before) => {
          const { [nation]: _, ...fingerprints } = before.fingerprints;
          return { fingerprints };
        }),
      adopt: (policy) => keep(() => ({ policy })),
    };
  }, [pins]);
  return <PinsContext value={trust}>{props.children}</PinsContext>;
}

/** What the reader pins, and how to change it. */
export function usePins(): Trust {
  const trust = use(PinsContext);
  if (trust === null) throw new Error('usePins is called outside of a PinsProvider');
  return trust;
}

/** What is kept; nothing where it cannot be read. */
function read(): Pins {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(PLACE) ?? 'null');
    if (typeof kept !== 'object' || kept === null) return NONE;
    const { fingerprints, policy } = kept as Partial<Pins>;
    const entries = Object.entries(fingerprints ?? {}).filter(
      ([nation, digest]) => isNation(nation) && isFingerprint(digest),
    );
    return { fingerprints: Object.fromEntries(entries), policy: typeof policy === 'string' ? policy : null };
  } catch {
    return NONE;
  }
}

/** Whether the browser keeps them: it may be told to keep nothing, or be full. */
function write(pins: Pins): boolean {
  try {
    localStorage.setItem(PLACE, JSON.stringify(pins));
    return true;
  } catch {
    return false;
  }
}

/** Whether text is a fingerprint: 64 lowercase hexadecimal digits. */
export function isFingerprint(text: unknown): text is string {
  return typeof text === 'string' && /^[0-9a-f]{64}$/.test(text);
}

/** A fingerprint as people write it down, in groups and capitals, as it is compared. */
export function normalised(text: string): string {
  return text.replaceAll(/[\s:.-]/g, '').toLowerCase();
}
