/** What stands where an answer should be: it is on its way, it failed, or there is nothing. */
import type { ReactNode } from 'react';
import type { CombinedError, UseQueryExecute } from 'urql';
import { useText } from '../i18n/text';

export function Loading(): ReactNode {
  const { t } = useText();
  return (
    <p className="loading" role="status">
      {t('state.loading')}
    </p>
  );
}

export function Failure(props: { error: CombinedError; again: UseQueryExecute }): ReactNode {
  const { t } = useText();
  const unreachable = props.error.networkError !== undefined;
  return (
    <section className="notice notice-bad" role="alert">
      <h2>{t(unreachable ? 'state.unreachable.title' : 'state.failed.title')}</h2>
      <p>{t(unreachable ? 'state.unreachable.text' : 'state.failed.text')}</p>
      {!unreachable && (
        <p>
          <code>{props.error.graphQLErrors.map((error) => error.message).join('; ')}</code>
        </p>
      )}
      <button type="button" onClick={() => props.again({ requestPolicy: 'network-only' })}>
        {t('state.again')}
      </button>
    </section>
  );
}

export function Empty(props: { children: ReactNode }): ReactNode {
  return <p className="empty">{props.children}</p>;
}
