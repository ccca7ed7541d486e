import type { ReactNode, SubmitEvent } from 'react';
import { useQuery } from 'urql';
import { Link, useLocation, useSearch } from 'wouter';
import { graphql } from '../graphql';
import { useText } from '../i18n/text';
import { Digest } from '../parts/Digest';
import { Foreign } from '../parts/Foreign';
import { Empty, Failure, Loading } from '../parts/states';
import { isFingerprint, normalised } from '../trust/pins';
import { useTitle } from './useTitle';

const LOOKUP = graphql(`
  query Lookup($digest: Digest!) {
    lookup(digest: $digest) { what name record { id digest index nation { code } verdict { state } } }
  }
`);

export function Lookup(): ReactNode {
  const { t } = useText();
  useTitle(t('lookup.title'));
  const [path, navigate] = useLocation();
  const asked = normalised(new URLSearchParams(useSearch()).get('digest') ?? '');
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const digest = normalised(String(new FormData(event.currentTarget).get('digest')));
    navigate(`${path}?digest=${digest}`);
  };
  return (
    <>
      <h1>{t('lookup.title')}</h1>
      <p className="lead">{t('lookup.lead')}</p>
      <form className="search" role="search" onSubmit={submit}>
        <label>
          {t('lookup.digest')}
          <input type="search" name="digest" key={asked} defaultValue={asked} dir="ltr" size={64} spellCheck={false} />
        </label>
        <button type="submit" className="main">
          {t('lookup.search')}
        </button>
      </form>
      {asked !== '' && (isFingerprint(asked) ? <Found key={asked} digest={asked} /> : <Empty>{t('lookup.malformed')}</Empty>)}
    </>
  );
}

function Found(props: { digest: string }): ReactNode {
  const { t, number, nationName } = useText();
  const [{ data, error, fetching }, again] = useQuery({ query: LOOKUP, variables: { digest: props.digest } });
  if (error) return <Failure error={error} again={again} />;
  if (!data) return fetching ? <Loading /> : null;
  if (data.lookup.length === 0) return <Empty>{t('lookup.nothing')}</Empty>;
  return (
    <ul className="cards" aria-live="polite">
      {data.lookup.map((found) => (
        <li key={`${found.what} ${found.record.id} ${found.name}`}>
          <h2>{t(`lookup.what.${found.what}`)}</h2>
          <p>
            <Foreign text={found.name} />
          </p>
          <p>
            {t('lookup.where', {
              index: number(found.record.index),
              nation: nationName(found.record.nation.code),
              state: t(`verdict.node.${found.record.verdict.state}`),
            })}
          </p>
          {found.record.digest !== null && (
            <p>
              <Link href={`/record/${found.record.digest}`}>{t('lookup.open')}</Link> <Digest value={found.record.digest} short />
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}
