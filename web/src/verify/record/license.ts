/** The license: on what terms a model may be used (schema/README.md, "Kinds"). */

import { utf8Length } from '../bytes';
import type { JsonObject } from '../json';
import { BLOBS_PER_RECORD_MAX, TEXT_BYTES_MAX } from '../limits';
import { isNation } from '../name';
import {
  type Read, below, checkAllKnown, checkKnown, digest, flag, integer, language, list, malformed, name, nation, object,
  optional, otherwise, required, table, text, time, word,
} from '../shape';
import { blobRef, checkInUse, checkPeriod, decimal, isSpdxExpression, line, lineProblem, lines } from '../text';
import type { Facts } from './header';

const nationSet = object({ anyOf: optional(list(text)), noneOf: otherwise(list(text), []) });

const clause = object({
  id: required(name),
  kind: required(word),
  actions: otherwise(list(word), []),
  seats: optional(nationSet),
  places: optional(nationSet),
  parties: otherwise(list(word), []),
  sectors: otherwise(list(line), []),
  purposes: otherwise(list(line), []),
  modalities: otherwise(list(line), []),
  from: optional(time),
  until: optional(time),
  thresholds: otherwise(list(object({ operand: required(line), op: required(word), value: required(decimal) })), []),
  duties: otherwise(list(word), []),
  textRef: optional(
    object({
      sha256: required(digest),
      byteStart: required(integer),
      byteEnd: required(integer),
      quote: required(text),
    }),
  ),
  reading: required(word),
});

const read = object({
  org: required(name),
  name: required(name),
  title: required(lines),
  spdx: optional(line),
  texts: required(list(object({ language: required(language), blob: required(blobRef) }), BLOBS_PER_RECORD_MAX)),
  prevailingLanguage: optional(language),
  policyType: required(word),
  assigner: optional(line),
  assignee: optional(line),
  validFrom: optional(time),
  validUntil: optional(time),
  governingLaw: optional(line),
  disputeForum: optional(line),
  nationGroups: otherwise(table((group) => lineProblem(group) === undefined, list(nation)), new Map()),
  closed: otherwise(flag, false),
  clauses: otherwise(list(clause), []),
});

/** Terms on which models may be used. The texts bind; a clause says how its author reads a passage. */
export type License = Read<typeof read>;

/** One of its clauses. */
export type Clause = License['clauses'][number];

/** Reads and checks the body of license terms; throws `Refused` (`malformed`). */
export function readLicense(predicate: JsonObject): Facts & { body: License } {
  const body = read(predicate, '');
  checkTexts(body);
  if (body.policyType === 'agreement' && (body.assigner === undefined || body.assignee === undefined)) {
    throw malformed('/assignee', 'an agreement names both assigner and assignee');
  }
  checkPeriod('/validUntil', body.validFrom, body.validUntil);
  const ids = new Set<string>();
  body.clauses.forEach((it, index) => {
    checkClause(`/clauses/${index}`, it, body);
    if (ids.has(it.id)) throw malformed(`/clauses/${index}/id`, 'stands twice');
    ids.add(it.id);
  });
  return {
    body,
    subjects: body.texts.map((it) => ({ name: `${body.org}/${body.name} (${it.language})`, sha256: it.blob.sha256 })),
    blobs: body.texts.map((it) => it.blob),
    references: [],
    scope: `${body.org}:${body.name}`,
    checkNew: () => checkNew(body),
  };
}

function checkTexts({ texts, prevailingLanguage }: License): void {
  if (texts.length === 0) throw malformed('/texts', 'is empty; give at least one text');
  const languages = new Set<string>();
  texts.forEach((it, index) => {
    if (languages.has(it.language)) throw malformed(`/texts/${index}/language`, 'stands twice');
    languages.add(it.language);
  });
  if (prevailingLanguage !== undefined && !languages.has(prevailingLanguage)) {
    throw malformed('/prevailingLanguage', 'has no text in that language');
  }
}

