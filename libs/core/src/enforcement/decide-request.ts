// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../canonical/json-value.ts';
import type { ChangeRequested } from '../change/change-body.ts';
import { appliesTo, type Route, routeById } from '../policy/policy.ts';
import { type Lifted, liftHolds } from './approvals/lift-holds.ts';
import type { DecideInput } from './decide-input.ts';
import { type DecidedPart, type Draft, refused } from './draft.ts';
import { EVENT_MEMORY_MS, OUTCOME_DEADLINE_MS } from './limits.ts';
import { openKey } from './open-change.ts';
import type { Finding, Primitive, RequestContext } from './primitive.ts';
import { actorOf } from './primitives/fences.ts';
import { PRIMITIVES } from './primitives.ts';
import type { Decision, Grant } from './receipt-body.ts';
import { fullNamespace, withinRoom } from './state-room.ts';
import type { StateOp } from './state-table.ts';
import { type ReasonDraft, reasonOf } from './threat-map.ts';
import { isSkewed } from './time-skew.ts';
import { trippedBy } from './tripped.ts';

type Input = DecideInput<ChangeRequested>;

const OBSERVERS = PRIMITIVES.filter((primitive) => primitive.observe !== undefined);

/** What is remembered of an event id: enough to answer the same bytes again and to refuse others. */
type KnownEvent = {
  readonly digest: string;
  readonly decision: Decision;
  readonly receipt_id: string;
  readonly expires_at: number;
};

/**
 * One requested change. The order matters: an event seen before is answered as before, whatever the clock says by
 * now; what must not count at all (abandoned, skewed, inspected under another policy) is refused before any primitive.
 */
export function decideRequest(input: Input): Draft {
  const eventKey = `event/${input.change.event_id}`;
  const repeat = repeated(input, eventKey);
  if (repeat !== undefined) return repeat;
  const unheard = notToBeHeard(input);
  if (unheard !== undefined)
    return describe(input, { ...unheard, ops: withinRoom(input.state, [remembered(input, eventKey, 'block')]) });
  const context = contextOf(input);
  const findings = PRIMITIVES.map((primitive) => primitive.evaluate(context));
  const drafts: ReasonDraft[] = [];
  for (let index = 0; index < findings.length; index += 1) {
    const { reasons } = findings[index] as Finding;
    if (reasons.length > 0) drafts.push(...reasons);
  }
  const isBlocked = drafts.some((reason) => reason.effect === 'block');
  const allowing = isBlocked ? undefined : allowingOps(input, context, { eventKey, findings });
  const full = allowing === undefined ? undefined : fullNamespace(input.state, allowing);
  if (full !== undefined) drafts.push({ code: 'CLY_STATE_FULL', effect: 'block', rule: 'state', detail: full });
  if (!runIsKnown(input)) drafts.push({ code: 'CLY_RUN_UNKNOWN', effect: 'block', rule: 'runs' });
  return conclude(input, context, { eventKey, findings, reasons: drafts, allowing });
}

function repeated(input: Input, eventKey: string): Draft | undefined {
  const known = input.state.get(eventKey) as KnownEvent | undefined;
  if (known === undefined || known.expires_at <= input.nowMs) return undefined;
  if (known.digest !== input.changeDigest) return describe(input, refused('CLY_CHANGE_CONFLICT', 'identity'));
  const part: DecidedPart = {
    kind: 'decided',
    decision: known.decision,
    mode: 'gate',
    reasons: [],
    duplicate_of: known.receipt_id,
  };
  return describe(input, { part, ops: [] });
}

function notToBeHeard(input: Input): Draft | undefined {
  const { change, state, meta } = input;
  if (state.count('abandoned') > 0 && state.get(`abandoned/${change.event_id}`) !== undefined) {
    return refused('CLY_CHANGE_ABANDONED', 'identity');
  }
  if (isSkewed(change, input.appendTimeMs)) return refused('CLY_TIME_SKEW', 'time');
  const inspectedUnder = change.facts.inspected_under.policy_digest;
  if (meta.policy === null || inspectedUnder !== meta.policy) return refused('CLY_POLICY_MOVED', 'policy');
  return undefined;
}

function contextOf(input: Input): RequestContext {
  const { facts } = input.change;
  const policy = input.policy as NonNullable<Input['policy']>;
  return {
    change: input.change,
    facts,
    policy,
    route: routeById(policy, facts.route),
    actor: actorOf(facts.actors),
    nowMs: input.nowMs,
    receiptId: input.receiptId,
    state: input.state,
  };
}

function strongest(drafts: readonly ReasonDraft[]): Decision {
  if (drafts.some((reason) => reason.effect === 'block')) return 'block';
  return drafts.some((reason) => reason.effect === 'hold') ? 'hold' : 'allow';
}

type Evaluated = {
  readonly eventKey: string;
  readonly findings: readonly Finding[];
  /** Everything that was found; what approvals find is added. */
  readonly reasons: ReasonDraft[];
  /** What it does to the state if it is allowed without an approval; absent where it cannot be. */
  readonly allowing: readonly StateOp[] | undefined;
};

