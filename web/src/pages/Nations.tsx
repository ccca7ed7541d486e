import type { ReactNode } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { graphql } from '../graphql';
import { useText } from '../i18n/text';
import { NationName } from '../parts/NationName';
import { Failure, Loading } from '../parts/states';
import { usePins } from '../trust/pins';
import { useTitle } from './useTitle';

const NATIONS = graphql(`
  query Nations($language: String) {
    nations { id code own accredited size fingerprint displayName(language: $language) displayNames { language text } }
  }
`);

export function Nations(): ReactNode {
  const { t, language, number } = useText();
  const pins = usePins();
  useTitle(t('nations.title'));
  const [{ data, error, fetching }, again] = useQuery({ query: NATIONS, variables: { language } });
  return (
    <>
      <h1>{t('nations.title')}</h1>
      <p className="lead">{t('nations.lead')}</p>
      {error && <Failure error={error} again={again} />}
      {fetching && !data && <Loading />}
      {data && (
        <div className="scroll">
          <table>
            <caption className="visually-hidden">{t('nations.title')}</caption>
            <thead>
              <tr>
                <th scope="col">{t('nations.nation')}</th>
                <th scope="col">{t('nations.entries')}</th>
                <th scope="col">{t('nations.recognised')}</th>
                <th scope="col">{t('nations.pinned')}</th>
              </tr>
            </thead>
            <tbody>
              {data.nations.map((nation) => (
                <tr key={nation.id}>
                  <th scope="row">
                    <Link href={`/nation/${nation.code}`}>
                      <NationName nation={nation} />
                    </Link>
                  </th>
                  <td>{number(nation.size)}</td>
                  <td>{t(nation.own ? 'nations.own' : nation.accredited ? 'yes' : 'no')}</td>
                  <td>{t(pins.fingerprints[nation.code] === nation.fingerprint ? 'yes' : 'no')}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
