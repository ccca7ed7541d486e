import type { ComponentProps, ReactNode } from 'react';
import { DisplayName } from './Foreign';

/** What a nation calls itself, with the code that it claims. */
export function NationName(props: { nation: ComponentProps<typeof DisplayName>['of'] & { code: string } }): ReactNode {
  const { nation } = props;
  return (
    <>
      <DisplayName of={nation} /> <abbr dir="ltr">{nation.code}</abbr>
    </>
  );
}
