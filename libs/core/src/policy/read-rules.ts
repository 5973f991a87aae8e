// SPDX-License-Identifier: Apache-2.0
import type { GuardedSource, IdempotencyRule, RateLimitRule, TenantFences } from './policy.ts';
import type { PolicyCursor } from './policy-cursor.ts';
import type { AmountSource } from './policy-rules.ts';
import { POINTER_RULE, readAmount, readLimits } from './read-amount.ts';
import { ID_RULE, RELATION_RULE } from './read-routes.ts';
import { expand, RULE_MEMBERS, type RuleScope, readRouteIds, readRules } from './rule-scope.ts';

const COUNTED_BY = ['actor', 'tenant', 'route'] as const;
const DAY_SECONDS = 86_400;
const HEADER_RULE = { pattern: /^[a-z0-9][a-z0-9-]{0,63}$/, what: 'a header name in lower case' };
const HEADERS_MAX = 16;

export function readIdempotency(policy: PolicyCursor, scope: RuleScope): IdempotencyRule[] {
  const covered = new Set<string>();
  return policy.items('idempotency').map((rule) => {
    rule.objectOf([...RULE_MEMBERS.slice(1), 'required', 'ttl_seconds', 'ttl', 'mode']);
    const routes = readRouteIds(rule, scope);
    for (const id of expand(routes, scope)) {
      if (covered.has(id)) rule.member('routes').report(`route ${id} has an idempotency rule already`);
      covered.add(id);
    }
    const ttl = rule.pick('ttl_seconds', 'ttl');
    return {
      routes,
      required: rule.flag('required', true),
      ttl_seconds: rule.integer(ttl, { min: 1, max: 30 * DAY_SECONDS, fallback: DAY_SECONDS }),
      mode: rule.oneOf('mode', ['single_use', 'retry_failed'], 'single_use'),
    };
  });
}

const RATE_MEMBERS = ['key', 'window_seconds', 'window', 'max_actions', 'amount', 'max_amount', 'max_amount_cents'];
/** Where the amount stands when a rule only says how many cents are allowed. */
const CENTS: AmountSource = { value: '/amount_cents', currency: '/currency' };

export function readRateLimits(policy: PolicyCursor, scope: RuleScope): RateLimitRule[] {
  const items = policy.items('rate_limits');
  return readRules(scope, {
    name: 'rate_limits',
    items,
    members: RATE_MEMBERS,
    read: (rule, named) => {
      const window = rule.pick('window_seconds', 'window');
      const limits = readLimits(rule, rule.pick('max_amount', 'max_amount_cents'));
      const amount = readAmount(rule, rule.member('max_amount_cents').isAbsent() ? null : CENTS);
      const limited = Object.keys(limits).length > 0;
      if (limited && amount === null) rule.report('amount is missing: write where the amount stands');
      if (!limited && amount !== null) rule.report('max_amount is missing: write how much is allowed');
      const counted = !rule.member('max_actions').isAbsent() || !limited;
      return {
        ...named,
        key: readKey(rule),
        window_seconds: rule.integer(window, { min: 1, max: DAY_SECONDS }),
        max_actions: counted ? rule.integer('max_actions', { min: 1, max: 100_000 }) : null,
        amount,
        max_amount: limits,
      };
    },
  });
}

function readKey(rule: PolicyCursor): RateLimitRule['key'] {
  const key = rule.member('key');
  if (typeof key.value !== 'object' || key.isAbsent()) return rule.oneOf('key', COUNTED_BY, 'actor');
  key.objectOf(['body']);
  return { body: key.text('body', POINTER_RULE) };
}

export function readFences(policy: PolicyCursor): TenantFences {
  const fences = policy.member('tenant_fences');
  if (!fences.isAbsent()) {
    fences.objectOf(['cross_check', 'body_tenant', 'body_actor', 'required_headers', 'privacy']);
  }
  const headers = fences.textsOrNone('required_headers', HEADER_RULE);
  if (headers.length > HEADERS_MAX) fences.member('required_headers').report(`at most ${HEADERS_MAX} headers`);
  return {
    cross_check: fences.flag('cross_check', true),
    body_tenant: fences.textOrNull('body_tenant', POINTER_RULE),
    body_actor: fences.textOrNull('body_actor', POINTER_RULE),
    required_headers: headers,
    privacy: fences.oneOf('privacy', ['plain', 'hash_ids'], 'plain'),
  };
}

export function readGuarded(policy: PolicyCursor): GuardedSource[] {
  const seen = new Set<string>();
  return policy.items('guarded').map((source) => {
    source.objectOf(['source_id', 'relations']);
    const sourceId = source.text('source_id', ID_RULE);
    if (seen.has(sourceId)) source.member('source_id').report('this source stands twice');
    seen.add(sourceId);
    return { source_id: sourceId, relations: source.texts('relations', RELATION_RULE) };
  });
}
