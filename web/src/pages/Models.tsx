import type { ReactNode, SubmitEvent } from 'react';
import { useQuery } from 'urql';
import { Link, useLocation, useSearch } from 'wouter';
import { graphql } from '../graphql';
import { useText } from '../i18n/text';
import { MODEL, ModelList } from '../parts/ModelList';
import { Empty, Failure, Loading } from '../parts/states';
import { useTitle } from './useTitle';

const MODELS = graphql(
  `query Models($filter: ModelFilter, $order: ModelOrder, $after: String, $language: String) {
    nations { code }
    models(first: 24, after: $after, filter: $filter, order: $order) {
      totalCount pageInfo { hasNextPage endCursor } edges { node { ...Model } }
    }
  }`,
  [MODEL],
);

const FILTERS = ['text', 'nation', 'language', 'license'] as const;
type Filter = Partial<Record<(typeof FILTERS)[number], string>>;

export function Models(): ReactNode {
  const { t, language } = useText();
  useTitle(t('models.title'));
  const search = new URLSearchParams(useSearch());
  const [path, navigate] = useLocation();
  const after = search.get('after');
  const filter: Filter = {};
  for (const name of FILTERS) {
    const value = search.get(name)?.trim();
    if (value) filter[name] = value;
  }
  const byName = search.get('order') === 'name';
  const variables = { filter, order: byName ? 'NAME' : 'NEWEST', after, language } as const;
  const [{ data, error, fetching }, again] = useQuery({ query: MODELS, variables });
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const next = new URLSearchParams();
    for (const [name, value] of new FormData(event.currentTarget)) {
      if (typeof value === 'string' && value.trim() !== '') next.set(name, value.trim());
    }
    navigate(`${path}?${next}`);
  };
  const page = (cursor: string | null): string => {
    const next = new URLSearchParams(filter as Record<string, string>);
    if (byName) next.set('order', 'name');
    if (cursor !== null) next.set('after', cursor);
    return `${path}?${next}`;
  };
  return (
    <>
      <h1>{t('models.title')}</h1>
      <form className="search" role="search" onSubmit={submit} key={search.toString()}>
        <label>
          {t('models.text')}
          <input type="search" name="text" defaultValue={filter.text} dir="auto" />
        </label>
        <NationChoice codes={data?.nations.map((nation) => nation.code) ?? []} chosen={filter.nation} />
        <label>
          {t('models.language')}
          <input name="language" defaultValue={filter.language} placeholder="fr, pt-BR" dir="ltr" size={8} />
        </label>
        <label>
          {t('models.license')}
          <input name="license" defaultValue={filter.license} placeholder="Apache-2.0" dir="ltr" size={14} />
        </label>
        <label>
          {t('models.order')}
          <select name="order" defaultValue={byName ? 'name' : ''}>
            <option value="">{t('models.newest')}</option>
            <option value="name">{t('models.byName')}</option>
          </select>
        </label>
        <button type="submit" className="main">
          {t('models.search')}
        </button>
      </form>
      <div aria-live="polite">
        {error && <Failure error={error} again={again} />}
        {fetching && !data && <Loading />}
        {data && <h2 className="count">{t('models.count', { count: data.models.totalCount })}</h2>}
      </div>
      {data && data.models.totalCount === 0 && (
        <Empty>
          {t('models.none')} <Link href="/models">{t('models.clear')}</Link>
        </Empty>
      )}
      {data && <ModelList models={data.models.edges.map((edge) => edge.node)} />}
      {data && (
        <nav className="pager" aria-label={t('models.pages')}>
          {after !== null && <Link href={page(null)}>{t('models.first')}</Link>}
          {data.models.pageInfo.hasNextPage && <Link href={page(data.models.pageInfo.endCursor)}>{t('models.next')}</Link>}
        </nav>
      )}
    </>
  );
}

function NationChoice(props: { codes: readonly string[]; chosen: string | undefined }): ReactNode {
  const { t, nationName } = useText();
  const codes = [...new Set([...props.codes, ...(props.chosen === undefined ? [] : [props.chosen])])];
  return (
    <label>
      {t('models.nation')}
      <select name="nation" defaultValue={props.chosen ?? ''}>
        <option value="">{t('models.any')}</option>
        {codes.map((code) => (
          <option key={code} value={code}>
            {nationName(code)}
          </option>
        ))}
      </select>
    </label>
  );
}
