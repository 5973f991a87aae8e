// SPDX-License-Identifier: Apache-2.0
/** What came of one step of the gate. Counts are tests; a check counts none when it holds and one failure when it does not. */
export type StepResult = {
  readonly name: string;
  readonly ok: boolean;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly durationMs: number;
  /** What a reader should do or know, if anything. */
  readonly note?: string;
};

export type Step = {
  readonly name: string;
  /** Steps of one group run together by `--only <group>`. */
  readonly group: string;
  readonly run: () => Promise<StepResult>;
};

export function failedStep(name: string, durationMs: number, note: string): StepResult {
  return { name, ok: false, passed: 0, failed: 1, skipped: 0, durationMs, note };
}
