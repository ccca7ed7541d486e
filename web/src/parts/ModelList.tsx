import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { modelAddress } from '../app/address';
import { graphql, type ResultOf } from '../graphql';
import { useText } from '../i18n/text';
import { DisplayName, Foreign } from './Foreign';

export const MODEL = graphql(`
  fragment Model on Model {
    id urn version org name license languages
    displayName(language: $language) displayNames { language text }
    nation { code }
    card { verdict { state } }
  }
`);

type Listed = ResultOf<typeof MODEL>;

/** Models as cards: what they are called, whose they are, what they speak, under which terms. */
export function ModelList(props: { models: readonly Listed[] }): ReactNode {
  return (
    <ul className="cards">
      {props.models.map((model) => (
        <li key={model.id}>
          <ModelCard model={model} />
        </li>
      ))}
    </ul>
  );
}

const LANGUAGES_SHOWN = 4;

function ModelCard(props: { model: Listed }): ReactNode {
  const { t, languageName, nationName } = useText();
  const { model } = props;
  const more = model.languages.length - LANGUAGES_SHOWN;
  const spoken = model.languages.slice(0, LANGUAGES_SHOWN).map(languageName);
  return (
    <article>
      <h3>
        <Link href={modelAddress(model.urn)}>
          <DisplayName of={model} />
        </Link>
      </h3>
      <ul className="facts">
        <li>
          {nationName(model.nation.code)} <abbr dir="ltr">{model.nation.code}</abbr>
        </li>
        <li>
          <span dir="ltr">
            {model.org}/{model.name}
          </span>
        </li>
        <li>{t('model.version', { version: model.version })}</li>
        {model.license !== null && (
          <li>
            <Foreign text={model.license} />
          </li>
        )}
        {spoken.length > 0 && <li>{t('model.speaks', { languages: spoken.join(t('list.comma')), more: Math.max(0, more) })}</li>}
        {model.card.verdict.state !== 'VALID' && <li>{t(`verdict.node.${model.card.verdict.state}`)}</li>}
      </ul>
    </article>
  );
}
