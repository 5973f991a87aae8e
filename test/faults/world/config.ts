// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';

/** The environment of the fault tests: without it they have the size of the gate. */
export type FaultSizes = {
  /** CLYRA_FAULTS_SIZE: changes of the loss test. */
  readonly lossCount: number;
  /** CLYRA_FAULTS_REQUESTS: requests of each fail-closed case. */
  readonly failClosedCount: number;
  /** CLYRA_FAULTS_SECONDS: how long the fail-over test sends. */
  readonly failoverSeconds: number;
  /** CLYRA_FAULTS_BODY_MB: megabytes of the body that streams through. */
  readonly bodyMegabytes: number;
  /** CLYRA_FAULTS_DUPLICATES: requests with one key at once. */
  readonly duplicateCount: number;
  /** CLYRA_FAULTS_SEED: of what the proxies drop. */
  readonly seed: number;
  /** CLYRA_FAULTS_KEEP=1 leaves the folder with the logs of every process. */
  readonly keepsFolder: boolean;
};

export function faultSizes(): FaultSizes {
  return {
    lossCount: integer('CLYRA_FAULTS_SIZE', 3_000),
    failClosedCount: integer('CLYRA_FAULTS_REQUESTS', 300),
    failoverSeconds: integer('CLYRA_FAULTS_SECONDS', 30),
    bodyMegabytes: integer('CLYRA_FAULTS_BODY_MB', 20),
    duplicateCount: integer('CLYRA_FAULTS_DUPLICATES', 1_000),
    seed: integer('CLYRA_FAULTS_SEED', Date.now() % 2 ** 31),
    keepsFolder: process.env['CLYRA_FAULTS_KEEP'] === '1',
  };
}

function integer(name: string, standard: number): number {
  const value = Number(process.env[name] ?? standard);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name} must be a whole number above 0`);
  return value;
}
