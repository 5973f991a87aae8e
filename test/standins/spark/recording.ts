// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WireAnswer } from './answer-book.ts';

/** What Spark's server and Delta's log said after all deeds, normalised. */
export type Recording = {
  readonly answers: readonly WireAnswer[];
  /** The lines of each version's file. */
  readonly log: readonly (readonly unknown[])[];
};

const FOLDER = join(import.meta.dirname, 'recorded');
const ANSWERS = join(FOLDER, 'answers.jsonl');
const LOG = join(FOLDER, 'delta-log.jsonl');
const SOURCE = join(FOLDER, 'source.json');

/** Where a recording comes from. */
export type RecordingSource = { readonly engine: string; readonly recordedOn: string };

export async function readSource(): Promise<RecordingSource> {
  return JSON.parse(await readFile(SOURCE, 'utf8')) as RecordingSource;
}

/** As each version names it that wrote it; throws where that is more than one. */
export function engineOf({ log }: Recording): string {
  const infos = log
    .flat()
    .map((line) => (line as { readonly commitInfo?: { readonly engineInfo?: string } }).commitInfo);
  const engines = new Set(infos.flatMap((info) => (info === undefined ? [] : [info.engineInfo])));
  const [engine] = engines;
  if (engines.size !== 1 || engine === undefined) throw new Error(`not one engine wrote the log: ${[...engines]}`);
  return engine;
}

export async function readRecording(): Promise<Recording> {
  const linesOf = async <Line>(path: string): Promise<Line[]> =>
    (await readFile(path, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
  return { answers: await linesOf<WireAnswer>(ANSWERS), log: await linesOf<readonly unknown[]>(LOG) };
}

export async function writeRecording({ answers, log }: Recording, source: RecordingSource): Promise<void> {
  const textOf = (lines: readonly unknown[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  await writeFile(ANSWERS, textOf(answers));
  await writeFile(LOG, textOf(log));
  await writeFile(SOURCE, `${JSON.stringify(source, null, 2)}\n`);
}
