// SPDX-License-Identifier: Apache-2.0
import type {
  ChangeOutcome,
  ChangeRequested,
  ClockTicked,
  CommandChange,
  RunClosed,
  RunOpened,
  WindowClosed,
} from '../change/change-body.ts';
import { decideTick, decideWindow } from './decide-clock.ts';
import { decideCommand } from './decide-command.ts';
import type { DecideInput } from './decide-input.ts';
import { decideOutcome } from './decide-outcome.ts';
import { decideRequest } from './decide-request.ts';
import { decideRunClosed, decideRunOpened } from './decide-run.ts';
import { type Draft, recorded, refused } from './draft.ts';
import { intakeOps } from './intake-epochs.ts';
import type { StateOp, StateView } from './state-table.ts';

/**
 * The decision about one record of a tenant: total, synchronous and pure. Everything it depends on is in `input`,
 * and all of that stands in the tenant's prefix of the log.
 */
export function decide(input: DecideInput): Draft {
  if (!input.signatureValid) return unsigned(input);
  const intake = intakeOps(input.state, input.change.intake, input.nowMs);
  if (intake === 'stale') return stale(input);
  if (intake.length === 0) return decideKind(input);
  const state = overlay(input.state, intake);
  const draft = decideKind({ ...input, state });
  return { ...draft, ops: [...intake, ...draft.ops] };
}

function decideKind(input: DecideInput): Draft {
  switch (input.change.kind) {
    case 'change.requested':
      return decideRequest(input as DecideInput<ChangeRequested>);
    case 'change.outcome':
      return decideOutcome(input as DecideInput<ChangeOutcome>);
    case 'run.opened':
      return decideRunOpened(input as DecideInput<RunOpened>);
    case 'run.closed':
      return decideRunClosed(input as DecideInput<RunClosed>);
    case 'window.closed':
      return decideWindow(input as DecideInput<WindowClosed>);
    case 'clock.ticked':
      return decideTick(input as DecideInput<ClockTicked>);
    case 'stream.opened':
      return refused('CLY_STREAM_EXISTS', 'stream');
    default:
      return decideCommand(input as DecideInput<CommandChange>);
  }
}

/** A record that its intake did not sign decides nothing and moves nothing. */
function unsigned({ change }: DecideInput): Draft {
  return isRecordedKind(change.kind) ? recorded('ignored', []) : refused('CLY_CHANGE_SIGNATURE', 'authentication');
}

function stale({ change }: DecideInput): Draft {
  return isRecordedKind(change.kind) ? recorded('ignored', []) : refused('CLY_INTAKE_STALE', 'authentication');
}

/** Outcomes and ticks are answered by an unsigned `recorded` body, whatever becomes of them. */
export function isRecordedKind(kind: string): boolean {
  return kind === 'change.outcome' || kind === 'clock.ticked';
}

/** The state as it will be after `ops`, without touching it. */
function overlay(state: StateView, ops: readonly StateOp[]): StateView {
  const changed = new Map(ops.map((op) => [op.key, op.op === 'put' ? op.value : undefined]));
  return {
    get: (key) => (changed.has(key) ? changed.get(key) : state.get(key)),
    count: (namespace) => state.count(namespace),
    *entries(namespace) {
      for (const [key, value] of state.entries(namespace)) {
        const now = changed.has(key) ? changed.get(key) : value;
        if (now !== undefined) yield [key, now] as const;
      }
    },
    *dueBy(nowMs) {
      for (const [key, value] of state.dueBy(nowMs)) {
        const now = changed.has(key) ? changed.get(key) : value;
        if (now !== undefined) yield [key, now] as const;
      }
    },
  };
}