function conclude(input: Input, context: RequestContext, evaluated: Evaluated): Draft {
  const { eventKey, findings, reasons, allowing } = evaluated;
  const lifted = strongest(reasons) === 'hold' ? liftHolds(context) : undefined;
  if (lifted?.isFull === true)
    reasons.push({ code: 'CLY_STATE_FULL', effect: 'block', rule: 'state', detail: 'pending' });
  const decision = lifted?.isApproved === true ? 'allow' : strongest(reasons);
  const isPlain = decision === 'allow' && lifted === undefined && allowing !== undefined;
  const ops = isPlain ? allowing : opsOf(input, context, { eventKey, findings, decision, lifted });
  const part: Writable<DecidedPart> = {
    kind: 'decided',
    decision,
    mode: context.route?.mode ?? 'gate',
    reasons: reasons.map((reason) => reasonOf(reason, context.policy.threat_map)),
    actor: context.actor,
  };
  for (let index = 0; index < findings.length; index += 1) {
    const { fields } = findings[index] as Finding;
    if (fields !== undefined) Object.assign(part, fields);
  }
  if (lifted !== undefined) Object.assign(part, lifted.fields);
  if (decision === 'allow') {
    const grants = grantsOf(input, context.route);
    if (grants !== undefined) part.grants = grants;
    const lineage = lineageOf(context);
    if (lineage !== undefined) part.lineage = lineage;
  }
  if (lifted?.supersedes !== undefined) part.supersedes = lifted.supersedes;
  const tripped = trippedBy(ops);
  if (tripped !== undefined) part.tripped = tripped;
  return describe(input, { part, ops });
}

type Writable<Part> = { -readonly [Name in keyof Part]: Part[Name] };

type Concluded = {
  readonly eventKey: string;
  readonly findings: readonly Finding[];
  readonly decision: Decision;
  readonly lifted: Lifted | undefined;
};

/** What a decision does to the state, other than to allow without an approval; spending only where it allows. */
function opsOf(input: Input, context: RequestContext, concluded: Concluded): readonly StateOp[] {
  const { eventKey, findings, decision, lifted } = concluded;
  const ops: StateOp[] = findings.flatMap((finding) => finding.always ?? []);
  ops.push(remembered(input, eventKey, decision));
  if (lifted !== undefined && decision !== 'block') ops.push(...lifted.ops);
  if (decision === 'allow') {
    ops.push(...findings.flatMap((finding) => finding.spend ?? []), openChange(input, findings, lifted));
  }
  observe(ops, context, decision);
  return withinRoom(input.state, ops);
}

/** All that a request does to the state if it is allowed, and so what it needs room for; approvals have a room of their own. */
function allowingOps(
  input: Input,
  context: RequestContext,
  { eventKey, findings }: Pick<Evaluated, 'eventKey' | 'findings'>,
): readonly StateOp[] {
  const ops = [remembered(input, eventKey, 'allow')];
  for (const { always, spend } of findings) {
    if (always !== undefined) ops.push(...always);
    if (spend !== undefined) ops.push(...spend);
  }
  ops.push(openChange(input, findings, undefined));
  observe(ops, context, 'allow');
  return ops;
}

/** Adds what follows from the decision. */
function observe(ops: StateOp[], context: RequestContext, decision: Decision): void {
  for (const primitive of OBSERVERS) {
    const more = primitive.observe?.(context, decision);
    if (more !== undefined && more.length > 0) ops.push(...more);
  }
}

function lineageOf({ policy, route }: RequestContext): DecidedPart['lineage'] {
  const rule = policy.lineage.find((candidate) => appliesTo(candidate, route?.id ?? ''));
  return rule === undefined ? undefined : { reads: rule.reads, writes: rule.writes };
}

/** Whatever was decided: a resent copy must not be answered otherwise, since its caller has heard the first answer. */
function remembered(input: Input, key: string, decision: Decision): StateOp {
  const value: KnownEvent = {
    digest: input.changeDigest,
    decision,
    receipt_id: input.receiptId,
    expires_at: input.nowMs + EVENT_MEMORY_MS,
  };
  return { op: 'put', key, value };
}

function openChange(input: Input, findings: readonly Finding[], lifted: Lifted | undefined): StateOp {
  const spent: Record<string, JsonObject> = {};
  for (let index = 0; index < PRIMITIVES.length; index += 1) {
    const entry = findings[index]?.spent;
    if (entry !== undefined) spent[(PRIMITIVES[index] as Primitive).name] = entry;
  }
  if (lifted?.spent !== undefined) spent['approvals'] = lifted.spent;
  const value: JsonObject = {
    intake: input.change.intake,
    state: 'allowed',
    deadline: input.nowMs + OUTCOME_DEADLINE_MS,
    spent,
  };
  return { op: 'put', key: openKey(input.change.event_id), value };
}

function grantsOf(input: Input, route: Route | undefined): readonly Grant[] | undefined {
  if (route?.effects == null) return undefined;
  const { source_id, relations, operations, rows_max, ttl_seconds, members } = route.effects;
  const { facts } = input.change;
  const expires_at = input.nowMs + ttl_seconds * 1_000;
  // Members stand in canonical order, as everything that is written on each request.
  if (members === undefined) {
    const token_hash = facts.execution_token_hash;
    return [{ expires_at, operations, relations, rows_max, source_id, token_hash }];
  }
  return (facts.change_set?.members ?? []).map((member) => ({
    expires_at,
    operations: member.operations,
    relations: member.relations,
    rows_max: member.rows_max,
    source_id: member.source_id,
    token_hash: member.token_hash,
  }));
}

function runIsKnown({ change, state }: Input): boolean {
  return change.run_id === undefined || state.get(`run/${change.run_id}`) !== undefined;
}

/** Adds what every answer to a request says about it, and its place in its run. */
function describe(input: Input, { part, ops }: Draft): Draft {
  const { change } = input;
  const { facts } = change;
  const described: Writable<DecidedPart> = part as DecidedPart;
  described.actor ??= actorOf(facts.actors);
  described.payload_digest = facts.payload_digest;
  described.inspected_under = facts.inspected_under;
  if (facts.route !== null) described.route = facts.route;
  if (change.supersedes !== undefined) described.supersedes = change.supersedes;
  if (change.run_id === undefined || !runIsKnown(input)) return { part, ops };
  return { part, ops, run: { runId: change.run_id, step: 'extend' } };
}
