// SPDX-License-Identifier: Apache-2.0
import type { StepResult } from './step.ts';

const seconds = (durationMs: number): string => `${(durationMs / 1_000).toFixed(1)} s`;

export function heading(name: string): string {
  return `\n── ${name} ${'─'.repeat(Math.max(3, 70 - name.length))}\n`;
}

/** The table at the end, and as its last line alone `N passed, N failed`, which CI reads. */
export function summary(results: readonly StepResult[]): string {
  const rows = results.map((result) => {
    const counted = result.passed + result.failed > 0 && !(result.passed === 0 && result.ok);
    const counts = counted ? `${result.passed} passed, ${result.failed} failed` : '';
    const skipped = result.skipped > 0 ? `, ${result.skipped} skipped` : '';
    const time = seconds(result.durationMs).padStart(8);
    return `${result.ok ? ' ok ' : 'FAIL'}  ${result.name.padEnd(12)}${time}  ${counts}${skipped}${noteOf(result)}`.trimEnd();
  });
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  return `${heading('summary')}${rows.join('\n')}\n\n${passed} passed, ${failed} failed\n`;
}

function noteOf(result: StepResult): string {
  return result.note === undefined ? '' : `  (${result.note})`;
}
