// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Failure } from '../report/claim.ts';
import type { Edits } from './log-builder.ts';
import { hexOf, type Loose } from './primitives.ts';
import { type RunOptions, runVerifier } from './run-verifier.ts';
import { buildPair, buildStandard, type Pair } from './standard-bundle.ts';

/** A bundle bent in one way, and the code that must come of it. */
export interface Case {
  readonly code: string;
  readonly claim: string;
  readonly exit: number;
  readonly edits?: Edits;
  /** The case is about the second of two bundles. */
  readonly second?: boolean;
  readonly run?: RunOptions | ((pair: Pair) => RunOptions);
  /** Members that the location must have. */
  readonly at?: Loose;
}

export const OTHER: string = hexOf('other');

/** What a case came to: what failed, and with which exit code. */
export async function runCase(one: Case): Promise<{ failures: readonly Partial<Failure>[]; exit: number }> {
  const options = one.edits === undefined ? {} : { edits: one.edits };
  const isSecond = one.second === true;
  const pair = buildPair(isSecond ? options : {});
  const bundle = isSecond ? pair.second : buildStandard(options);
  const run = typeof one.run === 'function' ? one.run(isSecond ? pair : { ...pair, first: bundle }) : one.run;
  const report = await runVerifier(bundle, run ?? {});
  const claims = report.claims.map((claim) => ({ ...claim, claim: claim.id, code: claim.code ?? '' }));
  return { failures: [...report.failures, ...claims], exit: report.exitCode };
}

/** Bends the value at one index. */
export function at(index: number, bend: (value: Loose) => void): (value: Loose, where: number) => void {
  return (value, where) => {
    if (where === index) {
      bend(value);
    }
  };
}

/** Writes a file of the bundle anew after all was sealed. */
export function inFile(name: string, content: string): RunOptions {
  return { bend: (folder) => writeFileSync(join(folder, name), content) };
}

/** Bends the text of a line before the tree is built. */
export function raw(index: number, bend: (line: string) => string): Edits {
  return {
    rawLines: (lines) => {
      lines[index] = bend(lines[index] as string);
    },
  };
}

export function withKey(subject: string, bend: (key: Loose) => void): Edits {
  return { trustRoot: (root) => bend(root.keys.find((key: Loose) => key.subject === subject)) };
}

export function removeAt(list: Loose[], index: number): void {
  list.splice(index, 1);
}

/** The file of the second bundle's artifact of a kind. */
export function artifactOf(pair: Pair, kind: string): string {
  return `artifacts/${pair.second.manifest.artifacts.find((artifact: Loose) => artifact.kind === kind).sha256}`;
}
