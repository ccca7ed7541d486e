import type { ReactNode } from 'react';
import { Foreign } from './Foreign';

/** What a nation calls itself, in the language it says it in, with the code that it claims. */
export function NationName(props: {
  nation: { code: string; displayName: string; displayNames: readonly { language: string; text: string }[] };
}): ReactNode {
  const { code, displayName, displayNames } = props.nation;
  const language = displayNames.find((name) => name.text === displayName)?.language;
  return (
    <>
      <Foreign text={displayName} language={language} /> <abbr dir="ltr">{code}</abbr>
    </>
  );
}
