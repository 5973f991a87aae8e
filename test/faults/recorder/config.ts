// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';

/** The environment of the recorder's fault test: without it it has the size of the gate. */
export type RecorderSizes = {
  /** CLYRA_FAULTS_RECORDER_KILLS: how often the recorder is killed under load. */
  readonly killCount: number;
  /** CLYRA_FAULTS_RECORDER_RATE: changes per second sent through the gateway meanwhile, at most. */
  readonly changesPerSecond: number;
  /** CLYRA_FAULTS_RECORDER_CHANGES: how many of them. */
  readonly changeCount: number;
  /** CLYRA_FAULTS_POSTGRES_KILLS: how often PostgreSQL is killed. */
  readonly postgresKillCount: number;
};

export function recorderSizes(): RecorderSizes {
  return {
    killCount: integer('CLYRA_FAULTS_RECORDER_KILLS', 4),
    changesPerSecond: integer('CLYRA_FAULTS_RECORDER_RATE', 100),
    changeCount: integer('CLYRA_FAULTS_RECORDER_CHANGES', 2_500),
    postgresKillCount: integer('CLYRA_FAULTS_POSTGRES_KILLS', 1),
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
