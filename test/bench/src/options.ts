// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util';

export type BenchOptions = {
  /** Short blocks and few rounds: to see that it runs, not to measure. */
  readonly quick: boolean;
  /** Only what limits are given for: 500 requests/s and saturation at 1 KB, and decisions. */
  readonly limitsOnly: boolean;
  /** Where the figures go as JSON. */
  readonly jsonFile: string | undefined;
  /** Where the CPU profiles go; without it they are only summed up. */
  readonly profileDir: string | undefined;
  readonly rounds: number;
  readonly blockMs: number;
  readonly warmupMs: number;
  /** Once, before everything else, for each variant: until then the compilers of Node and the JVM are still at work. */
  readonly firstWarmupMs: number;
};

const FULL = { rounds: 5, blockMs: 4_000, warmupMs: 4_000, firstWarmupMs: 60_000 };
const QUICK = { rounds: 2, blockMs: 700, warmupMs: 1_000, firstWarmupMs: 3_000 };

export function benchOptions(argv: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      limits: { type: 'boolean', default: false },
      json: { type: 'string' },
      profiles: { type: 'string' },
      rounds: { type: 'string' },
    },
  });
  const plan = values.quick ? QUICK : FULL;
  const rounds = values.rounds === undefined ? plan.rounds : Math.max(1, Number.parseInt(values.rounds, 10));
  return {
    ...plan,
    rounds,
    quick: values.quick,
    limitsOnly: values.limits,
    jsonFile: values.json,
    profileDir: values.profiles,
  };
}
