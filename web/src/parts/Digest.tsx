/** A digest or another long name of letters and digits: left to right in any language, and easy to copy. */
import { type ReactNode, useState } from 'react';
import { useText } from '../i18n/text';

export function Digest(props: { value: string; short?: boolean }): ReactNode {
  const { t } = useText();
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(props.value);
    } catch {
      // The browser refused it. The digest can still be selected, and nothing says that it was copied.
      return;
    }
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <span className="digest">
      <code dir="ltr" title={props.value}>
        {props.short === true ? (
          <>
            <span className="screen-only short">{props.value.slice(0, 12)}…</span>
            <span className="print-only">{props.value}</span>
          </>
        ) : (
          props.value
        )}
      </code>
      {'clipboard' in navigator && (
        <button type="button" className="copy" onClick={() => void copy()}>
          {t(copied ? 'digest.copied' : 'digest.copy')}
        </button>
      )}
    </span>
  );
}

/** A fingerprint in groups of four, for reading aloud. */
export function Fingerprint(props: { value: string }): ReactNode {
  return (
    <code dir="ltr" className="fingerprint">
      {props.value.match(/.{1,4}/g)?.join(' ')}
    </code>
  );
}
