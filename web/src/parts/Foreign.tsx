/** Text that somebody else wrote: in its own language and direction, apart from the line around it. */
import type { ReactNode } from 'react';
import { direction } from '../i18n/languages';

/** Without a language the text's own letters say its direction. */
export function Foreign(props: { text: string; language?: string | undefined }): ReactNode {
  const { text, language } = props;
  return (
    <bdi {...(language === undefined ? { dir: 'auto' } : { lang: language, dir: direction(language) })}>{visible(text)}</bdi>
  );
}

/** What somebody calls a thing or themselves, in the language that they say it in. */
export function DisplayName(props: {
  of: { displayName: string; displayNames: readonly { language: string; text: string }[] };
}): ReactNode {
  const { displayName, displayNames } = props.of;
  return <Foreign text={displayName} language={displayNames.find((name) => name.text === displayName)?.language} />;
}

/** Characters that would turn or hide the text around them, shown as boxes with their number. */
export function visible(text: string): ReactNode[] {
  return text.split(HIDDEN).map((part, index) =>
    index % 2 === 0 ? (
      part
    ) : (
      // The parts of one text never change places.
      <span key={index} className="hidden-character">{`U+${(part.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`}</span>
    ),
  );
}

/** Controls, direction overrides, isolates and marks, and the like; joiners stay, for scripts that need them. */
const HIDDEN = /([\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\u{e0000}-\u{e007f}])/u;
