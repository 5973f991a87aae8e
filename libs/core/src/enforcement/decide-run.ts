// SPDX-License-Identifier: Apache-2.0
import type { RunClosed, RunOpened } from '../change/change-body.ts';
import type { DecideInput } from './decide-input.ts';
import { accepted, type Draft, refused } from './draft.ts';
import { KEY_COUNT_MAX } from './limits.ts';

export function decideRunOpened({ change, state }: DecideInput<RunOpened>): Draft {
  if (state.get(`run/${change.run_id}`) !== undefined) return refused('CLY_RUN_EXISTS', 'runs');
  if (state.count('run') >= (KEY_COUNT_MAX['run'] ?? 0)) return refused('CLY_STATE_FULL', 'state', 'run');
  return { ...accepted([]), run: { runId: change.run_id, step: 'open' } };
}

/** A closed run is a cut: everything up to here can be sealed. */
export function decideRunClosed({ change, state }: DecideInput<RunClosed>): Draft {
  if (state.get(`run/${change.run_id}`) === undefined) return refused('CLY_RUN_UNKNOWN', 'runs');
  return { ...accepted([]), run: { runId: change.run_id, step: 'close' }, cut: true };
}
