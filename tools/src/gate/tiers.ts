// SPDX-License-Identifier: Apache-2.0
/** One tier of tests: the suffix of its files, and how Jest runs it. */
export type Tier = {
  readonly name: string;
  /** What the tier should take on a quiet two-core machine; said when missed, never a failure. */
  readonly budgetMs: number;
  /** When this has passed the tier is stopped and has failed. */
  readonly deadlineMs: number;
  /** Deadline of one test, unless it states its own. */
  readonly testTimeoutMs: number;
  /** Serial tiers start brokers and databases: side by side they would measure each other. */
  readonly serial: boolean;
  /** Only test files below this path. */
  readonly only?: string | undefined;
};

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const inProcess = { testTimeoutMs: 30 * SECOND, deadlineMs: 5 * MINUTE, serial: false };
const withStack = { testTimeoutMs: 3 * MINUTE, serial: true };

/** In the order in which they run: the fastest answer first. */
export const TIERS: readonly Tier[] = [
  { name: 'unit', budgetMs: 20 * SECOND, ...inProcess },
  { name: 'prop', budgetMs: 40 * SECOND, ...inProcess },
  { name: 'vector', budgetMs: 20 * SECOND, ...inProcess },
  { name: 'replay', budgetMs: 20 * SECOND, ...inProcess },
  { name: 'sim', budgetMs: 60 * SECOND, ...inProcess, testTimeoutMs: 2 * MINUTE },
  { name: 'int', budgetMs: 3 * MINUTE, deadlineMs: 12 * MINUTE, ...withStack },
  { name: 'e2e', budgetMs: 10 * MINUTE, deadlineMs: 25 * MINUTE, ...withStack },
  { name: 'faults', budgetMs: 10 * MINUTE, deadlineMs: 25 * MINUTE, ...withStack },
];
