// @vitest-environment node

import IntlMessageFormat from 'intl-messageformat';
import { describe, expect, test } from 'vitest';

import { type Language, LANGUAGES } from './languages';
import { en, type Messages } from './messages/en';
import { type Key, load, makeText } from './text';

const KEYS = Object.keys(en) as Key[];
const OTHERS = LANGUAGES.filter((language) => language !== 'en');
const COUNTS = [0, 1, 2, 3, 11, 100, 1_000_000];

/** What may read as in English: the separator, and words that two languages share. */
const SAME: Readonly<Record<Language, readonly Key[]>> = {
  en: [],
  ar: [],
  zh: [],
  fr: [
    'list.comma', 'nav.nations', 'models.nation', 'models.pages', 'model.version', 'model.versions', 'card.architecture',
    'card.contacts', 'nations.title', 'nations.nation',
  ],
  ru: ['list.comma'],
  es: ['list.comma', 'no'],
};

/** The letters of a language, for those that are not written in Latin ones. */
const LETTERS: Partial<Record<Language, RegExp>> = {
  ar: /\p{Script=Arabic}/u,
  zh: /\p{Script=Han}/u,
  ru: /\p{Script=Cyrillic}/u,
};

/** The word that the portal says only of a record whose every step holds against what the reader pinned. */
const VERIFIED: Readonly<Record<Language, RegExp>> = {
  en: /\bverified\b/i,
  ar: /جرى التحقق/u,
  zh: /已验证|经验证/u,
  fr: /vérifiée?s?(?!\p{L})/iu,
  ru: /подтвержд/iu,
  es: /verificad[oa]s?/iu,
};

/** Names, and one number, that stay as they are in every language. */
const NAMES = /Chancery|GraphQL|SHA-256|sha256sum|SPDX|C2SP tlog-policy|OpenSSF|https|64/g;

type Element = ReturnType<IntlMessageFormat['getAst']>[number];
type Choice = Extract<Element, { options: unknown }>;
type Plural = Extract<Element, { pluralType?: unknown }>;

/** What the parser calls text that is said as it stands. */
const LITERAL = 0;

/** As the portal reads a message. */
function parsed(language: Language, message: string): IntlMessageFormat {
  return new IntlMessageFormat(message, language, undefined, { ignoreTag: true });
}

/** Every part of a message, those inside of its choices too. */
function elementsOf(elements: readonly Element[]): Element[] {
  return elements.flatMap((it) => [it, ...(isChoice(it) ? optionsOf(it).flatMap(([, inner]) => elementsOf(inner)) : [])]);
}

function isChoice(element: Element): element is Choice {
  return 'options' in element;
}

/** A placeholder of any kind; a literal has a value too, and `#` has none. */
function isAsked(element: Element): element is Exclude<Element, { type: 0 | 7 }> {
  return element.type !== LITERAL && 'value' in element;
}

function isPlural(element: Element): element is Plural {
  return isChoice(element) && 'pluralType' in element;
}

function optionsOf(choice: Choice): [string, readonly Element[]][] {
  return Object.entries(choice.options).map(([name, option]) => [name, (option as { value: Element[] }).value]);
}

/** What a message asks for: each name once, with how it is used, and the choices of a select. */
function placeholdersOf(language: Language, message: string): string[] {
  const names = elementsOf(parsed(language, message).getAst()).flatMap((it) => {
    if (isPlural(it)) return [`${it.value}, ${it.pluralType}, offset ${it.offset}`];
    if (isChoice(it)) return [`${it.value}, select, ${Object.keys(it.options).sort().join(' ')}`];
    return isAsked(it) ? [`${it.value}, ${it.type}`] : [];
  });
  return [...new Set(names)].sort();
}

function pluralsOf(language: Language, message: string): Plural[] {
  return elementsOf(parsed(language, message).getAst()).filter(isPlural);
}

