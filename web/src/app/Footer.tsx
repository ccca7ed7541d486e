import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { useText } from '../i18n/text';

export function Footer(): ReactNode {
  const { t } = useText();
  return (
    <footer className="frame-footer">
      <p>{t('footer.text')}</p>
      <ul className="rooms">
        <li>
          <Link href="/about">{t('nav.about')}</Link>
        </li>
        <li>
          <a href="/graphiql">{t('nav.api')}</a>
        </li>
      </ul>
    </footer>
  );
}
