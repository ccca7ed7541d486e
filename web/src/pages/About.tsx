import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { useText } from '../i18n/text';
import { useTitle } from './useTitle';

export function About(): ReactNode {
  const { t } = useText();
  useTitle(t('about.title'));
  return (
    <article>
      <h1>{t('about.title')}</h1>
      <p className="lead">{t('about.what')}</p>
      <h2>{t('about.promises.title')}</h2>
      <ul>
        <li>{t('about.promises.own')}</li>
        <li>{t('about.promises.proof')}</li>
        <li>{t('about.promises.split')}</li>
        <li>{t('about.promises.offline')}</li>
      </ul>
      <h2>{t('about.not.title')}</h2>
      <ul>
        <li>{t('about.not.true')}</li>
        <li>{t('about.not.harmless')}</li>
        <li>{t('about.not.forget')}</li>
      </ul>
      <p>
        <Link href="/verification">{t('nav.verification')}</Link>
      </p>
    </article>
  );
}
