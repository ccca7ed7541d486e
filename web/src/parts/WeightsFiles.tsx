import type { ReactNode } from 'react';
import { useText } from '../i18n/text';
import type { Weights } from '../verify/record/weights';
import { Digest } from './Digest';
import { visible } from './Foreign';

const FILES_SHOWN = 200;
const RUNS = new Set(['pickle', 'script']);

/** The files of a model and their digests, as `sha256sum` prints them. */
export function WeightsFiles(props: { weights: Weights }): ReactNode {
  const { t, bytes } = useText();
  const { weights } = props;
  return (
    <section className="sheet">
      <h2>{t('weights.title')}</h2>
      <p>{t('weights.sum', { count: weights.files.length, size: bytes(weights.totalBytes) })}</p>
      <div className="scroll" role="group" tabIndex={0} aria-label={t('weights.title')}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t('weights.path')}</th>
              <th scope="col">{t('weights.bytes')}</th>
              <th scope="col">SHA-256</th>
            </tr>
          </thead>
          <tbody>
            {weights.files.slice(0, FILES_SHOWN).map((file) => (
              <tr key={file.path}>
                <th scope="row">
                  <bdi dir="ltr">{visible(file.path)}</bdi>
                  {file.format !== undefined && RUNS.has(file.format) && <strong> {t('weights.runs')}</strong>}
                </th>
                <td>{bytes(file.sizeBytes)}</td>
                <td>
                  <Digest value={file.sha256} short />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {weights.files.length > FILES_SHOWN && <p>{t('weights.more', { count: weights.files.length - FILES_SHOWN })}</p>}
    </section>
  );
}
