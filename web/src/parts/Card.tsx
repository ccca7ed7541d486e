/** A model card, in the reader's language where it has a text in it. */
import { lazy, type ReactNode, Suspense } from 'react';
import { direction, type Language } from '../i18n/languages';
import { useText } from '../i18n/text';
import type { ModelCard } from '../verify/record/model-card';
import { Foreign } from './Foreign';
import { Loading } from './states';

// Under way as soon as a page may show a card, while the node is still asked for it.
const prose = import('./Prose');
prose.catch(() => {}); // Whoever shows it meets the failure.
const Prose = lazy(async () => ({ default: (await prose).Prose }));

export function Card(props: { card: ModelCard }): ReactNode {
  const { t, languageName, nationName } = useText();
  const { card } = props;
  const { architecture, compute, culturalAlignment } = card;
  return (
    <>
      <section className="sheet">
        <h2>{t('card.title')}</h2>
        <dl>
          <Fact name={t('card.languages')}>
            {card.languages.length > 0 && card.languages.map((it) => languageName(it.tag)).join(t('list.comma'))}
          </Fact>
          <Fact name={t('card.tasks')}>{card.tasks.length > 0 && <Foreign text={card.tasks.join(t('list.comma'))} />}</Fact>
          <Fact name={t('card.architecture')}>
            {architecture !== undefined && (
              <Foreign text={[architecture.family, architecture.name, architecture.totalParameters].filter(Boolean).join(' · ')} />
            )}
          </Fact>
          <Fact name={t('card.lineage')}>
            {card.lineage !== undefined &&
              (card.lineage.length === 0
                ? t('card.scratch')
                : card.lineage.map((parent) => (
                    <div key={parent.model}>
                      <Foreign text={parent.model} /> {parent.relation}
                    </div>
                  )))}
          </Fact>
          <Fact name={t('card.data')}>
            {card.trainingData !== undefined &&
              card.trainingData.map((data) => (
                <div key={data.name}>
                  <Foreign text={data.name} /> {data.jurisdictions?.map(nationName).join(t('list.comma'))}
                </div>
              ))}
          </Fact>
          <Fact name={t('card.compute')}>
            {compute?.facilities?.map((facility) => (
              <div key={facility.name}>
                <Foreign text={facility.name} /> {facility.country !== undefined && nationName(facility.country)}
              </div>
            ))}
            {compute?.trainingFlop !== undefined && <span dir="ltr">{compute.trainingFlop} FLOP</span>}
          </Fact>
          <Fact name={t('card.sectors')}>
            {card.sectors.length > 0 &&
              card.sectors.map((sector) => (
                <div key={sector.sector}>
                  <Foreign text={[sector.sector, sector.suitability, sector.conditions].filter(Boolean).join(' · ')} />
                </div>
              ))}
          </Fact>
          <Fact name={t('card.limitations')}>
            {card.limitations !== undefined &&
              (card.limitations.length === 0 ? t('card.noneKnown') : card.limitations.map((text) => <div key={text}><Foreign text={text} /></div>))}
          </Fact>
          <Fact name={t('card.contacts')}>
            {card.contacts.length > 0 &&
              card.contacts.map((contact) => (
                <div key={contact.uri}>
                  <Foreign text={[contact.name, contact.role, contact.uri].filter(Boolean).join(' · ')} />
                </div>
              ))}
          </Fact>
        </dl>
      </section>
      {culturalAlignment !== undefined && (
        <section className="sheet">
          <h2>{t('card.culture')}</h2>
          <TextIn texts={culturalAlignment.statement} />
          <dl>
            <Fact name={t('card.alignedBy')}>
              {culturalAlignment.alignedBy.length > 0 && <Foreign text={culturalAlignment.alignedBy.join(t('list.comma'))} />}
            </Fact>
            <Fact name={t('card.annotators')}>{culturalAlignment.annotators?.nations.map(nationName).join(t('list.comma'))}</Fact>
          </dl>
        </section>
      )}
      <section className="sheet">
        <h2>{t('card.text')}</h2>
        <TextIn texts={card.text} />
      </section>
    </>
  );
}

/** What is not stated is said so: it is not the same as none. */
function Fact(props: { name: string; children: ReactNode }): ReactNode {
  const { t } = useText();
  const stated = props.children !== undefined && props.children !== false && props.children !== '' && !isEmpty(props.children);
  return (
    <>
      <dt>{props.name}</dt>
      <dd>{stated ? props.children : <span className="empty">{t('notStated')}</span>}</dd>
    </>
  );
}

function isEmpty(children: ReactNode): boolean {
  return Array.isArray(children) && children.every((child) => child === undefined || child === false || child === '');
}

/** The text in the reader's language, or in the first that there is, which it then says. */
function TextIn(props: { texts: ReadonlyMap<string, string> }): ReactNode {
  const { t, language, languageName } = useText();
  const chosen = choose(props.texts, language);
  if (chosen === undefined) return <p className="empty">{t('notStated')}</p>;
  const [tag, text] = chosen;
  const other = tag.split('-')[0] !== language;
  return (
    <>
      {other && tag !== 'und' && <p className="empty">{t('card.otherLanguage', { language: languageName(tag) })}</p>}
      <div className="prose" {...(tag === 'und' ? { dir: 'auto' } : { lang: tag, dir: direction(tag) })}>
        <Suspense fallback={<Loading />}>
          <Prose markdown={text} />
        </Suspense>
      </div>
    </>
  );
}

function choose(texts: ReadonlyMap<string, string>, language: Language): readonly [string, string] | undefined {
  const all = [...texts];
  return all.find(([tag]) => tag === language) ?? all.find(([tag]) => tag.split('-')[0] === language) ?? all.find(([tag]) => tag === 'en') ?? all[0];
}
