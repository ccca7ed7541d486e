/** A verdict's mark: told apart by shape first, then by colour; the word stands beside it. */
import type { ReactNode } from 'react';

export type Tone = 'good' | 'wary' | 'bad' | 'none';

const SHAPES: Readonly<Record<Tone, string>> = {
  good: 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm-1.6 14.6-4-4 1.6-1.6 2.4 2.4 5.6-5.6 1.6 1.6z',
  wary: 'M12 2 1.5 21h21zm1.2 15.8h-2.4v-2.3h2.4zm0-3.8h-2.4V9h2.4z',
  bad: 'M8 2 2 8v8l6 6h8l6-6V8l-6-6zm8.3 12.9-1.4 1.4L12 13.4l-2.9 2.9-1.4-1.4 2.9-2.9-2.9-2.9 1.4-1.4 2.9 2.9 2.9-2.9 1.4 1.4-2.9 2.9z',
  none: 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm0 2a8 8 0 1 1 0 16 8 8 0 0 1 0-16zM7 11h10v2H7z',
};

export function Mark(props: { tone: Tone }): ReactNode {
  return (
    <svg className={`mark mark-${props.tone}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path fill="currentColor" d={SHAPES[props.tone]} />
    </svg>
  );
}
