import { type ReactNode, useEffect, useState } from 'react';
import { Link, useLocation, useRouter } from 'wouter';
import { type Language, LANGUAGES, NAMES } from '../i18n/languages';
import { useText } from '../i18n/text';
import { inLanguage } from './address';

const ROOMS = [
  ['/models', 'nav.models'],
  ['/nations', 'nav.nations'],
  ['/lookup', 'nav.lookup'],
  ['/trust', 'nav.trust'],
  ['/verification', 'nav.verification'],
] as const;

export function Header(): ReactNode {
  const { t } = useText();
  const [path] = useLocation();
  return (
    <header className="frame-header">
      <a className="skip" href="#main">
        {t('nav.skip')}
      </a>
      <div className="frame-row">
        <Link href="/" className="brand">
          <img src="/assets/seal.svg" alt="" width="32" height="32" />
          <span>Chancery</span>
        </Link>
        <nav aria-label={t('nav.label')}>
          <ul className="rooms">
            {ROOMS.map(([address, key]) => (
              <li key={address}>
                <Link href={address} aria-current={path.startsWith(address) ? 'page' : undefined}>
                  {t(key)}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <div className="switches">
          <LanguageSwitch />
          <ThemeSwitch />
        </div>
      </div>
    </header>
  );
}

/** The same page in the other languages. */
function LanguageSwitch(): ReactNode {
  const { t, language } = useText();
  const [path] = useLocation();
  const { base } = useRouter();
  const choose = (chosen: Language): void => {
    location.assign(inLanguage(`${base}${path}`, chosen) + location.search + location.hash);
  };
  return (
    <label className="switch">
      <span className="visually-hidden">{t('nav.language')}</span>
      <select value={language} onChange={(event) => choose(event.target.value as Language)}>
        {LANGUAGES.map((tag) => (
          <option key={tag} value={tag} lang={tag}>
            {NAMES[tag]}
          </option>
        ))}
      </select>
    </label>
  );
}

const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

function ThemeSwitch(): ReactNode {
  const { t } = useText();
  const [theme, setTheme] = useState<Theme>(keptTheme);
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
    try {
      localStorage.setItem('theme', theme);
    } catch {
      // Where nothing can be kept, it holds until the page is left.
    }
  }, [theme]);
  return (
    <label className="switch">
      <span className="visually-hidden">{t('nav.theme')}</span>
      <select value={theme} onChange={(event) => setTheme(THEMES.find((known) => known === event.target.value) ?? 'system')}>
        {THEMES.map((known) => (
          <option key={known} value={known}>
            {t(`theme.${known}`)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The theme that was chosen before; the system's where nothing can be read. */
function keptTheme(): Theme {
  try {
    return THEMES.find((known) => known === localStorage.getItem('theme')) ?? 'system';
  } catch {
    return 'system';
  }
}
