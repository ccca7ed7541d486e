/** Text of the portal in the reader's language. Keys and their values are in `messages/`, one file a language. */
import IntlMessageFormat from 'intl-messageformat';
import { createContext, type ReactNode, use, useMemo } from 'react';
import type { Language } from './languages';
import type { Messages } from './messages/en';

export type Key = keyof Messages;
type Values = Readonly<Record<string, string | number>>;

export interface Text {
  readonly language: Language;
  /** The message of a key (ICU MessageFormat) with its values. */
  readonly t: (key: Key, values?: Values) => string;
  /** The message with parts of the page at the places of its values. */
  readonly rich: (key: Key, values: Readonly<Record<string, ReactNode>>) => ReactNode[];
  readonly number: (value: number) => string;
  readonly bytes: (count: number) => string;
  readonly date: (instant: string | number) => string;
  /** A language's name in the reader's language. */
  readonly languageName: (tag: string) => string;
  /** A nation's name in the reader's language, by its code. */
  readonly nationName: (code: string) => string;
}

const CATALOGS: Readonly<Record<Language, () => Promise<Messages>>> = {
  en: async () => (await import('./messages/en')).en,
  ar: async () => (await import('./messages/ar')).ar,
  zh: async () => (await import('./messages/zh')).zh,
  fr: async () => (await import('./messages/fr')).fr,
  ru: async () => (await import('./messages/ru')).ru,
  es: async () => (await import('./messages/es')).es,
};

/** Fetches the messages of a language. */
export function load(language: Language): Promise<Messages> {
  return CATALOGS[language]();
}

const TextContext = createContext<Text | null>(null);

export function TextProvider(props: { language: Language; messages: Messages; children: ReactNode }): ReactNode {
  const { language, messages } = props;
  const text = useMemo(() => makeText(language, messages), [language, messages]);
  return <TextContext value={text}>{props.children}</TextContext>;
}

/** Text in the reader's language. */
export function useText(): Text {
  const text = use(TextContext);
  if (text === null) throw new Error('useText is called outside of a TextProvider');
  return text;
}

export function makeText(language: Language, messages: Messages): Text {
  const formats = new Map<Key, IntlMessageFormat>();
  const format = (key: Key): IntlMessageFormat => {
    const known = formats.get(key);
    if (known !== undefined) return known;
    const made = new IntlMessageFormat(messages[key], language, undefined, { ignoreTag: true });
    formats.set(key, made);
    return made;
  };
  // Each takes a phone milliseconds to make, and the first page needs few of them.
  const number = once(() => new Intl.NumberFormat(language));
  const date = once(() => new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }));
  const languages = once(() => new Intl.DisplayNames(language, { type: 'language', fallback: 'code' }));
  const nations = once(() => new Intl.DisplayNames(language, { type: 'region', fallback: 'code' }));
  return {
    language,
    t: (key, values) => (PLAIN.test(messages[key]) ? messages[key] : String(format(key).format(values))),
    rich: (key, values) => {
      const parts = format(key).format<ReactNode>(values as never);
      return Array.isArray(parts) ? parts : [parts];
    },
    number: (value) => number().format(value),
    bytes: (count) => bytes(language, count),
    date: (instant) => `${date().format(new Date(typeof instant === 'number' ? instant * 1000 : instant))} UTC`,
    languageName: (tag) => named(languages(), tag),
    nationName: (code) => named(nations(), code),
  };
}

/** A message that stands for itself: nothing in it is syntax. */
const PLAIN = /^[^{}'#|]*$/;

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** A name that the browser may not know, or refuse to look for. */
function named(names: Intl.DisplayNames, code: string): string {
  try {
    return names.of(code) ?? code;
  } catch {
    return code;
  }
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const;

function bytes(language: Language, count: number): string {
  const power = Math.min(UNITS.length - 1, count < 1000 ? 0 : Math.floor(Math.log10(count) / 3));
  const unit = UNITS[power] ?? 'byte';
  const format = { style: 'unit', unit, unitDisplay: power === 0 ? 'long' : 'short', maximumFractionDigits: power === 0 ? 0 : 1 } as const;
  return new Intl.NumberFormat(language, format).format(count / 1000 ** power);
}
