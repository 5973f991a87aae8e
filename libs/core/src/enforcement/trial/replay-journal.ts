// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '../../canonical/digest.ts';
import type { JsonObject } from '../../canonical/json-value.ts';
import type { ChangeBody, ChangeRequested, Facts } from '../../change/change-body.ts';
import { appliesTo, type Policy } from '../../policy/policy.ts';
import { actorOf } from '../primitives/fences.ts';
import { PolicyTrial } from './policy-trial.ts';

/** One decided record of a journal, in the tenant's order. */
export type ReplayRecord = {
  readonly change: ChangeBody;
  readonly appendTimeMs: number;
  /** As it was recorded; absent for what is only recorded. */
  readonly decision: string | undefined;
  readonly codes: readonly string[];
};

export type ReplayedChange = {
  readonly event_id: string;
  readonly route: string | null;
  readonly was: string;
  readonly now: string;
  readonly was_codes: readonly string[];
  readonly now_codes: readonly string[];
  /** The journal lacks facts that a rule of the new policy asks for, so that its answer is only a guess. */
  readonly uncertain: boolean;
};

export type Replay = {
  readonly requests: number;
  readonly same: number;
  readonly uncertain: number;
  readonly changed: readonly ReplayedChange[];
};

/** Kinds that speak of the policy of then, or of what a trial is already. */
const LEFT_OUT = new Set(['stream.opened', 'tenant.opened', 'policy.activated', 'engine.activated']);
/** Said where inspection has not looked for something: under another policy it was not asked to. */
const UNASKED =
  /^CLY_(?:VELOCITY_KEY_MISSING|AMOUNT_MISSING|SCHEMA_OTHER|(?:SQL|DETECTOR|EXTERNAL)_NOT_CHECKED|VOICE_SESSION|DEPLOY_COMMIT)$/;

/** Decides a recorded history anew under another policy, and lists the requests that would be decided otherwise. */
export function replayJournal(policy: Policy, records: Iterable<ReplayRecord>): Replay {
  let trial: PolicyTrial | undefined;
  const counts = { requests: 0, same: 0, uncertain: 0 };
  const changed: ReplayedChange[] = [];
  for (const record of records) {
    const { change, appendTimeMs, decision } = record;
    if (LEFT_OUT.has(change.kind)) continue;
    trial ??= new PolicyTrial(policy, { name: change.tenant, openedAtMs: appendTimeMs });
    const asked = change.kind === 'change.requested' ? underTrial(trial, change) : change;
    const body = trial.answer({ change: asked, appendTimeMs, isAuthorised: decision === 'allow' });
    if (change.kind !== 'change.requested' || decision === undefined) continue;
    counts.requests += 1;
    const replayed = compared(record, change, body);
    if (replayed.uncertain) counts.uncertain += 1;
    if (replayed.was === replayed.now && !replayed.uncertain) counts.same += 1;
    else changed.push(replayed);
  }
  return { ...counts, changed };
}

function compared({ decision, codes }: ReplayRecord, change: ChangeRequested, body: JsonObject): ReplayedChange {
  const now = (body['reasons'] as readonly { readonly code: string }[]).map(({ code }) => code);
  return {
    event_id: change.event_id,
    route: change.facts.route,
    was: decision ?? '',
    now: body['decision'] as string,
    was_codes: codes,
    now_codes: now,
    uncertain: now.some((code) => UNASKED.test(code) && !codes.includes(code)),
  };
}

/** The same request as if it had been inspected under the trial's policy, as far as its facts allow. */
function underTrial({ policy, policyDigest }: PolicyTrial, change: ChangeRequested): ChangeRequested {
  const { facts } = change;
  const inspected_under = { ...facts.inspected_under, policy_digest: policyDigest };
  return { ...change, facts: { ...facts, inspected_under, velocity: velocityUnder(policy, change) } };
}

/** What is counted by actor, tenant or route is known from the facts; what is counted by a value in the body is not. */
function velocityUnder(policy: Policy, { facts, tenant }: ChangeRequested): Facts['velocity'] {
  const rules = policy.rate_limits.filter((rule) => appliesTo(rule, facts.route ?? ''));
  const derived = rules.flatMap((rule) => {
    const known = facts.velocity.find((entry) => entry.rule === rule.id);
    if (known !== undefined) return [known];
    if (typeof rule.key === 'object') return [];
    const values = { actor: actorOf(facts.actors), tenant, route: facts.route ?? '' };
    return [{ rule: rule.id, key_digest: digestOf(`${tenant}\n${rule.id}\n${rule.key}\n${values[rule.key]}`) }];
  });
  return derived;
}
