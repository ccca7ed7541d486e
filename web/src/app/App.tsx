/** The frame of every page: where one is, in which language, and how it looks. */
import { type ReactNode, useEffect, useMemo } from 'react';
import { Provider as GraphqlProvider } from 'urql';
import { Router } from 'wouter';
import { makeClient } from '../graphql';
import { direction, type Language } from '../i18n/languages';
import type { Messages } from '../i18n/messages/en';
import { TextProvider } from '../i18n/text';
import { PinsProvider } from '../trust/pins';
import { Footer } from './Footer';
import { Header } from './Header';
import { Pages } from './Pages';

/** In one language: to change it is to load another address. */
export function App(props: { language: Language; messages: Messages }): ReactNode {
  const { language, messages } = props;
  const client = useMemo(makeClient, []);
  useEffect(() => {
    document.documentElement.lang = language;
    document.documentElement.dir = direction(language);
  }, [language]);
  return (
    <GraphqlProvider value={client}>
      <TextProvider language={language} messages={messages}>
        <PinsProvider>
          <Router base={`/${language}`}>
            <Header />
            <main id="main" tabIndex={-1}>
              <Pages />
            </main>
            <Footer />
          </Router>
        </PinsProvider>
      </TextProvider>
    </GraphqlProvider>
  );
}
