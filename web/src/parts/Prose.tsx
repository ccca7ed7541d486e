/**
 * Markdown that strangers wrote. No HTML of theirs is passed through, nothing is fetched: a picture becomes its
 * description, and a link leads only to `https`, `http` or `mailto`.
 */
import { Fragment, type ReactNode } from 'react';
import Markdown, { type Components } from 'react-markdown';
import rehypeSanitize from 'rehype-sanitize';
import remarkGfm from 'remark-gfm';
import { visible } from './Foreign';

/** The page has its own first and second headings: those of a card stand below them. */
const COMPONENTS: Components = {
  h1: ({ children }) => <h3>{children}</h3>,
  h2: ({ children }) => <h4>{children}</h4>,
  h3: ({ children }) => <h5>{children}</h5>,
  h4: ({ children }) => <h6>{children}</h6>,
  h5: ({ children }) => <h6>{children}</h6>,
  img: ({ alt }) => <em>[{alt}]</em>,
  a: ({ href, children }) =>
    href !== undefined && /^(https?|mailto):/i.test(href) ? (
      <a href={href} rel="noreferrer nofollow">
        {children}
      </a>
    ) : (
      <Fragment>{children}</Fragment>
    ),
  table: ({ children }) => (
    <div className="scroll" role="group" tabIndex={0}>
      <table>{children}</table>
    </div>
  ),
};

export function Prose(props: { markdown: string }): ReactNode {
  const shown = visible(props.markdown.replaceAll('\r\n', '\n')).map((part) => (typeof part === 'string' ? part : marker(part))).join('');
  return (
    <Markdown remarkPlugins={[remarkGfm]} rehypePlugins={[rehypeSanitize]} components={COMPONENTS}>
      {shown}
    </Markdown>
  );
}

/** A hidden character's number, as text: a box cannot stand inside Markdown. Line ends and tabs stay. */
function marker(part: ReactNode): string {
  const { children } = (part as { props: { children: string } }).props;
  if (children === 'U+000A') return '\n';
  return children === 'U+0009' ? '\t' : `⟦${children}⟧`;
}