describe.each(LANGUAGES)('messages in %s', async (language) => {
  const messages: Messages = await load(language);

  test('have the keys of English, in its order', () => {
    expect(Object.keys(messages)).toEqual(KEYS);
  });

  test.each(KEYS)('%s reads, and asks for what English asks for', (key) => {
    expect(messages[key].trim()).not.toBe('');
    expect(placeholdersOf(language, messages[key])).toEqual(placeholdersOf('en', en[key]));
  });

  test('have exactly the plural categories of the language', () => {
    const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    for (const key of KEYS) {
      for (const plural of pluralsOf(language, messages[key])) {
        const named = Object.keys(plural.options).filter((name) => !/^=\d+$/.test(name));
        // English says `=0 {} other { and # more}`: it needs no category of its own for one.
        const least = key === 'model.speaks' && language === 'en' ? ['other'] : categories;
        expect([...named].sort(), key).toEqual([...least].sort());
      }
    }
  });

  test('can be said of every count and every choice', () => {
    const text = makeText(language, messages);
    for (const key of KEYS) {
      const elements = elementsOf(parsed(language, messages[key]).getAst());
      const kinds = elements.flatMap((it) => (isChoice(it) && !isPlural(it) ? Object.keys(it.options) : []));
      for (const kind of kinds.length === 0 ? ['other'] : kinds) {
        for (const count of COUNTS) {
          const values: Record<string, string | number> = {};
          for (const it of elements.filter(isAsked)) values[it.value] = isPlural(it) ? count : isChoice(it) ? kind : '‹it›';
          const said = text.t(key, values);
          expect(said, key).not.toMatch(/[{}#]/);
          expect(said, key).not.toContain('undefined');
        }
      }
    }
  });

  test('say "verified" only where it is the verdict', () => {
    expect(KEYS.filter((key) => VERIFIED[language].test(messages[key]))).toEqual(['proof.verdict.verified']);
  });

  test('have no straight apostrophe or quote, no space at an end but in the separator, and no two in a row', () => {
    for (const key of KEYS) {
      expect(messages[key], key).not.toMatch(/['"]/);
      expect(messages[key], key).not.toMatch(/ {2}/);
      if (key !== 'list.comma') expect(messages[key], key).toBe(messages[key].trim());
    }
  });
});

describe.each(OTHERS)('translation into %s', async (language) => {
  const messages: Messages = await load(language);

  test('is not English, but for words that both have', () => {
    expect(KEYS.filter((key) => messages[key] === en[key])).toEqual(KEYS.filter((key) => SAME[language].includes(key)));
  });

  test('keeps the names that are not translated', () => {
    for (const key of KEYS) {
      const names = [...new Set(messages[key].match(NAMES) ?? [])];
      expect(names, key).toEqual(expect.arrayContaining([...new Set(en[key].match(NAMES) ?? [])]));
    }
  });

  const letters = LETTERS[language];
  if (letters === undefined) return;

  test('is written in the letters of the language', () => {
    for (const key of KEYS) {
      // The separator has none.
      if (key !== 'list.comma') expect(messages[key], key).toMatch(letters);
    }
  });
});

describe('typography', () => {
  test('French has no-break spaces before its high punctuation and inside its quotation marks', async () => {
    for (const [key, message] of Object.entries(await load('fr'))) {
      expect(message, key).not.toMatch(/[^\u00a0]:|[^\u202f][;!?]|«[^\u00a0]|[^\u00a0]»/u);
    }
  });

  test('Russian has a no-break space before a dash', async () => {
    for (const [key, message] of Object.entries(await load('ru'))) expect(message, key).not.toMatch(/[^\u00a0]—/u);
  });

  test('Chinese has full-width punctuation, and a space between Han and Latin letters or digits', async () => {
    for (const [key, message] of Object.entries(await load('zh'))) {
      const said = message.replace(/\{\w+, (?:plural|select),|\{\w+\}/g, '');
      expect(said, key).not.toMatch(/[,;:?!()]|\.(?!\p{L})/u);
      expect(message, key).not.toMatch(/\p{Script=Han}[A-Za-z0-9#]|[A-Za-z0-9#]\p{Script=Han}/u);
    }
  });

  test('Arabic has the comma, the semicolon and the question mark of its script', async () => {
    for (const [key, message] of Object.entries(await load('ar'))) {
      const said = message.replace(/\{\w+, (?:plural|select),/g, '');
      expect(said, key).not.toMatch(/[,;?]/);
    }
  });
});
