/** What the reader pins: fingerprints of nations, compared by voice, or a policy file. Kept in this browser only. */
import { createContext, type ReactNode, use, useMemo, useState } from 'react';

export interface Pins {
  /** Fingerprints by nation code. */
  readonly fingerprints: Readonly<Record<string, string>>;
  /** A C2SP tlog-policy, as text. */
  readonly policy: string | null;
}

export interface Trust extends Pins {
  readonly pin: (nation: string, fingerprint: string) => void;
  readonly unpin: (nation: string) => void;
  readonly adopt: (policy: string | null) => void;
}

const PLACE = 'chancery.pins';
const NONE: Pins = { fingerprints: {}, policy: null };

const PinsContext = createContext<Trust | null>(null);

export function PinsProvider(props: { children: ReactNode }): ReactNode {
  const [pins, setPins] = useState<Pins>(read);
  const trust = useMemo<Trust>(() => {
    const keep = (next: Pins): void => {
      localStorage.setItem(PLACE, JSON.stringify(next));
      setPins(next);
    };
    return {
      ...pins,
      pin: (nation, fingerprint) => keep({ ...pins, fingerprints: { ...pins.fingerprints, [nation]: fingerprint } }),
      unpin: (nation) => {
        const { [nation]: _, ...others } = pins.fingerprints;
        keep({ ...pins, fingerprints: others });
      },
      adopt: (policy) => keep({ ...pins, policy }),
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
      ([nation, digest]) => /^[A-Z]{2}$/.test(nation) && isFingerprint(digest),
    );
    return { fingerprints: Object.fromEntries(entries), policy: typeof policy === 'string' ? policy : null };
  } catch {
    return NONE;
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
