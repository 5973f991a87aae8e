// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../canonical/json-value.ts';
import type { ChangeRequested, Facts } from '../change/change-body.ts';
import type { Policy, Route } from '../policy/policy.ts';
import type { Decision, PrimitiveFields } from './receipt-body.ts';
import type { StateOp, StateView } from './state-table.ts';
import type { ReasonDraft } from './threat-map.ts';

/** What a primitive may look at: one request, the policy in force and the state before it. No clock, no randomness. */
export type RequestContext = {
  readonly change: ChangeRequested;
  readonly facts: Facts;
  readonly policy: Policy;
  /** undefined where the policy does not list the route: such a request is blocked whatever else is found. */
  readonly route: Route | undefined;
  readonly actor: string;
  /** Tenant time of this record in milliseconds. */
  readonly nowMs: number;
  readonly receiptId: string;
  readonly state: StateView;
};

export type ReceiptFields = PrimitiveFields;

export type Finding = {
  readonly reasons: readonly ReasonDraft[];
  readonly fields?: ReceiptFields;
  /** Done whatever is decided: what was seen must be remembered. */
  readonly always?: readonly StateOp[];
  /** Done only if the request is allowed. */
  readonly spend?: readonly StateOp[];
  /** Kept with the allowed change, so that what was spent can be returned or settled. */
  readonly spent?: JsonObject;
};

/** How an allowed change ended, as far as its spending is concerned. */
export type Settlement = 'done' | 'failed' | 'returned' | 'unknown';

/**
 * One control. All run on every request, none depends on another's effect, and the strongest effect wins; so a
 * primitive may be added without a look at the others.
 */
export type Primitive = {
  readonly name: string;
  evaluate(context: RequestContext): Finding;
  /** What follows from the decision about the request, whatever it is; it changes nothing about this request. */
  observe?(context: RequestContext, decision: Decision): readonly StateOp[];
  /** What follows for the state when an allowed change ends; `spent` is what evaluate returned. */
  settle?(end: {
    readonly state: StateView;
    readonly spent: JsonObject;
    readonly settlement: Settlement;
    /** Tenant time of the record that settles it, in milliseconds. */
    readonly nowMs: number;
  }): readonly StateOp[];
};

export const NOTHING: Finding = { reasons: [] };

export function block(rule: string, code: string, detail?: string): ReasonDraft {
  return detail === undefined ? { code, effect: 'block', rule } : { code, effect: 'block', rule, detail };
}
