/** A page that failed keeps the frame around it. */
import { Component, type ReactNode } from 'react';
import { useText } from '../i18n/text';

export class ErrorBoundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    return this.state.error === null ? this.props.children : <Failed message={this.state.error.message} />;
  }
}

function Failed(props: { message: string }): ReactNode {
  const { t } = useText();
  return (
    <section className="notice notice-bad" role="alert">
      <h1>{t('failed.title')}</h1>
      <p>{t('failed.text')}</p>
      <p>
        <code>{props.message}</code>
      </p>
      <p>
        <button type="button" onClick={() => location.reload()}>
          {t('failed.again')}
        </button>
      </p>
    </section>
  );
}
