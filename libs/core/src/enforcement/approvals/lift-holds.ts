// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../../canonical/json-value.ts';
import { HELD_MEMORY_MS, KEY_COUNT_MAX } from '../limits.ts';
import type { RequestContext } from '../primitive.ts';
import type { ApprovalField, EmergencyField } from '../receipt-body.ts';
import type { StateOp, StateView } from '../state-table.ts';
import { bindingOf, type Grant, heldKey, type PendingApproval, payloadHash, pendingKey } from './pending-approval.ts';
import { personOf, requesterNames } from './person.ts';
import { counts, orAnybody, type Requirement, requirementsOf } from './requirement.ts';

/** What approvals do to a request that something holds. */
export type Lifted = {
  readonly isApproved: boolean;
  readonly fields: {
    readonly approval: ApprovalField;
    readonly bec_approval_grade?: number;
    readonly approver_principal?: string;
    readonly emergency?: EmergencyField;
  };
  /** Held: the request is remembered, so that it can be approved. Approved: the approvals are used up. */
  readonly ops: readonly StateOp[];
  readonly spent?: JsonObject;
  readonly supersedes?: string;
  readonly isFull?: boolean;
};

/**
 * A hold is lifted by enough approvals of exactly this request: each counts once, for one person, and never for those
 * who ask for it or carry it out.
 */
export function liftHolds(context: RequestContext): Lifted {
  const bound = boundOf(context);
  const binding = bindingOf(bound);
  const pending = context.state.get(pendingKey(binding)) as PendingApproval | undefined;
  const live = pending !== undefined && pending.expires_at > context.nowMs ? pending : undefined;
  const requirements = orAnybody(requirementsOf(context.policy, bound.route, context.facts));
  const emergency = context.policy.break_glass.allowed
    ? live?.grants.find((grant) => grant.emergency && grant.expires_at > context.nowMs)
    : undefined;
  const usable = live === undefined ? [] : usableGrants(context, live);
  const missing = requirements.find((requirement) => countOf(usable, requirement, context.nowMs) < requirement.quorum);
  if (live !== undefined && (missing === undefined || emergency !== undefined)) {
    return approved(context, live, missing === undefined ? { used: usable } : { used: usable, emergency });
  }
  return held(context, live, { bound, requirement: missing ?? (requirements[0] as Requirement), usable });
}

type Bound = Omit<PendingApproval, 'of' | 'grants' | 'expires_at' | 'parties'>;

function boundOf({ facts, route, actor }: RequestContext): Bound {
  return {
    route: route?.id ?? '',
    method: facts.method,
    target_digest: facts.target_digest,
    payload_hash: payloadHash(facts),
    actor,
    principal: facts.principal,
  };
}

/** The people who have a part in the request, by their stable subjects. */
function partiesOf(context: RequestContext): string[] {
  const authors = (context.facts.deploy ?? []).flatMap(({ author }) => (author === null ? [] : [author]));
  const names = [...requesterNames(context), ...authors];
  return [...new Set(names.map((name) => personOf(context.policy, name)))];
}

/** Judged again under the policy in force now: who is who may have been learned since the approval was given. */
function usableGrants(context: RequestContext, pending: PendingApproval): readonly Grant[] {
  const parties = partiesOf(context);
  const people = new Set<string>();
  return pending.grants.filter((grant) => {
    const person = personOf(context.policy, grant.person);
    if (grant.emergency || parties.includes(person) || people.has(person)) return false;
    people.add(person);
    return true;
  });
}

function countOf(grants: readonly Grant[], requirement: Requirement, nowMs: number): number {
  return grants.filter((grant) => counts(grant, requirement, nowMs)).length;
}

type Use = { readonly used: readonly Grant[]; readonly emergency?: Grant | undefined };

function approved(context: RequestContext, pending: PendingApproval, { used, emergency }: Use): Lifted {
  const { nowMs, state, policy } = context;
  const key = pendingKey(bindingOf(pending));
  const ops: StateOp[] = [{ op: 'delete', key }];
  if (state.get(heldKey(pending.of)) !== undefined) ops.push({ op: 'delete', key: heldKey(pending.of) });
  const grants = emergency === undefined ? used.filter(({ expires_at: until }) => until > nowMs) : [emergency];
  const reviewBy = nowMs + policy.break_glass.review_hours * 3_600_000;
  const approval: ApprovalField = {
    state: 'used',
    of: pending.of,
    ids: grants.map(({ id }) => id),
    approvers: grants.map(({ person }) => person),
  };
  const grade = emergency === undefined ? Math.min(...grants.map((grant) => grant.grade)) : 0;
  const [first] = grants;
  const fields = {
    approval,
    bec_approval_grade: grade,
    ...(first === undefined ? {} : { approver_principal: first.person }),
    ...(emergency === undefined
      ? {}
      : { emergency: { approval_id: emergency.id, ticket: emergency.ticket, review_by: reviewBy } }),
  };
  if (emergency !== undefined) {
    const value: JsonObject = { of: pending.of, by: emergency.person, ticket: emergency.ticket, review_by: reviewBy };
    ops.push({ op: 'put', key: `emergency/${emergency.id}`, value });
  }
  const spent: JsonObject = { key, pending: pending as unknown as JsonObject };
  return { isApproved: true, fields, ops, spent, supersedes: pending.of };
}

type Waiting = { readonly bound: Bound; readonly requirement: Requirement; readonly usable: readonly Grant[] };

function held(context: RequestContext, pending: PendingApproval | undefined, waiting: Waiting): Lifted {
  const { state, nowMs, change } = context;
  const { bound, requirement, usable } = waiting;
  const of = pending?.of ?? change.event_id;
  const expiresAt = pending?.expires_at ?? nowMs + HELD_MEMORY_MS;
  const approval: ApprovalField = {
    state: 'pending',
    of,
    have: countOf(usable, requirement, nowMs),
    need: requirement.quorum,
    grade_min: requirement.grade_min,
    payload_hash: bound.payload_hash,
    expires_at: expiresAt,
  };
  if (pending !== undefined) return { isApproved: false, fields: { approval }, ops: [] };
  if (isFull(state)) return { isApproved: false, isFull: true, fields: { approval }, ops: [] };
  const binding = bindingOf(bound);
  const value: PendingApproval = { ...bound, of, parties: partiesOf(context), grants: [], expires_at: expiresAt };
  return {
    isApproved: false,
    fields: { approval },
    ops: [
      { op: 'put', key: pendingKey(binding), value: value as unknown as JsonObject },
      { op: 'put', key: heldKey(of), value: { binding, expires_at: expiresAt } },
    ],
  };
}

function isFull(state: StateView): boolean {
  return ['pending', 'held', 'emergency'].some((name) => state.count(name) >= (KEY_COUNT_MAX[name] ?? 0));
}

/** A change that was surely not forwarded has not used its approvals up. */
export function returnApproval(state: StateView, spent: JsonObject): StateOp[] {
  const key = spent['key'] as string;
  const pending = spent['pending'] as unknown as PendingApproval;
  if (state.get(key) !== undefined) return [];
  const emergencies = pending.grants.filter(({ emergency }) => emergency);
  return [
    { op: 'put', key, value: spent['pending'] as JsonObject },
    {
      op: 'put',
      key: heldKey(pending.of),
      value: { binding: bindingOf(pending), expires_at: pending.expires_at },
    },
    ...emergencies.map(({ id }): StateOp => ({ op: 'delete', key: `emergency/${id}` })),
  ];
}