function checkClause(at: string, clause: Clause, license: License): void {
  if (clause.kind === 'duty' && clause.duties.length === 0) throw malformed(`${at}/duties`, 'is empty');
  if (['permission', 'prohibition', 'needs-agreement'].includes(clause.kind) && clause.actions.length === 0) {
    throw malformed(`${at}/actions`, 'is empty; say to which actions the clause applies');
  }
  checkSet(`${at}/seats`, clause.seats, license);
  checkSet(`${at}/places`, clause.places, license);
  checkPeriod(`${at}/until`, clause.from, clause.until);
  checkTextRef(`${at}/textRef`, clause.textRef, license);
}

function checkSet(at: string, set: Clause['seats'], license: License): void {
  if (set === undefined) return;
  if (set.anyOf === undefined && set.noneOf.length === 0) throw malformed(at, 'has neither anyOf nor noneOf');
  for (const [member, items] of [['anyOf', set.anyOf ?? []], ['noneOf', set.noneOf]] as const) {
    const stranger = items.findIndex((it) => !license.nationGroups.has(it) && !isNation(it));
    if (stranger >= 0) throw malformed(below(`${at}/${member}`, stranger), 'is neither a nation code nor a group');
  }
}

function checkTextRef(at: string, ref: Clause['textRef'], license: License): void {
  if (ref === undefined) return;
  const blob = license.texts.find((it) => it.blob.sha256 === ref.sha256)?.blob;
  if (blob === undefined) throw malformed(`${at}/sha256`, 'is not one of the texts');
  if (ref.byteStart >= ref.byteEnd || ref.byteEnd > blob.sizeBytes) {
    throw malformed(`${at}/byteEnd`, 'is not after byteStart and within the text');
  }
  const bytes = utf8Length(ref.quote);
  if (bytes > TEXT_BYTES_MAX || bytes !== ref.byteEnd - ref.byteStart) {
    throw malformed(`${at}/quote`, 'is not the bytes from byteStart to byteEnd');
  }
}

/** The nation codes of a set: what is not a group. */
function codesOf(set: Clause['seats'], license: License): readonly string[] {
  return [...(set?.anyOf ?? []), ...(set?.noneOf ?? [])].filter((it) => !license.nationGroups.has(it));
}

const CLAUSE_KINDS = ['permission', 'prohibition', 'duty', 'needs-agreement'];
const ACTIONS = [
  'run', 'finetune', 'distill', 'derive', 'redistribute-weights', 'redistribute-derivative', 'commercial',
  'host-service', 'use-outputs-to-train', 'export',
];
const PARTIES = ['state', 'public-body', 'company', 'research', 'individual', 'end-user'];
const DUTIES = ['attribute', 'notify', 'share-alike', 'naming', 'pass-through-terms', 'report', 'delete-at-end'];
const COMPARISONS = ['eq', 'neq', 'gt', 'gteq', 'lt', 'lteq'];
const READINGS = ['publisher-asserted', 'third-party', 'extracted'];

function checkNew(license: License): void {
  if (license.spdx !== undefined && !isSpdxExpression(license.spdx)) {
    throw malformed('/spdx', 'is not an SPDX license expression, such as MIT OR LicenseRef-Example');
  }
  checkKnown('/policyType', license.policyType, ['offer', 'agreement']);
  license.clauses.forEach((it, index) => {
    const at = `/clauses/${index}`;
    checkKnown(`${at}/kind`, it.kind, CLAUSE_KINDS);
    checkAllKnown(`${at}/actions`, it.actions, ACTIONS);
    checkAllKnown(`${at}/parties`, it.parties, PARTIES);
    checkAllKnown(`${at}/duties`, it.duties, DUTIES);
    checkKnown(`${at}/reading`, it.reading, READINGS);
    it.thresholds.forEach(({ op }, i) => checkKnown(`${at}/thresholds/${i}/op`, op, COMPARISONS));
    checkInUse(`${at}/seats`, codesOf(it.seats, license));
    checkInUse(`${at}/places`, codesOf(it.places, license));
  });
  checkInUse('/nationGroups', [...license.nationGroups.values()].flat());
}
