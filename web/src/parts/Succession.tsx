/** That a log took the place of an earlier one, or a later one of it, as this node accepts it. */
import type { ReactNode } from 'react';
import { graphql, type ResultOf } from '../graphql';
import { useText } from '../i18n/text';

export const SUCCESSION = graphql(`
  fragment Succession on Nation {
    evidence { foundAt }
    successor { origin baseSize reason }
    predecessor { predecessorOrigin baseSize reason }
  }
`);

export function Succession(props: { nation: ResultOf<typeof SUCCESSION> }): ReactNode {
  const { t, number } = useText();
  const { evidence, successor, predecessor } = props.nation;
  const why = (reason: string): string => t('succession.reason', { reason: reason.replaceAll('-', '_') });
  return (
    <>
      {successor !== null && (
        <section className="notice notice-bad" role="alert">
          <h2>{t('succession.title')}</h2>
          <p>{t('succession.text', { origin: successor.origin, size: number(successor.baseSize) })}</p>
          <p>{why(successor.reason)}</p>
          {evidence !== null && <p>{t('succession.healed')}</p>}
        </section>
      )}
      {predecessor !== null && (
        <section className="notice">
          <h2>{t('succession.follows.title')}</h2>
          <p>
            {t('succession.follows.text', { origin: predecessor.predecessorOrigin, size: number(predecessor.baseSize) })}
          </p>
          <p>{why(predecessor.reason)}</p>
        </section>
      )}
    </>
  );
}
