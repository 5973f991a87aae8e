// SPDX-License-Identifier: Apache-2.0
import type { SourceText } from '../tidy/finding.ts';
import { type CodeSite, codeSites } from './code-sites.ts';
import { type CodeTables, codeTables, type HttpStatus } from './code-tables.ts';
import { markdownTable } from './markdown-table.ts';
import { PLAIN_WORDS } from './plain-words.ts';
import { WRITTEN_BY } from './written-by.ts';

/** What a caller or a reader of receipts meets; everything else is an error of a process. */
const ANSWERS =
  /^(?:libs\/core\/src\/(?:canonical|change|enforcement|inspection)|services\/intake\/src\/(?:api|gateway|http|intents|http-status))[/.]/;
const POISON = /^services\/(?:bundler\/src\/(?:line-maker|sequencer)|enforcer\/src\/partition-worker)\.ts$/;
const OF_PROCESS =
  /^CLY_(?:SERVICE|STREAM_NOT)_|^CLY_(?:TENANT_NOT_OPENED|ENFORCER_BUG|RECEIPT_MISMATCH|CREDENTIALS_INVALID)$/;
const VERIFIER = /^verifiers\//;

const INTRODUCTION = `# Codes

${WRITTEN_BY}

A code is \`CLY_<AREA>_<WHAT>\` and stable: programs switch on it, people read the message. \`…\` stands for a value.
`;

const ANSWERS_TEXT = `
## Answers

Reasons in receipts, problem details of the gateway and the API, and why a record was poison or quarantined. The status
is that of an HTTP answer whose leading code it is (\`services/intake/src/http-status.ts\`).

`;

const ERRORS_TEXT = `
## Errors

What a process reports about itself. Retry says what may follow: \`never\` (repeating it changes nothing), \`backoff\`
(the same again later), \`rejoin\` (after the session was built anew); – where the same failure is passed on, or is only a warning. Several: it depends on
the cause.

`;

const VERIFIER_TEXT = `
## Findings of the verifier

In the report of \`clyra verify\`, with the claim that fails and the place; – where several claims can fail by it.

`;

const STATUS_TEXT = `
## HTTP status

The first prefix that fits counts; a block with several reasons answers with the one that stands first here.

`;

type Section = ReadonlyMap<string, readonly CodeSite[]>;

export function errorsPage(sources: readonly SourceText[]): string {
  const tables = codeTables(sources);
  const all = codeSites(sources);
  const verifier = all.filter(({ path }) => VERIFIER.test(path));
  const answers = all.filter(isAnswer);
  const errors = all.filter((site) => !VERIFIER.test(site.path) && !isAnswer(site));
  return [
    INTRODUCTION,
    ANSWERS_TEXT,
    markdownTable(
      ['code', 'status', 'means', 'next', 'given by'],
      rowsOf(answers, (...row) => answerRow(tables, ...row)),
    ),
    ERRORS_TEXT,
    markdownTable(['code', 'retry', 'says', 'raised in'], rowsOf(errors, errorRow)),
    VERIFIER_TEXT,
    markdownTable(['code', 'claim', 'says', 'found in'], rowsOf(verifier, findingRow)),
    STATUS_TEXT,
    markdownTable(['prefix', 'status', 'title'], [...tables.statuses, tables.otherwise].map(statusRow)),
  ].join('');
}

function isAnswer({ code, path }: CodeSite): boolean {
  return (ANSWERS.test(path) || POISON.test(path)) && !OF_PROCESS.test(code);
}

type Row = (code: string, sites: readonly CodeSite[]) => readonly string[];

function rowsOf(sites: readonly CodeSite[], row: Row): (readonly string[])[] {
  const byCode: Section = Map.groupBy(sites, ({ code }) => code);
  return [...byCode].sort(([left], [right]) => (left < right ? -1 : 1)).map(([code, group]) => row(code, group));
}

function answerRow(tables: CodeTables, code: string, sites: readonly CodeSite[]): readonly string[] {
  const words = tables.wordsOf(code);
  const http = tables.statuses.find(({ prefix }) => code.startsWith(prefix)) ?? tables.otherwise;
  const ownTitle = http === tables.otherwise ? '' : http.title;
  const reachesCaller = sites.some(({ path }) => ANSWERS.test(path));
  const candidates = [words?.isOfFamily === false ? words.means : '', said(sites), words?.means ?? '', ownTitle];
  const means = candidates.find((text) => text !== '') ?? http.title;
  return [`\`${code}\``, reachesCaller ? String(http.status) : '–', means, words?.next ?? '', where(sites)];
}

function errorRow(code: string, sites: readonly CodeSite[]): readonly string[] {
  const retries = distinct(sites.map(({ retry }) => retry ?? ''));
  return [`\`${code}\``, retries.join(', ') || '–', said(sites), where(sites)];
}

function findingRow(code: string, sites: readonly CodeSite[]): readonly string[] {
  const claims = distinct(sites.map(({ claim }) => claim ?? ''));
  return [`\`${code}\``, claims.join(', ') || '–', said(sites), where(sites)];
}

function statusRow({ prefix, status, title }: HttpStatus): readonly string[] {
  return [prefix === '' ? 'any other' : `\`${prefix}\``, String(status), title];
}

const MESSAGES_MAX = 3;

function said(sites: readonly CodeSite[]): string {
  const messages = distinct(sites.map(({ message }) => message ?? ''));
  if (messages.length === 0) return PLAIN_WORDS[sites[0]?.code ?? ''] ?? '';
  return messages.slice(0, MESSAGES_MAX).join(' · ');
}

function where(sites: readonly CodeSite[]): string {
  return distinct(sites.map(({ path }) => path))
    .map((path) => `\`${path}\``)
    .join(', ');
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].filter((text) => text !== '').sort();
}
