/** The languages of the portal: the six of the United Nations. */
export const LANGUAGES = ['en', 'ar', 'zh', 'fr', 'ru', 'es'] as const;

export type Language = (typeof LANGUAGES)[number];

/** What each language calls itself. */
export const NAMES: Readonly<Record<Language, string>> = {
  en: 'English',
  ar: 'العربية',
  zh: '中文',
  fr: 'Français',
  ru: 'Русский',
  es: 'Español',
};

/** Whether a text is one of the portal's languages. */
export function isLanguage(text: string): text is Language {
  return (LANGUAGES as readonly string[]).includes(text);
}

/** The first of the reader's languages that the portal speaks; English when it speaks none. */
export function preferred(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const primary = tag.toLowerCase().split('-')[0] ?? '';
    if (isLanguage(primary)) return primary;
  }
  return 'en';
}

const RIGHT_TO_LEFT = new Set(['ar', 'arc', 'ckb', 'dv', 'fa', 'he', 'ps', 'sd', 'syr', 'ug', 'ur', 'yi']);
const RIGHT_TO_LEFT_SCRIPTS = new Set(['adlm', 'arab', 'hebr', 'mand', 'nkoo', 'rohg', 'samr', 'syrc', 'thaa']);

/** In which direction text of a language (BCP 47) is written, as far as its tag tells. */
export function direction(tag: string): 'ltr' | 'rtl' {
  const [primary = '', ...subtags] = tag.toLowerCase().split('-');
  const script = subtags.find((part) => part.length === 4);
  if (script !== undefined) return RIGHT_TO_LEFT_SCRIPTS.has(script) ? 'rtl' : 'ltr';
  return RIGHT_TO_LEFT.has(primary) ? 'rtl' : 'ltr';
}
