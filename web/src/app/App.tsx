/** The frame of every page: where one is, in which language, and how it looks. */
import { type ReactNode, useEffect, useMemo, useState } from 'react';
import { Provider as GraphqlProvider } from 'urql';
import { Router, useLocation } from 'wouter';
import { makeClient } from '../graphql';
import { direction, type Language } from '../i18n/languages';
import type { Messages } from '../i18n/messages/en';
import { load, TextProvider } from '../i18n/text';
import { PinsProvider } from '../trust/pins';
import { languageOf } from './address';
import { Footer } from './Footer';
import { Header } from './Header';
import { Pages } from './Pages';

interface Spoken {
  readonly language: Language;
  readonly messages: Messages;
}

export function App(props: { first: Spoken }): ReactNode {
  const [path] = useLocation();
  const language = languageOf(path);
  const spoken = useMessages(language, props.first);
  const client = useMemo(makeClient, []);
  useEffect(() => {
    document.documentElement.lang = spoken.language;
    document.documentElement.dir = direction(spoken.language);
  }, [spoken.language]);
  return (
    <GraphqlProvider value={client}>
      <TextProvider language={spoken.language} messages={spoken.messages}>
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

/** The messages of a language; until they have come, those before. */
function useMessages(language: Language, first: Spoken): Spoken {
  const [spoken, setSpoken] = useState(first);
  useEffect(() => {
    if (spoken.language === language) return;
    let left = false;
    void load(language).then((messages) => {
      if (!left) setSpoken({ language, messages });
    });
    return () => {
      left = true;
    };
  }, [language, spoken.language]);
  return spoken;
}
