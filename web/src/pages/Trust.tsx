import { type ReactNode, useState } from 'react';
import { Link } from 'wouter';
import { useText } from '../i18n/text';
import { Fingerprint } from '../parts/Digest';
import { Empty } from '../parts/states';
import { Unkept } from '../parts/Unkept';
import { isFingerprint, normalised, usePins } from '../trust/pins';
import { readPolicy } from '../trust/policy';
import { useTitle } from './useTitle';

export function Trust(): ReactNode {
  const { t, nationName } = useText();
  useTitle(t('trust.title'));
  const pins = usePins();
  const pinned = Object.entries(pins.fingerprints);
  return (
    <>
      <h1>{t('trust.title')}</h1>
      <p className="lead">{t('trust.lead')}</p>
      <section className="sheet">
        <h2>{t('trust.fingerprints')}</h2>
        {pinned.length === 0 && (
          <Empty>
            {t('trust.none')} <Link href="/nations">{t('nations.title')}</Link>
          </Empty>
        )}
        <ul>
          {pinned.map(([code, fingerprint]) => (
            <li key={code}>
              <strong>{nationName(code)}</strong> <abbr dir="ltr">{code}</abbr>
              <p>
                <Fingerprint value={fingerprint} />
              </p>
              <button type="button" onClick={() => pins.unpin(code)}>
                {t('pin.unpin')}
              </button>
            </li>
          ))}
        </ul>
        <PinForm />
        <Unkept />
      </section>
      <Policy />
    </>
  );
}

/** For a fingerprint that was read out or written down. */
function PinForm(): ReactNode {
  const { t } = useText();
  const pins = usePins();
  const [code, setCode] = useState('');
  const [text, setText] = useState('');
  const fingerprint = normalised(text);
  const ready = /^[A-Za-z]{2}$/.test(code) && isFingerprint(fingerprint);
  return (
    <form
      className="search"
      onSubmit={(event) => {
        event.preventDefault();
        if (!ready) return;
        pins.pin(code.toUpperCase(), fingerprint);
        setText('');
        setCode('');
      }}
    >
      <label>
        {t('trust.code')}
        <input value={code} onChange={(event) => setCode(event.target.value)} maxLength={2} size={4} dir="ltr" autoComplete="off" />
      </label>
      <label>
        {t('trust.fingerprint')}
        <input value={text} onChange={(event) => setText(event.target.value)} size={48} dir="ltr" autoComplete="off" spellCheck={false} />
      </label>
      <button type="submit" className="main" disabled={!ready}>
        {t('pin.pin')}
      </button>
    </form>
  );
}

function Policy(): ReactNode {
  const { t } = useText();
  const pins = usePins();
  const [text, setText] = useState(pins.policy ?? '');
  const problem = text.trim() === '' ? null : readPolicy(text).problem;
  return (
    <section className="sheet">
      <h2>{t('trust.policy')}</h2>
      <p>{t('trust.policyText')}</p>
      <label>
        <span className="visually-hidden">{t('trust.policy')}</span>
        <textarea rows={8} value={text} onChange={(event) => setText(event.target.value)} dir="ltr" spellCheck={false} />
      </label>
      <p role="status">
        {problem !== null && t('trust.refused', { problem })}
        {problem === null && pins.policy === text && t(pins.kept ? 'trust.adopted' : 'pin.unkept')}
      </p>
      <button type="button" className="main" disabled={text.trim() === '' || problem !== null} onClick={() => pins.adopt(text)}>
        {t('trust.adopt')}
      </button>{' '}
      {pins.policy !== null && (
        <button
          type="button"
          onClick={() => {
            pins.adopt(null);
            setText('');
          }}
        >
          {t('trust.drop')}
        </button>
      )}
    </section>
  );
}
