// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '@clyra/core/canonical/digest';
import type { JsonValue } from '@clyra/core/canonical/json-value';
import type { DetectorEngine } from '@clyra/core/detectors/detector-engine';
import { PackShelf } from '@clyra/core/detectors/pack-shelf';
import { scanValue } from '@clyra/core/detectors/scan-value';
import { ClyraError } from '@clyra/core/kernel/error';
import { type Corpus, type CorpusFacts, textDigest } from './corpus.ts';

const FOLDER = join(import.meta.dirname, '../../../packs/detectors');

export type Packs = {
  readonly digest: Digest;
  /** Grade `enforce`: what may raise an approval or block. */
  readonly strict: DetectorEngine;
  /** Grade `shadow`: what only counts. */
  readonly watch: DetectorEngine;
};

/** A text in which a strict pack found something. */
export type Found = {
  readonly corpus: string;
  readonly id: string;
  readonly digest: Digest;
  readonly rules: readonly string[];
};

export type Measured = CorpusFacts & {
  readonly texts: number;
  /** Texts in which a strict pack found something, and in which any pack did. */
  readonly strict: number;
  readonly any: number;
  /** Of harmless texts only. */
  readonly falsePositives: readonly Found[];
};

export function loadPacks(): Packs {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  const documents = names.map(
    (name) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as { name: string; grade: string },
  );
  const shelf = new PackShelf(documents);
  const ofGrade = (grade: string): DetectorEngine => {
    const engine = shelf.engine(documents.filter((document) => document.grade === grade).map(({ name }) => name));
    if (engine === undefined)
      throw new ClyraError('CLY_CORPORA_PACKS', `no pack of grade ${grade}`, { retry: 'never' });
    return engine;
  };
  return { digest: shelf.digest, strict: ofGrade('enforce'), watch: ofGrade('shadow') };
}

export function measureCorpus(corpus: Corpus, packs: Packs): Measured {
  const { texts, ...facts } = corpus;
  let [strict, any] = [0, 0];
  const falsePositives: Found[] = [];
  for (const text of texts) {
    const rules = rulesFound(text.value, packs.strict);
    if (rules.length > 0) strict += 1;
    if (rules.length > 0 || rulesFound(text.value, packs.watch).length > 0) any += 1;
    if (rules.length > 0 && facts.kind === 'harmless') {
      falsePositives.push({ corpus: facts.name, id: text.id, digest: textDigest(text), rules });
    }
  }
  return { ...facts, texts: texts.length, strict, any, falsePositives };
}

/** A scan that a limit ended counts as a finding, as it does in a policy. */
function rulesFound(value: JsonValue, engine: DetectorEngine): readonly string[] {
  const { findings, truncated } = scanValue(value, [{ id: 'all', engine, paths: [] }]);
  const rules = findings.map(({ rule }) => rule).sort();
  return truncated ? [...rules, 'CLY_DETECTOR_TRUNCATED'] : rules;
}
