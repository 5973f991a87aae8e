// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '../../canonical/digest.ts';
import type { JsonObject } from '../../canonical/json-value.ts';
import type { DeployFact } from '../../change/change-body.ts';
import { unitsOf } from '../../kernel/decimal.ts';
import { rulesFor } from '../../policy/policy.ts';
import type { DeployRule } from '../../policy/policy-rules.ts';
import { personOf, requesterNames } from '../approvals/person.ts';
import { block, NOTHING, type Primitive, type RequestContext } from '../primitive.ts';
import type { DeployField } from '../receipt-body.ts';
import type { StateOp } from '../state-table.ts';
import type { ReasonDraft } from '../threat-map.ts';
import { bucketOf, type Sums, sumOf, withAmount, withoutAmount } from '../windows/sum-window.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Each deployment counts as one in the hour’s sum. */
const ONE = { currency: '', units: unitsOf('1') };
const REFUSALS: Readonly<Record<string, string>> = {
  in_flight: 'CLY_DEPLOY_IN_FLIGHT',
  unknown: 'CLY_DEPLOY_UNKNOWN',
  done: 'CLY_DEPLOY_REPEATED',
};

type Judged = {
  readonly reasons: readonly ReasonDraft[];
  readonly field?: DeployField;
  readonly spend?: readonly StateOp[];
  readonly spent?: JsonObject;
};

/** Deployments: each commit or artifact once, not too many an hour, not by its own author. */
export const deploy: Primitive = {
  name: 'deploy',
  evaluate(context) {
    const rules = rulesFor(context.policy.deploy, context.route?.id ?? '');
    if (rules.length === 0) return NOTHING;
    const judged = rules.map((rule) => judge(context, rule));
    return {
      reasons: judged.flatMap(({ reasons }) => reasons),
      fields: { deploy: judged.flatMap(({ field }) => (field === undefined ? [] : [field])) },
      spend: judged.flatMap(({ spend }) => spend ?? []),
      spent: { entries: judged.flatMap(({ spent }) => (spent === undefined ? [] : [spent])) },
    };
  },
  settle({ state, spent, settlement, nowMs }) {
    return (spent['entries'] as readonly JsonObject[]).flatMap((entry): StateOp[] => {
      const ops: StateOp[] = [];
      const key = entry['key'] as string | undefined;
      const held = key === undefined ? undefined : state.get(key);
      if (key !== undefined && held !== undefined) {
        const again = settlement === 'returned' || settlement === 'failed';
        const expires = nowMs + (entry['keep_ms'] as number);
        ops.push(
          again
            ? { op: 'delete', key }
            : { op: 'put', key, value: { ...held, state: settlement, expires_at: expires } },
        );
      }
      const rate = entry['rate'] as string | undefined;
      const counted = rate === undefined || settlement !== 'returned' ? undefined : state.get(rate);
      if (rate !== undefined && counted !== undefined) {
        const sums = withoutAmount(counted['sums'] as unknown as Sums, ONE, entry['bucket'] as number);
        ops.push({ op: 'put', key: rate, value: { ...counted, sums } as unknown as JsonObject });
      }
      return ops;
    });
  },
};

function judge(context: RequestContext, rule: DeployRule): Judged {
  const name = `deploy/${rule.id}`;
  const fact = context.facts.deploy?.find((entry) => entry.rule === rule.id);
  if (fact === undefined || fact.commit === null) return { reasons: [block(name, 'CLY_DEPLOY_COMMIT')] };
  const unlisted = rule.environment !== null && fact.environment === null;
  if (unlisted) return { reasons: [block(name, 'CLY_DEPLOY_ENVIRONMENT')] };
  const field: DeployField = {
    rule: rule.id,
    commit_sha: fact.commit,
    artifact: fact.artifact,
    environment: fact.environment,
    author: fact.author,
  };
  const unique = uniqueness(context, rule, fact);
  const rate = hourly(context, rule, fact);
  const reasons = [...unique.reasons, ...rate.reasons, ...segregation(context, rule, fact)];
  return {
    reasons,
    field,
    spend: [...(unique.spend ?? []), ...(rate.spend ?? [])],
    spent: { ...unique.spent, ...rate.spent },
  };
}

function uniqueness({ change, state, nowMs }: RequestContext, rule: DeployRule, fact: DeployFact): Judged {
  if (rule.unique === 'none') return { reasons: [] };
  const name = `deploy/${rule.id}`;
  const what = rule.unique === 'commit' ? fact.commit : fact.artifact;
  if (what === null) return { reasons: [block(name, 'CLY_DEPLOY_ARTIFACT')] };
  const key = `deploy/${rule.id}.${digestOf(`${fact.environment ?? ''}\n${rule.unique}\n${what}`).slice(0, 32)}`;
  const held = state.get(key);
  const open = held?.['state'] === 'in_flight' || held?.['state'] === 'unknown';
  if (held !== undefined && (open || (held['expires_at'] as number) > nowMs)) {
    return {
      reasons: [block(name, REFUSALS[held['state'] as string] ?? 'CLY_DEPLOY_REPEATED', held['event_id'] as string)],
    };
  }
  const keepMs = rule.unique_days * DAY_MS;
  const value: JsonObject = { event_id: change.event_id, state: 'in_flight', expires_at: nowMs + keepMs };
  return { reasons: [], spend: [{ op: 'put', key, value }], spent: { key, keep_ms: keepMs } };
}

function hourly({ state, nowMs }: RequestContext, rule: DeployRule, fact: DeployFact): Judged {
  if (rule.max_per_hour === null) return { reasons: [] };
  const moment = { nowMs, windowMs: HOUR_MS };
  const key = `deploy_rate/${rule.id}.${digestOf(fact.environment ?? '').slice(0, 32)}`;
  const sums = (state.get(key)?.['sums'] ?? []) as unknown as Sums;
  if (sumOf(sums, '', moment) >= unitsOf(String(rule.max_per_hour))) {
    return { reasons: [block(`deploy/${rule.id}`, 'CLY_DEPLOY_RATE')] };
  }
  const value = { sums: withAmount(sums, ONE, moment), expires_at: nowMs + HOUR_MS + HOUR_MS / 60 };
  return {
    reasons: [],
    spend: [{ op: 'put', key, value: value as unknown as JsonObject }],
    spent: { rate: key, bucket: bucketOf(nowMs, HOUR_MS) },
  };
}

function segregation(context: RequestContext, rule: DeployRule, fact: DeployFact): ReasonDraft[] {
  if (!rule.segregation) return [];
  if (fact.author === null) return [block(`deploy/${rule.id}`, 'CLY_DEPLOY_AUTHOR')];
  const author = personOf(context.policy, fact.author);
  const deployers = requesterNames(context).map((name) => personOf(context.policy, name));
  return deployers.includes(author) ? [block(`deploy/${rule.id}`, 'CLY_DEPLOY_SELF')] : [];
}
