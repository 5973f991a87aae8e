// SPDX-License-Identifier: Apache-2.0
import type { IntakeRef } from '../change/change-body.ts';
import { INTAKE_MEMORY_MS, INTAKE_SEEN_STEP_MS, KEY_COUNT_MAX } from './limits.ts';
import { type OpenChange, orphaned } from './open-change.ts';
import type { StateOp, StateView } from './state-table.ts';

/**
 * Which epoch of each intake instance is the newest. The first record of a newer one is remembered, and what the older
 * one held becomes unknown. `stale`: an older epoch, or one instance more than a tenant may have.
 */
export function intakeOps(state: StateView, intake: IntakeRef, nowMs: number): readonly StateOp[] | 'stale' {
  const key = `intake/${intake.instance}`;
  const known = state.get(key);
  if (known === undefined && state.count('intake') >= (KEY_COUNT_MAX['intake'] ?? 0)) return 'stale';
  const epoch = known?.['epoch'] as number | undefined;
  if (epoch !== undefined && epoch > intake.epoch) return 'stale';
  const isSeen = epoch === intake.epoch && nowMs - (known?.['seen_at'] as number) < INTAKE_SEEN_STEP_MS;
  if (isSeen) return [];
  const remembered: StateOp = { op: 'put', key, value: { epoch: intake.epoch, seen_at: nowMs } };
  // An instance that is not remembered holds nothing open (silentIntakes), so there is nothing to look for.
  if (epoch === undefined || epoch === intake.epoch) return [remembered];
  return [remembered, ...orphaned(state, intake, nowMs)];
}

/**
 * Instances that can be forgotten: silent for a day, and no change that they hold is open. Their epochs then matter to
 * nothing: an outcome counts only for an open change, and a newer epoch is compared again from its first record on.
 */
export function silentIntakes(state: StateView, nowMs: number): StateOp[] {
  const silent: string[] = [];
  for (const [key, value] of state.entries('intake')) {
    if (nowMs - (value['seen_at'] as number) >= INTAKE_MEMORY_MS) silent.push(key);
  }
  if (silent.length === 0) return [];
  const holders = new Set<string>();
  for (const [, open] of state.entries('open')) {
    holders.add(`intake/${(open as unknown as OpenChange).intake.instance}`);
  }
  return silent.filter((key) => !holders.has(key)).map((key) => ({ op: 'delete', key }));
}
