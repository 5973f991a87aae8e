// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';

/** The environment of the bundler's fault test: without it it has the size of the gate. */
export type BundlerSizes = {
  /** CLYRA_FAULTS_BUNDLER_KILLS: how often a lone bundler is killed. */
  readonly killCount: number;
  /** CLYRA_FAULTS_BUNDLER_LINES: lines that two bundlers write side by side, at least. */
  readonly lineCount: number;
};

export function bundlerSizes(): BundlerSizes {
  return {
    killCount: integer('CLYRA_FAULTS_BUNDLER_KILLS', 6),
    lineCount: integer('CLYRA_FAULTS_BUNDLER_LINES', 1_500),
  };
}

function integer(name: string, standard: number): number {
  const value = Number(process.env[name] ?? standard);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name} must be a whole number above 0`);
  return value;
}
