/** Records: the kinds of statement that nations sign (schema/README.md, "Kinds"; schema/src/record). */

import { Refused } from './refused';
import { type Accreditation, readAccreditation } from './record/accreditation';
import { type Charter, readCharter } from './record/charter';
import { type Delegation, readDelegation } from './record/delegation';
import { type Endpoint, readEndpoint } from './record/endpoint';
import { type ErasureReceipt, readErasureReceipt } from './record/erasure-receipt';
import { type Evidence, readEvidence } from './record/evidence';
import { type Facts, type Header, type Kind, isKind, readHeader } from './record/header';
import { type License, readLicense } from './record/license';
import { type LogSuccession, readLogSuccession } from './record/log-succession';
import { type ModelCard, readModelCard } from './record/model-card';
import { type Redaction, readRedaction } from './record/redaction';
import { type Revocation, readRevocation } from './record/revocation';
import { type Weights, readWeights } from './record/weights';
import { type Withdrawal, readWithdrawal } from './record/withdrawal';
import { type Statement, VERSION } from './statement';
import { checkInUse } from './text';

/** The body of a record, by its kind. */
export type Body =
  | { readonly kind: 'charter'; readonly body: Charter }
  | { readonly kind: 'delegation'; readonly body: Delegation }
  | { readonly kind: 'revocation'; readonly body: Revocation }
  | { readonly kind: 'endpoint'; readonly body: Endpoint }
  | { readonly kind: 'accreditation'; readonly body: Accreditation }
  | { readonly kind: 'evidence'; readonly body: Evidence }
  | { readonly kind: 'model-card'; readonly body: ModelCard }
  | { readonly kind: 'weights'; readonly body: Weights }
  | { readonly kind: 'license'; readonly body: License }
  | { readonly kind: 'withdrawal'; readonly body: Withdrawal }
  | { readonly kind: 'redaction'; readonly body: Redaction }
  | { readonly kind: 'erasure-receipt'; readonly body: ErasureReceipt }
  | { readonly kind: 'log-succession'; readonly body: LogSuccession };

/** A record that is well formed, with its header. Whether it counts is for admission.ts. */
export type RecordRead = Facts & Body & { readonly header: Header };

/**
 * Reads header and body of a statement and checks that its parts agree; throws `Refused` (`kind-unknown`,
 * `malformed` with a pointer within the predicate, `subjects`). Keys in it are opened, hence the promise.
 */
export async function readRecord(statement: Statement): Promise<RecordRead> {
  const { kind, version, predicate } = statement;
  if (!isKind(kind) || version !== VERSION) {
    throw new Refused('kind-unknown', `records of kind \`${kind}:v${version}\` are unknown to this version`);
  }
  const header = readHeader(predicate, '');
  const record = { ...(await readBody(kind, statement, header)), header };
  const same =
    record.subjects.length === statement.subjects.length &&
    record.subjects.every((subject, index) => {
      const said = statement.subjects[index];
      return said?.name === subject.name && said.sha256 === subject.sha256;
    });
  if (!same) throw new Refused('subjects', 'the subjects of the statement are not those of its predicate');
  return record;
}

/**
 * Asks of a record what is asked of a new one: that it uses words, codes and letters that are known today.
 * Throws `Refused` (`malformed`). Mirrors and readers do not ask it, so that all judge alike for ever.
 */
export function checkNewRecord(record: RecordRead): void {
  checkInUse('/nation', [record.header.nation]);
  checkInUse('/audience', record.header.audience ?? []);
  record.checkNew();
}

async function readBody(kind: Kind, { predicate }: Statement, header: Header): Promise<Facts & Body> {
  switch (kind) {
    case 'charter':
      return { kind, ...(await readCharter(predicate, header)) };
    case 'delegation':
      return { kind, ...(await readDelegation(predicate, header)) };
    case 'revocation':
      return { kind, ...readRevocation(predicate) };
    case 'endpoint':
      return { kind, ...(await readEndpoint(predicate, header)) };
    case 'accreditation':
      return { kind, ...readAccreditation(predicate, header) };
    case 'evidence':
      return { kind, ...(await readEvidence(predicate)) };
    case 'model-card':
      return { kind, ...readModelCard(predicate, header) };
    case 'weights':
      return { kind, ...readWeights(predicate, header) };
    case 'license':
      return { kind, ...readLicense(predicate) };
    case 'withdrawal':
      return { kind, ...readWithdrawal(predicate) };
    case 'redaction':
      return { kind, ...readRedaction(predicate) };
    case 'erasure-receipt':
      return { kind, ...readErasureReceipt(predicate) };
    case 'log-succession':
      return { kind, ...(await readLogSuccession(predicate, header)) };
  }
}
