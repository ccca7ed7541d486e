/** What ended a record, and who says that its body is erased: by the node's word. The browser's own is in Provenance. */
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { graphql, type ResultOf } from '../graphql';
import { useText } from '../i18n/text';
import { Foreign } from './Foreign';

export const ENDS = graphql(`
  fragment Ends on Record {
    nation { code }
    ends {
      kind digest index issuedAt reason
      statement { language text }
      record { verdict { state } }
    }
    erasure {
      receipts { nation { code } issuedAt digest }
      silent { code }
    }
  }
`);

type Ended = ResultOf<typeof ENDS>;

/** Nothing for a record that stands. A withdrawal that is void ends nothing; a redaction always does. */
export function Ends(props: { record: Ended }): ReactNode {
  const { ends, erasure, nation } = props.record;
  const counted = ends.filter((end) => end.kind === 'redaction' || end.record.verdict.state !== 'VOID');
  return (
    <>
      {counted.map((end) => (
        <End key={end.index} end={end} nation={nation.code} />
      ))}
      {erasure !== null && <Erasure erasure={erasure} />}
    </>
  );
}

function End(props: { end: Ended['ends'][number]; nation: string }): ReactNode {
  const { t, date, number, nationName } = useText();
  const { end } = props;
  const kind = end.kind === 'redaction' ? 'redaction' : 'withdrawal';
  const said = { nation: nationName(props.nation), index: number(end.index), date: end.issuedAt === null ? '—' : date(end.issuedAt) };
  return (
    <section className={`notice notice-${kind === 'redaction' ? 'bad' : 'wary'}`} data-end={kind}>
      <h2>{t(`ends.title.${kind}`)}</h2>
      <p>{t(`ends.by.${kind}`, said)}</p>
      <Reason reason={end.reason} statement={end.statement} />
      {end.digest !== null && (
        <p>
          <Link href={`/record/${end.digest}`}>{t('ends.record')}</Link>
        </p>
      )}
    </section>
  );
}

/** Why a record has ended: the word, and what its nation says about it in each language. */
export function Reason(props: { reason: string; statement: readonly { language: string; text: string }[] }): ReactNode {
  const { t } = useText();
  return (
    <>
      <p>{t('ends.reason', { why: props.reason.replaceAll('-', '_') })}</p>
      {props.statement.map(({ language, text }) => (
        <p key={language}>
          <Foreign text={text} language={language} />
        </p>
      ))}
    </>
  );
}

function Erasure(props: { erasure: NonNullable<Ended['erasure']> }): ReactNode {
  const { t, date, nationName } = useText();
  const { receipts, silent } = props.erasure;
  return (
    <section className="notice" aria-label={t('erasure.receipts')}>
      <dl>
        <dt>{t('erasure.receipts')}</dt>
        <dd>
          {receipts.length === 0 && t('erasure.none')}
          {receipts.map(({ nation, issuedAt, digest }) => (
            <div key={nation.code}>
              {nationName(nation.code)}
              {issuedAt !== null && <> · {date(issuedAt)}</>}
              {digest !== null && (
                <>
                  {' '}
                  · <Link href={`/record/${digest}`} aria-label={`${t('erasure.receipt')}: ${nationName(nation.code)}`}>{t('erasure.receipt')}</Link>
                </>
              )}
            </div>
          ))}
        </dd>
        {silent.length > 0 && (
          <>
            <dt>{t('erasure.silent')}</dt>
            <dd>{silent.map(({ code }) => nationName(code)).join(t('list.comma'))}</dd>
          </>
        )}
      </dl>
      <p>{t('erasure.note')}</p>
    </section>
  );
}
