import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { useText } from '../i18n/text';
import { useTitle } from './useTitle';

export function NotFound(): ReactNode {
  const { t } = useText();
  useTitle(t('notFound.title'));
  return (
    <>
      <h1>{t('notFound.title')}</h1>
      <p>{t('notFound.text')}</p>
      <p>
        <Link href="/">{t('notFound.home')}</Link>
      </p>
    </>
  );
}
