import type { ReactNode } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { modelAddress, modelName } from '../app/address';
import { graphql, type ResultOf } from '../graphql';
import { useText } from '../i18n/text';
import { Card } from '../parts/Card';
import { Digest } from '../parts/Digest';
import { DisplayName } from '../parts/Foreign';
import { ENDS, Ends } from '../parts/Ends';
import { License } from '../parts/License';
import { NationName } from '../parts/NationName';
import { Provenance } from '../parts/Provenance';
import { STANDING, Standing } from '../parts/Standing';
import { TWO_HISTORIES, TwoHistories } from '../parts/TwoHistories';
import { Empty, Failure, Loading } from '../parts/states';
import { WeightsCheck } from '../parts/WeightsCheck';
import { WeightsFiles } from '../parts/WeightsFiles';
import { type Proof, useProof } from '../trust/proof';
import { newest } from './newest';
import { useTitle } from './useTitle';

const MODEL = graphql(
  `query Model($urn: String!, $version: String, $language: String) {
    model(urn: $urn, version: $version) {
      id urn version
      displayName(language: $language) displayNames { language text }
      nation { code displayName(language: $language) displayNames { language text } ...TwoHistories }
      card {
        digest index origin issuedAt verdict { state reason }
        cosignatures(first: 100) { nation at }
        standing { ...Standing }
        ...Ends
      }
      versions(first: 50) { id version ended card { issuedAt } }
    }
  }`,
  [ENDS, STANDING, TWO_HISTORIES],
);

type OneModel = NonNullable<ResultOf<typeof MODEL>['model']>;

export function Model(props: { params: { nation: string; org: string; name: string; version?: string } }): ReactNode {
  const { t, language } = useText();
  const { params } = props;
  const urn = modelName(params);
  const variables = { urn, version: params.version ?? null, language };
  const [{ data, error, fetching }, again] = useQuery({ query: MODEL, variables });
  useTitle(data?.model?.displayName ?? params.name);
  if (error) return <Failure error={error} again={again} />;
  if (!data) return fetching ? <Loading /> : null;
  if (data.model === null || data.model.card.digest === null) {
    return (
      <>
        <h1>{t('model.unknown')}</h1>
        <Empty>
          <code dir="ltr">{urn}</code> <Link href="/models">{t('models.title')}</Link>
        </Empty>
      </>
    );
  }
  return <Found model={data.model} digest={data.model.card.digest} />;
}

function Found(props: { model: OneModel; digest: string }): ReactNode {
  const { t } = useText();
  const { model, digest } = props;
  const proof = useProof(digest);
  return (
    <article>
      <h1>
        <DisplayName of={model} />
      </h1>
      <ul className="facts">
        <li>
          <Link href={`/nation/${model.nation.code}`}>
            <NationName nation={model.nation} />
          </Link>
        </li>
        <li>
          <code dir="ltr">{model.urn}</code>
        </li>
        <li>{t('model.version', { version: model.version })}</li>
      </ul>
      <TwoHistories nation={model.nation} />
      {model.card.verdict.state !== 'VALID' && (
        <p className="notice notice-wary" role="note">
          {t(`verdict.node.${model.card.verdict.state}`)} {model.card.verdict.reason}
        </p>
      )}
      <Ends record={model.card} />
      {/* All at once: what comes later would push away what is being read. */}
      {proof.state === 'loading' ? <Loading /> : <Sheets model={model} digest={digest} proof={proof} />}
    </article>
  );
}

function Sheets(props: { model: OneModel; digest: string; proof: Proof }): ReactNode {
  const { model, digest, proof } = props;
  const records = proof.state === 'here' ? proof.records : [];
  const about = records.find((read) => read.digest === digest)?.record;
  return (
    <div className="two">
      <div>
        {about?.kind === 'model-card' && <Card card={about.body} />}
        {records.map((read) => read.record.kind === 'license' && <License key={read.digest} license={read.record.body} />)}
        {records.map((read) => read.record.kind === 'weights' && <WeightsFiles key={read.digest} weights={read.record.body} />)}
      </div>
      <div>
        <Provenance proof={proof} />
        <Position model={model} digest={digest} />
        {proof.state === 'here' &&
          records.map(
            (read) =>
              read.record.kind === 'weights' && (
                <WeightsCheck
                  key={read.digest}
                  weights={read.record.body}
                  chunkHashes={proof.bundle?.blobs.get(read.record.body.chunkHashes.sha256)}
                />
              ),
          )}
        <Versions model={model} />
      </div>
    </div>
  );
}

/** Where the card stands, who has seen it and how lately: as this node says. */
function Position(props: { model: OneModel; digest: string }): ReactNode {
  const { t, number, date, nationName } = useText();
  const { card } = props.model;
  const latest = newest(card.cosignatures, (line) => line.nation);
  return (
    <section className="sheet">
      <h2>{t('position.title')}</h2>
      <dl>
        <dt>{t('position.record')}</dt>
        <dd>
          <Digest value={props.digest} />
        </dd>
        <dt>{t('position.entry')}</dt>
        <dd>
          {number(card.index)} · <code dir="ltr">{card.origin}</code>
        </dd>
        <dt>{t('position.issued')}</dt>
        <dd>{card.issuedAt === null ? t('notStated') : date(card.issuedAt)}</dd>
        <dt>{t('position.seen')}</dt>
        <dd>
          <Standing standing={card.standing} />
          {latest.map(({ nation, at }) => (
            <div key={nation}>
              {nationName(nation)} · {date(at)}
            </div>
          ))}
        </dd>
        <dt>{t('position.files')}</dt>
        <dd>
          <a href={`/bundle/${props.digest}`} download>
            {t('position.bundle')}
          </a>{' '}
          · <a href={`/record/${props.digest}`}>{t('position.permalink')}</a>
        </dd>
      </dl>
      <p className="print-only">
        <code dir="ltr">{`${location.origin}/record/${props.digest}`}</code>
      </p>
    </section>
  );
}

function Versions(props: { model: OneModel }): ReactNode {
  const { t, date } = useText();
  const { urn, version, versions } = props.model;
  return (
    <section className="sheet">
      <h2>{t('model.versions')}</h2>
      <ul>
        {versions.map((it) => (
          <li key={it.id}>
            <Link href={modelAddress(urn, it.version)} aria-current={it.version === version ? 'true' : undefined}>
              <bdi dir="ltr">{it.version}</bdi>
            </Link>{' '}
            {it.card.issuedAt !== null && date(it.card.issuedAt)}
            {it.ended && ` · ${t('ends.version')}`}
          </li>
        ))}
      </ul>
    </section>
  );
}
