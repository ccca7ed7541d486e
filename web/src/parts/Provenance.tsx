/** What this browser has checked of a record, step by step, and what it could not. */
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { type Key, useText } from '../i18n/text';
import type { Proof } from '../trust/proof';
import type { Report, Step } from '../verify/verify';
import { Reason } from './Ends';
import { Foreign } from './Foreign';
import { Mark, type Tone } from './Mark';
import { Loading } from './states';

export function Provenance(props: { proof: Proof }): ReactNode {
  const { t } = useText();
  const { proof } = props;
  return (
    <section className="sheet" aria-labelledby="provenance">
      <h2 id="provenance">{t('proof.title')}</h2>
      <div aria-live="polite">
        {proof.state === 'loading' && <Loading />}
        {proof.state === 'missing' && <p>{t('proof.missing')}</p>}
        {proof.state === 'unreachable' && <p className="notice notice-bad">{t('state.unreachable.text')}</p>}
        {proof.state === 'here' && <Checked report={proof.report} />}
      </div>
    </section>
  );
}

const TONES: Readonly<Record<Report['verdict'], Tone>> = {
  verified: 'good',
  'under-witnessed': 'wary',
  contested: 'wary',
  void: 'bad',
  withdrawn: 'wary',
  redacted: 'bad',
  unpinned: 'none',
  failed: 'bad',
  cannot: 'none',
};

function Checked(props: { report: Report }): ReactNode {
  const { t } = useText();
  const { report } = props;
  const { verdict } = report;
  const nation = report.nation ?? '';
  return (
    <>
      <p className={`verdict mark-${TONES[verdict]}`} data-verdict={verdict}>
        <Mark tone={TONES[verdict]} />
        <span>{t(`proof.verdict.${verdict}`, { nation })}</span>
      </p>
      <p>{t(`proof.means.${verdict}`, { nation })}</p>
      {report.end !== undefined && (
        <Reason
          reason={report.end.reason}
          statement={[...(report.end.statement ?? [])].map(([language, text]) => ({ language, text }))}
        />
      )}
      {verdict === 'unpinned' && (
        <p>
          <Link href={`/nation/${nation}`}>{t('proof.toPin', { nation })}</Link>
        </p>
      )}
      <ol className="steps">
        {report.steps.map((step) => (
          <li key={step.step} data-step={step.step} data-outcome={step.outcome} data-problem={step.problem}>
            <Mark tone={toneOf(step)} />
            <div>
              <strong>{t(`proof.step.${step.step}`)}</strong>
              <span className="detail">{useDetail(step)}</span>
            </div>
          </li>
        ))}
      </ol>
    </>
  );
}

function toneOf(step: Step): Tone {
  if (step.problem === 'cannot-verify') return 'none';
  return ({ holds: 'good', fails: 'bad', short: 'wary', 'not-checked': 'none' } as const)[step.outcome];
}

/** A sentence about a step, with what strangers wrote kept apart from it. */
function useDetail(step: Step): ReactNode[] {
  const { rich, t, date } = useText();
  const key: Key = step.problem === undefined ? `proof.holds.${step.step}` : `proof.problem.${step.problem}`;
  const values: Record<string, ReactNode> = { reason: <Foreign key="reason" text={step.reason} language="en" />, since: '—' };
  for (const [name, value] of Object.entries(step.params)) {
    if (name === 'since') values[name] = date(Number(value));
    else values[name] = typeof value === 'number' ? value : <Value key={name} text={Array.isArray(value) ? value.join(t('list.comma')) || '—' : String(value)} />;
  }
  return rich(key, values);
}

/** Keys, digests and numbers are read from left to right; names as their letters say. */
function Value(props: { text: string }): ReactNode {
  const { text } = props;
  if (/^[\x21-\x7e]+$/.test(text)) return <code dir="ltr">{text}</code>;
  return <Foreign text={text} />;
}
