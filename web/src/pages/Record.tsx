import type { ReactNode } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { modelAddress } from '../app/address';
import { graphql } from '../graphql';
import { useText } from '../i18n/text';
import { Digest } from '../parts/Digest';
import { ENDS, Ends } from '../parts/Ends';
import { Provenance } from '../parts/Provenance';
import { useProof } from '../trust/proof';
import { fromUtf8 } from '../verify/bytes';
import { useTitle } from './useTitle';

const RECORD = graphql(
  `query Record($digest: Digest!) {
    record(digest: $digest) { id ...Ends }
  }`,
  [ENDS],
);

/** Any record by its digest: what was signed, byte for byte, and what is proven of it. */
export function Record(props: { params: { digest: string } }): ReactNode {
  const { t } = useText();
  const { digest } = props.params;
  const proof = useProof(digest);
  const read = proof.state === 'here' ? proof.records.find((it) => it.digest === digest)?.record : undefined;
  const envelope =
    proof.state === 'here' ? proof.bundle?.records.find((it) => it.envelope.recordDigest === digest)?.envelope : undefined;
  const [{ data }] = useQuery({ query: RECORD, variables: { digest } });
  // Of what is erased, its redaction says the kind.
  const kind = read?.kind ?? (proof.state === 'here' ? proof.report.kind : undefined);
  useTitle(t('record.title'));
  return (
    <article>
      <h1>{t('record.title')}</h1>
      <p>
        <Digest value={digest} />
      </p>
      {kind !== undefined && <p>{t('record.kind', { kind: kind.replaceAll('-', '_') })}</p>}
      {data?.record && <Ends record={data.record} />}
      {read?.kind === 'model-card' && (
        <p>
          <Link href={modelAddress(`urn:chancery:${read.header.nation}:${read.body.org}:${read.body.name}`, read.body.version)}>
            {t('record.model')}
          </Link>
        </p>
      )}
      <Provenance proof={proof} />
      {envelope !== undefined && (
        <section className="sheet">
          <h2>{t('record.signed')}</h2>
          <div className="scroll" role="group" tabIndex={0} aria-label={t('record.signed')}>
            <pre dir="ltr">{pretty(envelope.payload)}</pre>
          </div>
        </section>
      )}
    </article>
  );
}

/** What was signed, laid out for people; as it is where it is not JSON. */
function pretty(payload: Uint8Array): string {
  const text = fromUtf8(payload);
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
