// SPDX-License-Identifier: Apache-2.0
import type { Mode } from '../policy/policy.ts';
import type { DecidedBody, Decision, Reason, RecordedBody } from './receipt-body.ts';
import type { StateOp } from './state-table.ts';
import { type ReasonDraft, reasonOf } from './threat-map.ts';

/** The parts of a decided body that a decision makes; the rest follows from the record's place. */
export type DecidedPart = Omit<Partial<DecidedBody>, 'kind'> & {
  readonly kind: 'decided';
  readonly decision: Decision;
  readonly mode: Mode;
  readonly reasons: readonly Reason[];
};

export type RecordedPart = Pick<RecordedBody, 'kind' | 'effect' | 'of' | 'tripped'>;

/** What follows for the run's chain: nothing, one more body, its first body, or its last. */
export type RunStep =
  | { readonly runId: string; readonly step: 'open'; readonly actor: string }
  | { readonly runId: string; readonly step: 'extend' | 'close' };

export type Draft = {
  readonly part: DecidedPart | RecordedPart;
  readonly ops: readonly StateOp[];
  readonly run?: RunStep;
  /** A cut carries the digest of the state after it. */
  readonly cut?: boolean;
};

export function refused(code: string, rule: string, detail?: string): Draft {
  const reason: ReasonDraft = { code, rule, effect: 'block', ...(detail === undefined ? {} : { detail }) };
  return { part: { kind: 'decided', decision: 'block', mode: 'gate', reasons: [reasonOf(reason)] }, ops: [] };
}

export function accepted(ops: readonly StateOp[]): Draft {
  return { part: { kind: 'decided', decision: 'allow', mode: 'gate', reasons: [] }, ops };
}

export function recorded(effect: RecordedBody['effect'], ops: readonly StateOp[], of?: string): Draft {
  return { part: of === undefined ? { kind: 'recorded', effect } : { kind: 'recorded', effect, of }, ops };
}
