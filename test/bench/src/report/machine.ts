// SPDX-License-Identifier: Apache-2.0
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import process from 'node:process';

export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly node: string;
  /** Others' load is part of every figure; above a fraction of the cores the figures say little. */
  readonly loadBefore: number;
};

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    loadBefore: loadavg()[0] ?? Number.NaN,
  };
}

export function machineLine({ cpu, cores, memoryGb, node, loadBefore }: Machine): string {
  const busy = loadBefore > cores / 2 ? ' (others are busy on it: expect figures that are too high)' : '';
  return `${cores} × ${cpu}, ${memoryGb} GB, Node ${node}, load before ${loadBefore.toFixed(2)}${busy}`;
}
