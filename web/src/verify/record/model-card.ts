/** The model card: what a model is, by its publisher's word (schema/README.md, "Kinds"). */

import type { JsonObject } from '../json';
import { LIST_ITEMS_MAX } from '../limits';
import { isModelId, isName } from '../name';
import {
  type Read, type Reader, below, checkCount, checkDistinct, checkKnown, digest, flag, integer, language, list,
  malformed, name, nation, object, optional, otherwise, required, word,
} from '../shape';
import type { Subject } from '../statement';
import { blobRef, checkInUse, checkVersion, date, decimal, line, lines, texts, uri } from '../text';
import type { Facts, Header } from './header';

const lineList = list(line);

/** A number of which there cannot be less than none. */
const amount: Reader<string> = (value, at) => {
  const read = decimal(value, at);
  if (read.startsWith('-')) throw malformed(at, 'is negative');
  return read;
};

/** The name of a parent: what looks like a model of Chancery is one, with or without its version. */
const parent: Reader<string> = (value, at) => {
  const read = line(value, at);
  const [model = '', ...version] = read.split('@');
  if (read.startsWith('urn:chancery:') && !(isModelId(model) && version.length <= 1 && version.every(isName))) {
    throw malformed(at, 'is not a model, such as urn:chancery:FR:lab:name@1.0');
  }
  return read;
};

const lineage = object({
  model: required(parent),
  relation: optional(word),
  card: optional(digest),
  weights: optional(digest),
  nation: optional(nation),
});

const architecture = object({
  family: optional(line),
  name: optional(line),
  totalParameters: optional(decimal),
  activeParameters: optional(decimal),
  contextLength: optional(integer),
  experts: optional(integer),
  tokenizer: optional(line),
  vocabularySize: optional(integer),
});

const modalities = object({
  input: otherwise(lineList, []),
  output: otherwise(lineList, []),
  maxInput: optional(line),
  maxOutput: optional(line),
});

const trainingData = object({
  name: required(line),
  uri: optional(uri),
  croissant: optional(digest),
  jurisdictions: optional(list(nation)),
  legalBasis: optional(line),
  collectedFrom: optional(date),
  collectedUntil: optional(date),
  size: optional(line),
  synthetic: optional(flag),
  personalData: optional(flag),
  license: optional(line),
});

const evaluation = object({
  task: optional(line),
  dataset: optional(
    object({ id: required(line), config: optional(line), split: optional(line), revision: optional(line) }),
  ),
  metric: required(line),
  value: required(line),
  confidenceInterval: optional(line),
  slice: optional(line),
  date: optional(date),
  harness: optional(line),
  source: optional(line),
  evaluator: optional(object({ nation: optional(nation), org: required(line) })),
  independence: optional(word),
  attestation: optional(digest),
});

const compute = object({
  facilities: optional(
    list(
      object({
        name: required(line),
        country: optional(nation),
        operator: optional(line),
        ownership: optional(line),
      }),
    ),
  ),
  accelerators: optional(
    list(object({ type: required(line), count: optional(integer), vendorNation: optional(nation) })),
  ),
  trainingFlop: optional(amount),
  method: optional(word),
  gpuHours: optional(amount),
  energyKwh: optional(amount),
  co2Tonnes: optional(amount),
  energySources: optional(lineList),
  startedAt: optional(date),
  endedAt: optional(date),
  source: optional(line),
});

const culturalAlignment = object({
  statement: otherwise(texts, new Map()),
  alignedBy: otherwise(lineList, []),
  methods: otherwise(lineList, []),
  annotators: optional(
    object({
      nations: otherwise(list(nation), []),
      languages: otherwise(list(language), []),
      count: optional(integer),
    }),
  ),
  valueSources: otherwise(lineList, []),
  evaluationSuites: otherwise(lineList, []),
  knownTensions: optional(lineList),
  reviewedBy: optional(lineList),
});

const sectorShape = object({
  sector: required(line),
  suitability: required(word),
  conditions: optional(line),
  evidence: optional(digest),
});

const sector: Reader<Read<typeof sectorShape>> = (value, at) => {
  const read = sectorShape(value, at);
  if (read.suitability === 'conditional' && read.conditions === undefined) {
    throw malformed(below(at, 'conditions'), 'is missing; say on which conditions');
  }
  return read;
};

