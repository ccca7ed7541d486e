import type { ReactNode } from 'react';
import { useText } from '../i18n/text';
import { usePins } from '../trust/pins';

/** Says so when the browser did not keep what the reader has just pinned or unpinned. */
export function Unkept(): ReactNode {
  const { t } = useText();
  const { kept } = usePins();
  return (
    !kept && (
      <p className="notice notice-wary" role="alert">
        {t('pin.unkept')}
      </p>
    )
  );
}
