import { type ReactNode, type SubmitEvent, useState } from 'react';
import { useQuery } from 'urql';
import { Link, useLocation } from 'wouter';
import { graphql } from '../graphql';
import { useText } from '../i18n/text';
import { Fingerprint } from '../parts/Digest';
import { ModelList, MODEL } from '../parts/ModelList';
import { NationName } from '../parts/NationName';
import { Failure, Loading } from '../parts/states';
import { useTitle } from './useTitle';

const HOME = graphql(
  `query Home($language: String) {
    nations { id code own fingerprint displayName(language: $language) displayNames { language text } }
    models(first: 6) { totalCount edges { node { ...Model } } }
  }`,
  [MODEL],
);

export function Home(): ReactNode {
  const { t, language } = useText();
  useTitle(t('home.title'));
  const [{ data, error, fetching }, again] = useQuery({ query: HOME, variables: { language } });
  const own = data?.nations.find((nation) => nation.own);
  return (
    <>
      <h1>{t('home.title')}</h1>
      <p className="lead">{t('home.lead')}</p>
      <Search />
      {error && <Failure error={error} again={again} />}
      {fetching && !data && <Loading />}
      {own && (
        <section className="sheet">
          <h2>
            {t('home.node')} <NationName nation={own} />
          </h2>
          <p>{t('home.fingerprint')}</p>
          <p>
            <Fingerprint value={own.fingerprint} />
          </p>
          <p>
            <Link href={`/nation/${own.code}`}>{t('home.more')}</Link>
          </p>
        </section>
      )}
      {data && (
        <section>
          <h2>{t('home.newest')}</h2>
          <p>{t('home.count', { models: data.models.totalCount, nations: data.nations.length })}</p>
          <ModelList models={data.models.edges.map((edge) => edge.node)} />
          <p>
            <Link href="/models">{t('home.all')}</Link>
          </p>
        </section>
      )}
    </>
  );
}

function Search(): ReactNode {
  const { t } = useText();
  const [, navigate] = useLocation();
  const [text, setText] = useState('');
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    navigate(`/models?text=${encodeURIComponent(text.trim())}`);
  };
  return (
    <form className="search" role="search" onSubmit={submit}>
      <label>
        {t('models.text')}
        <input type="search" name="text" value={text} onChange={(event) => setText(event.target.value)} dir="auto" />
      </label>
      <button type="submit" className="main">
        {t('models.search')}
      </button>
    </form>
  );
}