const read = object({
  org: required(name),
  name: required(name),
  version: required(name),
  displayName: required(lines),
  legalName: optional(line),
  releaseDate: optional(date),
  supersedes: optional(digest),
  newVersion: optional(line),
  weights: otherwise(list(digest), []),
  license: optional(digest),
  declaredLicense: optional(line),
  declaredLicenseLink: optional(uri),
  lineage: optional(list(lineage)),
  architecture: optional(architecture),
  library: optional(line),
  modalities: optional(modalities),
  tasks: otherwise(lineList, []),
  languages: otherwise(list(object({ tag: required(language), support: optional(word) })), []),
  tags: otherwise(lineList, []),
  trainingData: optional(list(trainingData)),
  knowledgeCutoff: optional(date),
  evaluations: optional(list(evaluation)),
  compute: optional(compute),
  culturalAlignment: optional(culturalAlignment),
  sectors: otherwise(list(sector), []),
  limitations: optional(lineList),
  risks: optional(list(object({ name: required(line), mitigation: optional(line) }))),
  intendedUses: optional(lineList),
  prohibitedUses: optional(lineList),
  contacts: otherwise(list(object({ role: optional(line), name: optional(line), uri: required(uri) })), []),
  text: otherwise(texts, new Map()),
  sourceDocument: optional(blobRef),
});

/** What a publisher says of one version of a model. An absent member is not stated; an empty list states none. */
export type ModelCard = Read<typeof read>;

/** Reads and checks the body of a model card; throws `Refused` (`malformed`). */
export function readModelCard(predicate: JsonObject, header: Header): Facts & { body: ModelCard } {
  const body = read(predicate, '');
  const urn = `urn:chancery:${header.nation}:${body.org}:${body.name}@${body.version}`;
  checkVersion('/version', body.version);
  const blobs = body.sourceDocument === undefined ? [] : [body.sourceDocument];
  const subjects: readonly Subject[] = [
    ...body.weights.map((sha256) => ({ name: urn, sha256 })),
    ...blobs.map(({ sha256 }) => ({ name: 'README.md', sha256 })),
  ];
  checkCount('/weights', subjects.length, LIST_ITEMS_MAX);
  if (subjects.length === 0) throw malformed('/weights', 'is empty; name the weights record or the source document');
  checkDistinct('/weights', body.weights);
  const self = (body.lineage ?? []).findIndex(({ model }) => model === urn);
  if (self >= 0) throw malformed(`/lineage/${self}/model`, 'is this very version');
  return {
    body,
    subjects,
    blobs,
    references: [
      ...body.weights.map((weights) => ['weights', weights] as const),
      ...(body.license === undefined ? [] : [['license', body.license] as const]),
    ],
    scope: `${body.org}:${body.name}`,
    checkNew: () => {
      checkWords(body);
      checkNations(body);
    },
  };
}

const RELATIONS = ['finetune', 'adapter', 'merge', 'quantized', 'distilled', 'other'];
const SUPPORTS = ['primary', 'evaluated', 'incidental'];
const INDEPENDENCES = ['self', 'partner', 'third-party'];
const SUITABILITIES = ['suitable', 'conditional', 'unsuitable', 'prohibited', 'not-assessed'];
const METHODS = ['measured', 'estimated'];

function checkWords(card: ModelCard): void {
  card.lineage?.forEach((it, i) => checkKnown(`/lineage/${i}/relation`, it.relation, RELATIONS));
  card.languages.forEach((it, i) => checkKnown(`/languages/${i}/support`, it.support, SUPPORTS));
  card.evaluations?.forEach((it, i) => checkKnown(`/evaluations/${i}/independence`, it.independence, INDEPENDENCES));
  card.sectors.forEach((it, i) => checkKnown(`/sectors/${i}/suitability`, it.suitability, SUITABILITIES));
  checkKnown('/compute/method', card.compute?.method, METHODS);
}

/** Every nation is one of today. */
function checkNations({ lineage, trainingData, evaluations, compute, culturalAlignment }: ModelCard): void {
  const inUse = (at: string, nation: string | undefined): void => checkInUse(at, nation === undefined ? [] : [nation]);
  lineage?.forEach((it, i) => inUse(`/lineage/${i}/nation`, it.nation));
  trainingData?.forEach((it, i) => checkInUse(`/trainingData/${i}/jurisdictions`, it.jurisdictions ?? []));
  evaluations?.forEach((it, i) => inUse(`/evaluations/${i}/evaluator/nation`, it.evaluator?.nation));
  compute?.facilities?.forEach((it, i) => inUse(`/compute/facilities/${i}/country`, it.country));
  compute?.accelerators?.forEach((it, i) => inUse(`/compute/accelerators/${i}/vendorNation`, it.vendorNation));
  checkInUse('/culturalAlignment/annotators/nations', culturalAlignment?.annotators?.nations ?? []);
}
