// SPDX-License-Identifier: Apache-2.0
import { type HistoryGap, type ObservedStatement, placeOf } from './observed-statement.ts';

/**
 * A statement that appears after the horizon has passed it makes an earlier watermark untrue: it is told all the same,
 * and what was claimed too early is said.
 */
export function lateGap(statements: readonly ObservedStatement[], horizonMs: number): readonly HistoryGap[] {
  const late = statements.filter((statement) => statement.late === true);
  if (late.length === 0) return [];
  const fromMs = late.reduce((first, { committedAtMs }) => Math.min(first, committedAtMs), Number.POSITIVE_INFINITY);
  return [{ from: placeOf(fromMs), to: placeOf(horizonMs), reason: 'history_late' }];
}
