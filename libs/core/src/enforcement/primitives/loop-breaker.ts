// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '../../canonical/digest.ts';
import type { JsonObject } from '../../canonical/json-value.ts';
import { rulesFor } from '../../policy/policy.ts';
import type { LoopRule } from '../../policy/policy-rules.ts';
import { NOTHING, type Primitive, type RequestContext } from '../primitive.ts';
import { runScopes, type Scope, scopeOf } from '../run-scopes.ts';
import type { StateOp } from '../state-table.ts';
import type { ReasonDraft } from '../threat-map.ts';
import { type CountBuckets, totalsOf, withEvent } from '../windows/count-window.ts';

/** One request as a loop sees it: what, by whom, under which idempotency key, when. */
type Seen = readonly [intent: string, actor: string, key: string, at: number];

type Watched = { readonly minute: CountBuckets; readonly seen: readonly Seen[]; readonly expires_at: number };

const SEEN_MAX = 64;
const MINUTE_MS = 60_000;

type Outcome = { readonly reasons: readonly ReasonDraft[]; readonly ops: readonly StateOp[] };

/**
 * Breaks loops of agents. Requests are counted whatever is decided, since a loop of refusals is a loop too; after one
 * was found its scope rests for a while.
 */
export const loopBreaker: Primitive = {
  name: 'loop_breaker',
  evaluate(context) {
    const rules = rulesFor(context.policy.loop_breaker, context.route?.id ?? '');
    if (rules.length === 0) return NOTHING;
    const outcomes = rules.flatMap((rule) => [
      ...runScopes(context).map((scope) => watchRun(context, rule, scope)),
      ...(rule.ping_pong === null ? [] : [watchTarget(context, rule, rule.ping_pong)]),
    ]);
    const reasons = new Map(
      outcomes.flatMap((outcome) => outcome.reasons).map((reason) => [`${reason.rule} ${reason.code}`, reason]),
    );
    return { reasons: [...reasons.values()], always: outcomes.flatMap((outcome) => outcome.ops) };
  },
};

function seenNow({ facts, actor, nowMs }: RequestContext): Seen {
  const payload = facts.canonical_digest ?? facts.payload_digest;
  const intent = digestOf(`${facts.method}\n${facts.route ?? ''}\n${facts.target_digest}\n${payload}`).slice(0, 16);
  const key = facts.idempotency?.key_digest.slice(0, 16) ?? '';
  return [intent, digestOf(actor).slice(0, 16), key, nowMs];
}

function watchRun(context: RequestContext, rule: LoopRule, scope: Scope): Outcome {
  const resting = rest(context, rule, scope);
  if (resting !== undefined) return resting;
  const { state, nowMs } = context;
  const key = `loop/${rule.id}.${scope.key}`;
  const watched = state.get(key) as Watched | undefined;
  const minute = withEvent(watched?.minute ?? [], false, { nowMs, windowMs: MINUTE_MS });
  const now = seenNow(context);
  const recent = recentOf(watched, rule, nowMs);
  // The same request under the same key is a retry: it has no second effect, so it is no loop.
  const isRetry =
    now[2] !== '' && recent.some(([intent, , idempotencyKey]) => intent === now[0] && idempotencyKey === now[2]);
  const seen = isRetry ? recent : [...recent, now].slice(-SEEN_MAX);
  const repeats = seen.filter(([intent]) => intent === now[0]).length;
  const fast = rule.actions_per_minute !== null && totalsOf(minute).all > rule.actions_per_minute;
  const same = rule.identical_repeats !== null && repeats >= rule.identical_repeats;
  if (fast || same) return broken(context, rule, { scope, code: fast ? 'CLY_LOOP_ACTIONS' : 'CLY_LOOP_REPEAT' });
  const expires = nowMs + Math.max(MINUTE_MS + 1_000, rule.window_seconds * 1_000);
  const value = { minute, seen: rule.identical_repeats === null ? [] : seen, expires_at: expires };
  return { reasons: [], ops: [{ op: 'put', key, value: value as unknown as JsonObject }] };
}

/** Two actors that answer each other on the same target. */
function watchTarget(context: RequestContext, rule: LoopRule, rounds: number): Outcome {
  const scope = scopeOf(`target:${context.route?.id ?? ''} ${context.facts.target_digest}`);
  const resting = rest(context, rule, scope);
  if (resting !== undefined) return resting;
  const key = `loop/${rule.id}.${scope.key}`;
  const watched = context.state.get(key) as Watched | undefined;
  const seen = [...recentOf(watched, rule, context.nowMs), seenNow(context)].slice(-2 * rounds);
  if (seen.length === 2 * rounds && isPingPong(seen)) {
    return broken(context, rule, { scope, code: 'CLY_LOOP_PING_PONG' });
  }
  const value = { minute: [], seen, expires_at: context.nowMs + rule.window_seconds * 1_000 };
  return { reasons: [], ops: [{ op: 'put', key, value: value as unknown as JsonObject }] };
}

function recentOf(watched: Watched | undefined, rule: LoopRule, nowMs: number): readonly Seen[] {
  return (watched?.seen ?? []).filter(([, , , at]) => at > nowMs - rule.window_seconds * 1_000);
}

function isPingPong(seen: readonly Seen[]): boolean {
  const [first, second] = seen;
  if (first === undefined || second === undefined || first[1] === second[1]) return false;
  return seen.every(([intent, actor], index) => {
    const expected = index % 2 === 0 ? first : second;
    return intent === expected[0] && actor === expected[1];
  });
}

function rest({ state, nowMs }: RequestContext, rule: LoopRule, scope: Scope): Outcome | undefined {
  const cooling = state.get(`cool/${rule.id}.${scope.key}`);
  if (cooling === undefined || (cooling['expires_at'] as number) <= nowMs) return undefined;
  const reason: ReasonDraft = { code: 'CLY_LOOP_COOL_OFF', effect: rule.effect, rule: `loop_breaker/${rule.id}` };
  return { reasons: [reason], ops: [] };
}

type Found = { readonly scope: Scope; readonly code: string };

function broken({ state, nowMs }: RequestContext, rule: LoopRule, { scope, code }: Found): Outcome {
  const key = `${rule.id}.${scope.key}`;
  const forget: StateOp[] = state.get(`loop/${key}`) === undefined ? [] : [{ op: 'delete', key: `loop/${key}` }];
  const value: JsonObject = { why: code, expires_at: nowMs + rule.cool_off_seconds * 1_000 };
  return {
    reasons: [{ code, effect: rule.effect, rule: `loop_breaker/${rule.id}`, detail: scope.label.slice(0, 200) }],
    ops: [...forget, { op: 'put', key: `cool/${key}`, value }],
  };
}
