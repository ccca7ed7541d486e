/** Addresses of the portal: `/<language>/<page>/…`. The language is part of every address, so a link says it. */
import { isLanguage, type Language, preferred } from '../i18n/languages';

/** The language of an address; the reader's own where it names none. */
export function languageOf(path: string): Language {
  const first = path.split('/')[1] ?? '';
  return isLanguage(first) ? first : preferred(navigator.languages);
}

/** The same page in another language. */
export function inLanguage(path: string, language: Language): string {
  const [, first = '', ...rest] = path.split('/');
  return `/${[language, ...(isLanguage(first) ? rest : [first, ...rest])].filter((part) => part !== '').join('/')}`;
}

/** A model's page, from its name `urn:chancery:<nation>:<org>:<name>`. */
export function modelAddress(urn: string, version?: string): string {
  const path = urn.split(':').slice(2).map(encodeURIComponent).join('/');
  return `/model/${path}${version === undefined ? '' : `/${encodeURIComponent(version)}`}`;
}

/** A model's name, from the parts of its page's address. */
export function modelName(parts: { nation: string; org: string; name: string }): string {
  return `urn:chancery:${parts.nation}:${parts.org}:${parts.name}`;
}
