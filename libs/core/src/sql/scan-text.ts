// SPDX-License-Identifier: Apache-2.0
import type { SqlDialect } from '../change/sql-fact.ts';
import { LEXICONS, type Lexicon } from './lexicon.ts';

export const SQL_BYTES_MAX = 65_536;
export const SQL_TOKENS_MAX = 8_192;
export const SQL_NESTING_MAX = 48;

/** What reading the text token by token tells, independent of any parser. */
export type TextScan = {
  /** Unquoted words in lower case and single signs, in order; quoted names and texts are `"` and `'`. */
  readonly tokens: readonly string[];
  /** Something whose meaning a setting of the server decides, or that is filled in later. */
  readonly opaque: boolean;
  readonly tooLarge: boolean;
};

const WORD = /[A-Za-z_@$\u0080-\uffff][\w@$\u0080-\uffff]*/y;
const NUMBER = /[0-9][\w.]*/y;
const DOLLAR_TAG = /\$(?:[A-Za-z_]\w*)?\$/y;
/** Templates that something fills in after us. */
const TEMPLATE = /\$\{|\{\{|\{%|<%|%\(\w+\)s/;

/** One pass, linear in the text. */
export function scanText(text: string, dialect: SqlDialect): TextScan {
  if (text.length > SQL_BYTES_MAX) return { tokens: [], opaque: false, tooLarge: true };
  const lexicon = LEXICONS[dialect];
  const tokens: string[] = [];
  let [opaque, nesting, deepest] = [/[\0\ufeff\u2028\u2029\u0085]/.test(text) || TEMPLATE.test(text), 0, 0];
  for (let at = 0; at < text.length; ) {
    const skipped = skipQuiet(text, at, lexicon);
    if (skipped !== undefined) {
      opaque ||= skipped.opaque;
      at = skipped.end;
      if (skipped.token !== '') tokens.push(skipped.token);
      continue;
    }
    const word = match(WORD, text, at) ?? match(NUMBER, text, at);
    const token = word ?? (text[at] as string);
    nesting += token === '(' || token === '[' ? 1 : token === ')' || token === ']' ? -1 : 0;
    deepest = Math.max(deepest, nesting, unaryRun(tokens));
    if (token.trim() !== '') tokens.push(token.toLowerCase());
    if (token === '\\' || (token === '|' && dialect === 'mysql' && text[at + 1] === '|')) opaque = true;
    at += token.length;
  }
  return { tokens, opaque, tooLarge: deepest > SQL_NESTING_MAX || tokens.length > SQL_TOKENS_MAX };
}

/** `NOT NOT NOT …` and `- - - …` nest without parentheses. */
function unaryRun(tokens: readonly string[]): number {
  const last = tokens.at(-1);
  if (last === undefined || !['not', '-', '+', '~', '!', 'case', 'if'].includes(last)) return 0;
  let count = 0;
  while (count <= SQL_NESTING_MAX && tokens.at(-1 - count) === last) count += 1;
  return count;
}

type Skipped = { readonly end: number; readonly opaque: boolean; readonly token: string };

/** A comment, a text or a quoted name at this place, or undefined. */
export function skipQuiet(text: string, at: number, lexicon: Lexicon): Skipped | undefined {
  const two = text.slice(at, at + 2);
  if (two === '--')
    return {
      end: lineEnd(text, at),
      opaque: lexicon.dashesNeedBlank === true && !/\s/.test(text[at + 2] ?? ' '),
      token: '',
    };
  if (lexicon.hashComments && text[at] === '#') return { end: lineEnd(text, at), opaque: false, token: '' };
  if (two === '/*') return skipComment(text, at, lexicon);
  const tag = lexicon.dollarQuotes ? match(DOLLAR_TAG, text, at) : undefined;
  if (tag !== undefined) {
    const close = text.indexOf(tag, at + tag.length);
    return { end: close === -1 ? text.length : close + tag.length, opaque: close === -1, token: "'" };
  }
  const close = lexicon.quotes[text[at] as string];
  return close === undefined ? undefined : skipQuoted(text, at, { close, backslash: lexicon.backslash });
}

/** MySQL and MariaDB run what stands in a comment that begins with an exclamation mark. */
function skipComment(text: string, at: number, { nestedComments }: Lexicon): Skipped {
  const runs = text[at + 2] === '!' || text.slice(at + 2, at + 4) === 'M!';
  let depth = 1;
  let end = at + 2;
  while (end < text.length && depth > 0) {
    const two = text.slice(end, end + 2);
    depth += two === '*/' ? -1 : two === '/*' && nestedComments ? 1 : 0;
    end += two === '*/' || (two === '/*' && nestedComments) ? 2 : 1;
  }
  // Servers differ in whether comments nest, so an opening inside a comment may hide or show what follows.
  return { end, opaque: runs || depth > 0 || text.slice(at + 2, end).includes('/*'), token: '' };
}

/** A backslash before the closing quote ends the text in one setting of a server and continues it in another. */
function skipQuoted(text: string, at: number, how: { readonly close: string; readonly backslash: boolean }): Skipped {
  let opaque = false;
  let end = at + 1;
  for (; end < text.length; end += 1) {
    if (text[end] === '\\' && how.close !== ']') {
      opaque ||= text[end + 1] === how.close || text[end + 1] === '\\';
      if (how.backslash) end += 1;
    } else if (text[end] === how.close) {
      if (text[end + 1] !== how.close) break;
      end += 1;
    }
  }
  return { end: end + 1, opaque: opaque || end >= text.length, token: how.close === "'" ? "'" : '"' };
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end + 1;
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

const WRITES = new Set(['update', 'delete', 'merge', 'truncate']);
/** After these the word names a lock, a clause or a column, not a statement. */
const NO_STATEMENT_AFTER = new Set([
  'for',
  'on',
  'do',
  'no',
  'key',
  'then',
  'before',
  'after',
  '.',
  'as',
  ',',
  'or',
  'instead',
  'of',
  'with',
  'using',
  'grant',
]);

/** How often the text seems to begin a write; parsers must have found that many. */
export function writesIn(tokens: readonly string[]): number {
  return tokens.filter((token, index) => {
    if (!WRITES.has(token) || NO_STATEMENT_AFTER.has(tokens[index - 1] ?? '')) return false;
    return !((token === 'truncate' || token === 'merge') && tokens[index + 1] === '(');
  }).length;
}
