// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSources } from '../tidy/read-sources.ts';
import { type DetectorFigures, detectorsPage, type KnownText } from './detectors-page.ts';
import { errorsPage } from './errors-page.ts';
import { type PolicySchema, policyPage } from './policy-page.ts';
import { threatsPage } from './threats-page.ts';
import { type TopicCatalogue, topicsPage } from './topics-page.ts';

/** The pages of docs/reference that are written from files alone, by name. config.md and cli.md are the command line's. */
export function referencePages(root: string): Readonly<Record<string, string>> {
  const json = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'));
  const measured = (name: string): unknown => json(`test/corpora/detectors/${name}.json`);
  return {
    'detectors.md': detectorsPage(
      measured('figures') as DetectorFigures,
      measured('known-false-positives') as KnownText[],
    ),
    'errors.md': errorsPage(readSources(root)),
    'threats.md': threatsPage(readSources(root)),
    'topics.md': topicsPage(json('schemas/topics.json') as TopicCatalogue),
    'policy.md': policyPage(json('schemas/json/policy.schema.json') as PolicySchema),
  };
}
