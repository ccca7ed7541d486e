/**
 * Names: of nations, of logs, of organisations and their models (schema/README.md, "Small forms").
 *
 * Each has exactly one text. Here are only predicates: text that meets one is used as it is.
 */

import { NAME_CHARS_MAX, ORIGIN_BYTES_MAX } from './limits';

/** ISO 3166-1 alpha-2 codes in use, and EU and UN, which that standard reserves for the two unions. */
const IN_USE = new Set(
  ('AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ ' +
    'CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET EU FI FJ FK FM ' +
    'FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT ' +
    'JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN ' +
    'MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT ' +
    'PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL ' +
    'TM TN TO TR TT TV TW TZ UA UG UM UN US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW').split(' '),
);

/** Two capital letters: the code that a log claims to speak for. */
export function isNation(text: string): boolean {
  return /^[A-Z]{2}$/.test(text);
}

/** Whether a code is in use today, or XA to XZ without XK. Only a new record is asked this. */
export function isNationInUse(text: string): boolean {
  return IN_USE.has(text) || /^X[A-JL-Z]$/.test(text);
}

/** The name of an organisation, a model, a version, terms or a clause. */
export function isName(text: string): boolean {
  return /^[a-z0-9][a-z0-9._-]{0,63}$/.test(text);
}

/** The name of a log, a witness or a mirror: a URL without scheme in lower case. */
export function isOrigin(text: string): boolean {
  const parts = text.split('/');
  return (
    text.length <= ORIGIN_BYTES_MAX &&
    /^[a-z0-9]/.test(text) &&
    parts.every((part) => /^[a-z0-9._-]+$/.test(part) && part !== '.' && part !== '..')
  );
}

/** A language tag in the shape of BCP 47, in one case: a script like `Hant`, a region like `BR`, all else small. */
export function isLanguage(text: string): boolean {
  const [primary = '', ...rest] = text.split('-');
  return text.length <= NAME_CHARS_MAX && /^[a-z]{2,8}$/.test(primary) && rest.every(isSubtag);
}

/** The identity of a model: `urn:chancery:<nation>:<org>:<name>`. */
export function isModelId(text: string): boolean {
  const [urn, chancery, nation = '', org = '', name = '', ...more] = text.split(':');
  return (
    urn === 'urn' && chancery === 'chancery' && more.length === 0 && isNation(nation) && isName(org) && isName(name)
  );
}

function isSubtag(part: string): boolean {
  if (part.length === 2) return /^[A-Z0-9]{2}$/.test(part);
  if (/^[A-Za-z]{4}$/.test(part)) return /^[A-Z][a-z]{3}$/.test(part);
  return /^[a-z0-9]{1,8}$/.test(part);
}
