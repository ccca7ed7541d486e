import type { ReactNode } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { graphql, type ResultOf } from '../graphql';
import { useText } from '../i18n/text';
import { Digest, Fingerprint } from '../parts/Digest';
import { Foreign } from '../parts/Foreign';
import { MODEL, ModelList } from '../parts/ModelList';
import { NationName } from '../parts/NationName';
import { STANDING, Standing } from '../parts/Standing';
import { SUCCESSION, Succession } from '../parts/Succession';
import { TWO_HISTORIES, TwoHistories } from '../parts/TwoHistories';
import { Empty, Failure, Loading } from '../parts/states';
import { Unkept } from '../parts/Unkept';
import { usePins } from '../trust/pins';
import { newest } from './newest';
import { useTitle } from './useTitle';

const NATION = graphql(
  `query Nation($code: String!, $language: String) {
    nation(code: $code) {
      id code origin size fingerprint logKey witnessKey
      ...TwoHistories
      ...Succession
      displayName(language: $language) displayNames { language text }
      charterVersion charter { digest }
      log {
        cosignatures(first: 50) { nation name held at }
        standing { ...Standing }
      }
      models(first: 24) { totalCount edges { node { ...Model } } }
    }
    partners { origin sync { state lastHeard since reason held shown } }
  }`,
  [MODEL, STANDING, SUCCESSION, TWO_HISTORIES],
);

type Asked = ResultOf<typeof NATION>;
type OneNation = Asked['nation'][number];

export function Nation(props: { params: { code: string } }): ReactNode {
  const { t, language, nationName } = useText();
  const { code } = props.params;
  useTitle(nationName(code));
  const [{ data, error, fetching }, again] = useQuery({ query: NATION, variables: { code, language } });
  if (error) return <Failure error={error} again={again} />;
  if (!data) return fetching ? <Loading /> : null;
  if (data.nation.length === 0) {
    return (
      <>
        <h1>{t('nation.unknown', { code })}</h1>
        <Empty>
          <Link href="/nations">{t('nations.title')}</Link>
        </Empty>
      </>
    );
  }
  // A log whose place another took is no rival of it, and comes after it.
  const rivals = data.nation.filter((nation) => nation.successor === null);
  const logs = [...rivals, ...data.nation.filter((nation) => nation.successor !== null)];
  return (
    <>
      {rivals.length > 1 && (
        <section className="notice notice-bad" role="alert">
          <h2>{t('nation.rivals.title')}</h2>
          <p>{t('nation.rivals.text', { count: rivals.length, code })}</p>
        </section>
      )}
      {logs.map((nation) => (
        <Claimant key={nation.id} nation={nation} sync={data.partners.find((partner) => partner.origin === nation.origin)?.sync} />
      ))}
    </>
  );
}

function Claimant(props: { nation: OneNation; sync: Asked['partners'][number]['sync'] | undefined }): ReactNode {
  const { t, number, date } = useText();
  const { nation, sync } = props;
  return (
    <article>
      <h1>
        <NationName nation={nation} />
      </h1>
      <TwoHistories nation={nation} />
      <Succession nation={nation} />
      <div className="two">
        <div>
          <section className="sheet">
            <h2>{t('nation.identity')}</h2>
            <dl>
              <dt>{t('nation.names')}</dt>
              <dd>
                {nation.displayNames.map((name) => (
                  <div key={name.language}>
                    <Foreign text={name.text} language={name.language} />
                  </div>
                ))}
              </dd>
              <dt>{t('nation.log')}</dt>
              <dd>
                <code dir="ltr">{nation.origin}</code>
              </dd>
              <dt>{t('nations.entries')}</dt>
              <dd>{number(nation.size)}</dd>
              <dt>{t('nation.charter')}</dt>
              <dd>
                {nation.charter?.digest ? (
                  <Link href={`/record/${nation.charter.digest}`}>
                    {t('nation.openCharter', { version: nation.charterVersion })}
                  </Link>
                ) : (
                  t('notHeld')
                )}
              </dd>
              <dt>{t('nation.logKey')}</dt>
              <dd>
                <Digest value={nation.logKey} />
              </dd>
              <dt>{t('nation.witnessKey')}</dt>
              <dd>
                <Digest value={nation.witnessKey} />
              </dd>
            </dl>
          </section>
          <section className="sheet">
            <h2>{t('nation.seen')}</h2>
            {nation.log && <Standing standing={nation.log.standing} />}
            {nation.log && nation.log.cosignatures.length > 0 ? (
              <ul>
                {newest(nation.log.cosignatures, (line) => line.name).map((line) => (
                  <li key={line.name}>
                    {t(line.held ? 'nation.holds' : 'nation.saw', { nation: line.nation, date: date(line.at) })}
                  </li>
                ))}
              </ul>
            ) : (
              <Empty>{t('nation.unseen')}</Empty>
            )}
            {sync && (
              <p>
                {t(`sync.${sync.state}`, {
                  held: number(sync.held ?? 0),
                  shown: number(sync.shown ?? 0),
                  since: sync.since === null ? t('never') : date(sync.since),
                  reason: sync.reason ?? '',
                })}{' '}
                {sync.lastHeard !== null && t('sync.heard', { date: date(sync.lastHeard) })}
              </p>
            )}
          </section>
        </div>
        <Pin nation={nation} />
      </div>
      <section>
        <h2>{t('nation.models', { count: nation.models.totalCount })}</h2>
        <ModelList models={nation.models.edges.map((edge) => edge.node)} />
        {nation.models.totalCount > nation.models.edges.length && (
          <p>
            <Link href={`/models?nation=${nation.code}`}>{t('home.all')}</Link>
          </p>
        )}
      </section>
    </article>
  );
}

/** The nation's fingerprint, to be compared by voice and then pinned. */
function Pin(props: { nation: OneNation }): ReactNode {
  const { t } = useText();
  const pins = usePins();
  const { code, fingerprint } = props.nation;
  const pinned = pins.fingerprints[code];
  return (
    <section className="sheet">
      <h2>{t('pin.title')}</h2>
      <p>
        <Fingerprint value={fingerprint} />
      </p>
      <Unkept />
      {pinned === undefined && (
        <>
          <p>{t('pin.compare')}</p>
          <button type="button" className="main" onClick={() => pins.pin(code, fingerprint)}>
            {t('pin.pin')}
          </button>
        </>
      )}
      {pinned === fingerprint && (
        <>
          {pins.kept && <p className="notice notice-good">{t('pin.pinned')}</p>}
          <button type="button" onClick={() => pins.unpin(code)}>
            {t('pin.unpin')}
          </button>
        </>
      )}
      {pinned !== undefined && pinned !== fingerprint && (
        <div className="notice notice-bad" role="alert">
          <p>{t('pin.differs')}</p>
          <p>
            <Fingerprint value={pinned} />
          </p>
          <button type="button" onClick={() => pins.unpin(code)}>
            {t('pin.unpin')}
          </button>
        </div>
      )}
    </section>
  );
}
