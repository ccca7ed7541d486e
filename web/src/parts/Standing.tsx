/** How far checkpoints have come, by the node's word: *signed*, *witnessed k of n*, *mirrored*; and since when. */
import type { ReactNode } from 'react';
import { graphql, type ResultOf } from '../graphql';
import { useText } from '../i18n/text';

export const STANDING = graphql(`
  fragment Standing on Standing {
    state since witnessed mirrored known heartbeat staleSince
  }
`);

export function Standing(props: { standing: ResultOf<typeof STANDING> }): ReactNode {
  const { t, number, date } = useText();
  const { state, since, witnessed, mirrored, known, heartbeat, staleSince } = props.standing;
  const counted = { witnessed: number(witnessed), mirrored: number(mirrored), known: number(known) };
  return (
    <>
      <p>{t(`standing.${state}`, { ...counted, since: since === null ? '—' : date(since) })}</p>
      {heartbeat !== null && <p>{t('nation.heartbeat', { date: date(heartbeat) })}</p>}
      {staleSince !== null && <p className="notice notice-bad">{t('nation.stale', { date: date(staleSince) })}</p>}
    </>
  );
}
