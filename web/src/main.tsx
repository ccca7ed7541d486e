import './style/index.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import { load } from './i18n/text';
import { languageOf } from './app/address';

const root = document.getElementById('root');
if (root === null) throw new Error('the page has no #root');
const language = languageOf(location.pathname);
const messages = await load(language);
// What the server wrote there for readers without JavaScript gives way to the page.
createRoot(root).render(
  <StrictMode>
    <App language={language} messages={messages} />
  </StrictMode>,
);
