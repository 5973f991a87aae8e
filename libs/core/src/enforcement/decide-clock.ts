// SPDX-License-Identifier: Apache-2.0
import type { ClockTicked, WindowClosed } from '../change/change-body.ts';
import type { DecideInput } from './decide-input.ts';
import { accepted, type DecidedPart, type Draft, recorded, refused } from './draft.ts';
import { silentIntakes } from './intake-epochs.ts';
import { overdue } from './open-change.ts';
import { expiryOf } from './state-expiry.ts';
import type { StateOp, StateView } from './state-table.ts';
import { putMeta } from './tenant-meta.ts';

/** Any intake may write a tick; the first with the next number counts. */
export function decideTick({ change, state, meta, nowMs }: DecideInput<ClockTicked>): Draft {
  if (change.number !== meta.tick + 1) return recorded('ignored', []);
  return recorded('ticked', [...overdue(state, nowMs), putMeta({ ...meta, tick: change.number })]);
}

/** Any intake may write a window cut; the first with the next number counts. A cut forgets what has expired. */
export function decideWindow({ change, state, meta, nowMs }: DecideInput<WindowClosed>): Draft {
  if (change.number !== meta.window + 1) return refused('CLY_WINDOW_NUMBER', 'windows');
  const late = overdue(state, nowMs);
  const ops = [...late, ...expired(state, nowMs, new Set(late.map((op) => op.key))), ...silentIntakes(state, nowMs)];
  const draft = accepted([...ops, putMeta({ ...meta, window: change.number })]);
  return { ...draft, part: { ...draft.part, ...emergencies(state, nowMs) } as Draft['part'], cut: true };
}

/** What was done in an emergency and nobody else has reviewed yet: each window says so again. */
function emergencies(state: StateView, nowMs: number): Pick<DecidedPart, 'emergencies'> {
  const open = [...state.entries('emergency')];
  if (open.length === 0) return {};
  const overdueIds = open.filter(([, value]) => (value['review_by'] as number) <= nowMs).map(([key]) => key.slice(10));
  return { emergencies: { open: open.length, overdue: overdueIds.sort().slice(0, OVERDUE_LISTED_MAX) } };
}

const OVERDUE_LISTED_MAX = 64;

/** Keys that can no longer change a decision. What an open change holds, a key or a commit, is never one of them. */
function expired(state: StateView, nowMs: number, touched: ReadonlySet<string>): StateOp[] {
  const ops: StateOp[] = [];
  for (const [key, value] of state.dueBy(nowMs)) {
    const at = expiryOf(value);
    if (at !== undefined && at <= nowMs && !touched.has(key)) ops.push({ op: 'delete', key });
  }
  return ops;
}
