import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { useText } from '../i18n/text';
import { useTitle } from './useTitle';

const STEPS = ['pin', 'charter', 'delegation', 'signature', 'log', 'cosignatures', 'weights'] as const;

export function Verification(): ReactNode {
  const { t } = useText();
  useTitle(t('verification.title'));
  return (
    <article>
      <h1>{t('verification.title')}</h1>
      <p className="lead">{t('verification.lead')}</p>
      <ol>
        {STEPS.map((step) => (
          <li key={step}>
            <h2>{t(`verification.${step}.title`)}</h2>
            <p>{t(`verification.${step}.text`)}</p>
          </li>
        ))}
      </ol>
      <h2>{t('verification.cannot.title')}</h2>
      <p>{t('verification.cannot.text')}</p>
      <p>
        <code dir="ltr">chancery verify model.chancery --trust …</code>
      </p>
      <p>
        <Link href="/trust">{t('nav.trust')}</Link>
      </p>
    </article>
  );
}
