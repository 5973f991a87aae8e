// SPDX-License-Identifier: Apache-2.0
import { LEXICONS } from '../sql/lexicon.ts';
import { skipQuiet } from '../sql/scan-text.ts';
import type { DbtManifest } from './read-manifest.ts';
import { nameOf } from './relation-name.ts';

/** Names that a run's SQL writes before a relation's own. */
export type Places = { readonly databases: ReadonlySet<string>; readonly schemas: ReadonlySet<string> };

const PART = /"(?:[^"]|"")*"|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
const IN_WORD = /[\w$\u0080-\uffff]/;
/** PostgreSQL’s keywords for the time, which no search path leads elsewhere. */
export const CLOCK_KEYWORDS = ['current_date', 'current_time', 'current_timestamp', 'localtime', 'localtimestamp'];
const KEYWORDS: ReadonlySet<string> = new Set(CLOCK_KEYWORDS);

export function placesOf({ nodes }: DbtManifest): Places {
  const relations = [...nodes.values()].flatMap(({ relation }) => (relation === undefined ? [] : [relation]));
  return {
    databases: new Set(relations.map(({ database }) => database)),
    schemas: new Set(relations.map(({ schema }) => schema)),
  };
}

/**
 * The text for a database of another name: `database.schema.relation` loses the database, which PostgreSQL takes only
 * for the one that it is in, and the keywords for the time become calls of functions in `clockSchema` that bear their
 * names. Nothing is touched within texts, comments and quoted names.
 */
export function scratchSql(text: string, places: Places, clockSchema: string): string {
  let [made, last] = ['', ''];
  for (let at = 0; at < text.length; ) {
    const isWithin = text[at] !== '"' && IN_WORD.test(text[at - 1] ?? '');
    const part = isWithin ? undefined : partAt(text, at);
    const [replacement, end] =
      part === undefined ? [undefined, quietEnd(text, at)] : replaced(text, { at, part, last, places, clockSchema });
    const piece = text.slice(at, end);
    made += replacement ?? piece;
    if (piece.trim() !== '') last = piece.toLowerCase();
    at = end;
  }
  return made;
}

type Here = {
  readonly at: number;
  readonly part: string;
  /** The piece before it that is no white space. */
  readonly last: string;
  readonly places: Places;
  readonly clockSchema: string;
};

/** What stands for the piece that begins here, if it is to be another, and where the piece ends. */
function replaced(text: string, { at, part, last, places, clockSchema }: Here): readonly [string | undefined, number] {
  const end = at + part.length;
  if (last === '.') return [undefined, end];
  const word = part.toLowerCase();
  // After AS, or after a dot, the word is a name; before a parenthesis it has a precision, and stays.
  if (KEYWORDS.has(word) && last !== 'as' && !/^\s*[(.]/.test(text.slice(end, end + 32))) {
    return [`${clockSchema}."${word}"()`, end];
  }
  const schema = text[end] === '.' && places.databases.has(nameOf(part)) ? partAt(text, end + 1) : undefined;
  const dot = end + 1 + (schema?.length ?? 0);
  if (schema !== undefined && places.schemas.has(nameOf(schema)) && text[dot] === '.' && partAt(text, dot + 1)) {
    return ['', end + 1];
  }
  // E'…' is one piece with its prefix, so that its backslashes are read as what they are.
  return [undefined, word === 'e' && text[end] === "'" ? escapedEnd(text, end) : end];
}

function partAt(text: string, at: number): string | undefined {
  PART.lastIndex = at;
  return PART.exec(text)?.[0];
}

function quietEnd(text: string, at: number): number {
  return Math.min(skipQuiet(text, at, LEXICONS.postgres)?.end ?? at + 1, text.length);
}

function escapedEnd(text: string, at: number): number {
  return Math.min(skipQuiet(text, at, { ...LEXICONS.postgres, backslash: true })?.end ?? at + 1, text.length);
}
