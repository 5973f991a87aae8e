// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../canonical/json-value.ts';
import type { IntakeRef } from '../change/change-body.ts';
import type { Primitive, Settlement } from './primitive.ts';
import { PRIMITIVES } from './primitives.ts';
import type { StateOp, StateView } from './state-table.ts';

/** An allowed change whose end is not known yet, and what it spent, by primitive. */
export type OpenChange = {
  readonly intake: IntakeRef;
  readonly state: 'allowed' | 'unknown';
  readonly deadline: number;
  readonly spent: Readonly<Record<string, JsonObject>>;
};

const SETTLERS: readonly Primitive[] = PRIMITIVES.filter((primitive) => primitive.settle !== undefined);

export function openKey(eventId: string): string {
  return `open/${eventId}`;
}

/** How an open change ended, and when in tenant time (ms). */
export type End = { readonly settlement: Settlement; readonly nowMs: number };

/** The ops that settle an open change with every primitive that spent something on it. */
export function settle(state: StateView, open: OpenChange, end: End): StateOp[] {
  const { settlement, nowMs } = end;
  const ops: StateOp[] = [];
  for (const primitive of SETTLERS) {
    const spent = open.spent[primitive.name];
    const more = spent === undefined ? undefined : primitive.settle?.({ state, spent, settlement, nowMs });
    if (more !== undefined && more.length > 0) ops.push(...more);
  }
  return ops;
}

/** An allowed change becomes unknown: everything stays as spent until somebody who knows resolves it. */
function becomeUnknown(state: StateView, [key, open]: readonly [string, OpenChange], nowMs: number): StateOp[] {
  const value: JsonObject = { ...(open as unknown as JsonObject), state: 'unknown' };
  return [...settle(state, open, { settlement: 'unknown', nowMs }), { op: 'put', key, value }];
}

/** All allowed changes past their outcome deadline, in tenant time. */
export function overdue(state: StateView, nowMs: number): StateOp[] {
  const ops: StateOp[] = [];
  for (const [key, value] of state.entries('open')) {
    const open = value as unknown as OpenChange;
    if (open.state === 'allowed' && open.deadline <= nowMs) ops.push(...becomeUnknown(state, [key, open], nowMs));
  }
  return ops;
}

/** A newer epoch of an intake proves that the older one is gone: what it still held open is unknown. */
export function orphaned(state: StateView, intake: IntakeRef, nowMs: number): StateOp[] {
  const ops: StateOp[] = [];
  for (const [key, value] of state.entries('open')) {
    const open = value as unknown as OpenChange;
    const older = open.intake.instance === intake.instance && open.intake.epoch < intake.epoch;
    if (open.state === 'allowed' && older) ops.push(...becomeUnknown(state, [key, open], nowMs));
  }
  return ops;
}
