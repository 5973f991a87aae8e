// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import type { CommandEnd } from './command.ts';
import { summary } from './summary.ts';
import { type JestFigures, type TierRun, tallyTier } from './tally.ts';

const END: CommandEnd = { why: 'exited', exitCode: 0, stdout: '', durationMs: 1_000 };
const FIGURES: JestFigures = {
  numPassedTests: 12,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  numRuntimeErrorTestSuites: 0,
};

const tally = (end: Partial<CommandEnd>, figures: Partial<JestFigures> | undefined): ReturnType<typeof tallyTier> => {
  const run: TierRun = {
    name: 'unit',
    budgetMs: 20_000,
    end: { ...END, ...end },
    figures: figures === undefined ? undefined : { ...FIGURES, ...figures },
  };
  return tallyTier(run);
};

describe('a tier', () => {
  it('holds when its tests ran and passed', () => {
    expect(tally({}, {})).toEqual({ name: 'unit', ok: true, passed: 12, failed: 0, skipped: 0, durationMs: 1_000 });
  });

  it('fails when no test ran, whatever Jest says', () => {
    expect(tally({ exitCode: 0 }, { numPassedTests: 0 })).toMatchObject({ ok: false, failed: 1, note: 'no test ran' });
    expect(tally({ exitCode: 1 }, undefined)).toMatchObject({ ok: false, failed: 1, note: 'no test ran' });
  });

  it('fails when every test was skipped', () => {
    expect(tally({}, { numPassedTests: 0, numPendingTests: 3 })).toMatchObject({ ok: false, skipped: 3 });
  });

  it('counts a file that cannot be loaded as a failure', () => {
    expect(tally({ exitCode: 1 }, { numRuntimeErrorTestSuites: 2 })).toMatchObject({
      ok: false,
      passed: 12,
      failed: 2,
    });
  });

  it('fails when it hangs after its tests, at its deadline, or with another exit code', () => {
    expect(tally({ why: 'lingered', exitCode: null }, {})).toMatchObject({ ok: false, failed: 1 });
    expect(tally({ why: 'deadline', exitCode: null }, {})).toMatchObject({ ok: false, failed: 1 });
    expect(tally({ exitCode: 3 }, {})).toMatchObject({ ok: false, failed: 1 });
  });

  it('says that it is over its budget, and holds', () => {
    expect(tally({ durationMs: 21_000 }, {})).toMatchObject({ ok: true, note: 'over its budget of 20 s' });
  });
});

describe('the summary', () => {
  it('ends with the sum, alone on its line, as CI reads it', () => {
    const text = summary([tally({}, {}), tally({ exitCode: 1 }, { numFailedTests: 3, numPassedTests: 9 })]);
    expect(text.trimEnd().split('\n').at(-1)).toBe('21 passed, 3 failed');
  });

  it('never says 0 failed when a step failed', () => {
    expect(summary([tally({}, {}), tally({}, undefined)])).toMatch(/^12 passed, 1 failed$/m);
  });
});
