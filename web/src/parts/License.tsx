import type { ReactNode } from 'react';
import { useText } from '../i18n/text';
import type { License as Terms } from '../verify/record/license';
import { Foreign } from './Foreign';

/** License terms: the texts bind, the clauses are somebody's reading of them. */
export function License(props: { license: Terms }): ReactNode {
  const { t, language, languageName } = useText();
  const { license } = props;
  const titles = [...license.title];
  const [tag, title] = titles.find(([known]) => known.split('-')[0] === language) ?? titles[0] ?? ['und', license.name];
  return (
    <section className="sheet">
      <h2>{t('license.title')}</h2>
      <p className="lead">
        <Foreign text={title} language={tag} />
      </p>
      <dl>
        {license.spdx !== undefined && (
          <>
            <dt>SPDX</dt>
            <dd>
              <code dir="ltr">{license.spdx}</code>
            </dd>
          </>
        )}
        <dt>{t('license.texts')}</dt>
        <dd>
          {license.texts.map((text) => (
            <div key={text.language}>
              <a href={`/blob/${text.blob.sha256}`}>{languageName(text.language)}</a>
              {text.language === license.prevailingLanguage && ` — ${t('license.prevails')}`}
            </div>
          ))}
        </dd>
      </dl>
      {license.clauses.length > 0 && (
        <>
          <h3>{t('license.clauses')}</h3>
          <p className="empty">{t('license.reading')}</p>
          <ul>
            {license.clauses.map((clause) => (
              <li key={clause.id}>
                <strong>{t('license.clause', { kind: clause.kind.replaceAll('-', '_') })}</strong>{' '}
                <span lang="en" dir="ltr">
                  {[...clause.actions, ...clause.duties].join(' · ')}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
