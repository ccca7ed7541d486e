/** That a log has signed two histories, by the node's word; the record `evidence` proves it to anyone. */
import type { ReactNode } from 'react';
import { graphql, type ResultOf } from '../graphql';
import { useText } from '../i18n/text';

export const TWO_HISTORIES = graphql(`
  fragment TwoHistories on Nation {
    origin
    evidence { foundAt }
  }
`);

export function TwoHistories(props: { nation: ResultOf<typeof TWO_HISTORIES> }): ReactNode {
  const { t, date } = useText();
  const { origin, evidence } = props.nation;
  if (evidence === null) return null;
  return (
    <section className="notice notice-bad" role="alert">
      <h2>{t('evidence.title')}</h2>
      <p>{t('evidence.text', { origin, date: date(evidence.foundAt) })}</p>
    </section>
  );
}
