// SPDX-License-Identifier: Apache-2.0
import type { RunClosed, RunOpened } from '../change/change-body.ts';
import type { DecideInput } from './decide-input.ts';
import { accepted, type Draft, refused } from './draft.ts';
import { KEY_COUNT_MAX, RUN_IDLE_MS, RUN_MEMORY_MS } from './limits.ts';
import type { StateView } from './state-table.ts';

export function decideRunOpened({ change, state, nowMs }: DecideInput<RunOpened>): Draft {
  if (state.get(runKey(change.run_id)) !== undefined) return refused('CLY_RUN_EXISTS', 'runs');
  const closed = state.get(closedKey(change.run_id));
  if (closed !== undefined && (closed['expires_at'] as number) > nowMs) return refused('CLY_RUN_CLOSED', 'runs');
  const full = fullNamespace(state);
  if (full !== undefined) return refused('CLY_STATE_FULL', 'state', full);
  return { ...accepted([]), run: { runId: change.run_id, step: 'open', actor: change.actor } };
}

/** A closed run is a cut: everything up to here can be sealed. Its id is remembered, so that it names one run only. */
export function decideRunClosed({ change, state, nowMs }: DecideInput<RunClosed>): Draft {
  const run = state.get(runKey(change.run_id));
  if (run === undefined) return refused('CLY_RUN_UNKNOWN', 'runs');
  const isIdle = nowMs - (run['at'] as number) >= RUN_IDLE_MS;
  if (run['actor'] !== change.actor && !isIdle) return refused('CLY_RUN_ACTOR', 'runs');
  const value = { expires_at: nowMs + RUN_MEMORY_MS };
  return {
    ...accepted([{ op: 'put', key: closedKey(change.run_id), value }]),
    run: { runId: change.run_id, step: 'close' },
    cut: true,
  };
}

/** Asked at opening for both, since a close is never refused for want of room. */
function fullNamespace(state: StateView): string | undefined {
  if (state.count('run') >= (KEY_COUNT_MAX['run'] ?? 0)) return 'run';
  const remembered = state.count('run') + state.count('run_closed');
  return remembered >= (KEY_COUNT_MAX['run_closed'] ?? 0) ? 'run_closed' : undefined;
}

export function runKey(runId: string): string {
  return `run/${runId}`;
}

function closedKey(runId: string): string {
  return `run_closed/${runId}`;
}
