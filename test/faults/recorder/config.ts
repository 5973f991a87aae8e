// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';

/** The environment of the recorder's fault test: without it it has the size of the gate. */
export type RecorderSizes = {
  /** CLYRA_FAULTS_RECORDER_KILLS: how often the recorder is killed under load. */
  readonly killCount: number;
  /** CLYRA_FAULTS_RECORDER_RATE: transactions per second written to the database meanwhile. */
  readonly transactionsPerSecond: number;
};

export function recorderSizes(): RecorderSizes {
  return {
    killCount: integer('CLYRA_FAULTS_RECORDER_KILLS', 5),
    transactionsPerSecond: integer('CLYRA_FAULTS_RECORDER_RATE', 150),
  };
}

/** Where this host has PostgreSQL's client programs, if anywhere. */
export function hostPath(): readonly string[] {
  return (process.env['PATH'] ?? '').split(':').filter((folder) => folder !== '');
}

function integer(name: string, standard: number): number {
  const value = Number(process.env[name] ?? standard);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name} must be a whole number above 0`);
  return value;
}
