// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../canonical/canonical-json.ts';
import type { JsonObject, JsonValue } from '../canonical/json-value.ts';
import { compareDecimals } from './decimal-order.ts';
import { EFFECTS, type Effect } from './effect.ts';
import type { Policy } from './policy.ts';
import { LISTED_SECTIONS } from './policy-rules.ts';

export type PolicyChange = {
  /** `rate_limits/refunds`, or a section. */
  readonly what: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Whether more is admitted after it, or less; `other` where neither can be said for sure. */
  readonly effect: 'widens' | 'narrows' | 'other';
  readonly members: readonly string[];
};

const SINGLES = ['tenant_fences', 'break_glass', 'body_storage', 'people', 'threat_map', 'lineage', 'guarded'] as const;

const LATER_SECTIONS = ['validators', 'dbt_tests'] as const;

/** What changes from one compiled policy to another, rule by rule, and in which direction. */
export function diffPolicies(before: Policy, after: Policy): PolicyChange[] {
  return [
    ...byId('routes', { before: before.routes, after: after.routes }, { added: 'widens', removed: 'narrows' }),
    ...schemaChanges(before, after),
    ...byId('idempotency', { before: keyed(before), after: keyed(after) }, RESTRICTING),
    ...LISTED_SECTIONS.flatMap((section) =>
      byId(section, { before: before[section], after: after[section] }, RESTRICTING),
    ),
    ...LATER_SECTIONS.flatMap((section) =>
      byId(section, { before: before[section] ?? [], after: after[section] ?? [] }, RESTRICTING),
    ),
    ...SINGLES.flatMap((name) => singleChange(name, before, after)),
  ];
}

/** Rules other than routes only take away. */
const RESTRICTING: Direction = { added: 'narrows', removed: 'widens' };

/** Idempotency rules have no id of their own: each route has at most one. */
function keyed({ idempotency, routes }: Policy): JsonObject[] {
  return idempotency.flatMap(({ routes: named, ...rule }) =>
    (named.includes('*') ? routes.map(({ id }) => id) : named).map((id) => ({ id, ...rule })),
  );
}

type Pair = { readonly before: readonly object[]; readonly after: readonly object[] };
type Direction = { readonly added: PolicyChange['effect']; readonly removed: PolicyChange['effect'] };

function byId(section: string, { before, after }: Pair, direction: Direction): PolicyChange[] {
  const old = new Map((before as readonly JsonObject[]).map((rule) => [rule['id'] as string, rule]));
  const now = new Map((after as readonly JsonObject[]).map((rule) => [rule['id'] as string, rule]));
  const changes: PolicyChange[] = [];
  for (const [id, rule] of now) {
    const was = old.get(id);
    if (was === undefined)
      changes.push({ what: `${section}/${id}`, change: 'added', effect: direction.added, members: [] });
    else changes.push(...changed(`${section}/${id}`, was, rule));
  }
  for (const id of old.keys()) {
    if (!now.has(id))
      changes.push({ what: `${section}/${id}`, change: 'removed', effect: direction.removed, members: [] });
  }
  return changes;
}

function changed(what: string, before: JsonObject, after: JsonObject): PolicyChange[] {
  const members = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => canonicalJson(before[name] ?? null) !== canonicalJson(after[name] ?? null),
  );
  if (members.length === 0) return [];
  const effects = members.map((name) => directionOf(name, before[name] ?? null, after[name] ?? null));
  const [first = 'other'] = effects;
  return [{ what, change: 'changed', effect: effects.every((effect) => effect === first) ? first : 'other', members }];
}

/** Members where more of it admits less. */
const STRICTER_WHEN_MORE = new Set([
  'quorum',
  'grade_min',
  'ttl_seconds',
  'cool_off_seconds',
  'barge_in_window_ms_min',
  'unique_days',
]);
const STRICTER_WHEN_TRUE = new Set(['required', 'mfa', 'segregation', 'disclaimer_required', 'cross_check']);
const WIDER_WHEN_MORE = new Set([
  'max_actions',
  'max',
  'threshold',
  'min_count',
  'actions_per_minute',
  'identical_repeats',
  'ping_pong',
  'max_per_hour',
]);
const EFFECT_MEMBERS = new Set(['effect', 'on_unsafe', 'on_held']);

function directionOf(name: string, before: JsonValue, after: JsonValue): PolicyChange['effect'] {
  if (EFFECT_MEMBERS.has(name)) {
    const rank = (value: JsonValue): number => EFFECTS.indexOf(value as Effect);
    return rank(after) > rank(before) ? 'widens' : 'narrows';
  }
  if (STRICTER_WHEN_TRUE.has(name)) return after === true ? 'narrows' : 'widens';
  if (name === 'mode') return after === 'review' ? 'widens' : after === 'gate' ? 'narrows' : 'other';
  if (name === 'schema') return after === null ? 'widens' : before === null ? 'narrows' : 'other';
  const more = compareNumbers(before, after);
  if (more === undefined) return 'other';
  if (WIDER_WHEN_MORE.has(name)) return more > 0 ? 'widens' : 'narrows';
  return STRICTER_WHEN_MORE.has(name) ? (more > 0 ? 'narrows' : 'widens') : 'other';
}

/** Positive where the second is more; a limit that is not there is the largest. */
function compareNumbers(before: JsonValue, after: JsonValue): number | undefined {
  if (before === null || after === null) return before === null ? -1 : 1;
  if (typeof before === 'number' && typeof after === 'number') return after - before;
  if (typeof before === 'string' && typeof after === 'string') return compareDecimals(after, before);
  return undefined;
}

function schemaChanges(before: Policy, after: Policy): PolicyChange[] {
  const ids = [...new Set([...Object.keys(before.schemas), ...Object.keys(after.schemas)])].sort();
  return ids.flatMap((id): PolicyChange[] => {
    const was = before.schemas[id];
    const is = after.schemas[id];
    if (was !== undefined && is !== undefined && canonicalJson(was) === canonicalJson(is)) return [];
    const change = was === undefined ? 'added' : is === undefined ? 'removed' : 'changed';
    return [{ what: `schemas/${id}`, change, effect: 'other', members: [] }];
  });
}

function singleChange(name: (typeof SINGLES)[number], before: Policy, after: Policy): PolicyChange[] {
  const was = before[name] as unknown as JsonValue;
  const is = after[name] as unknown as JsonValue;
  if (canonicalJson(was) === canonicalJson(is)) return [];
  if (Array.isArray(was) || Array.isArray(is)) return [{ what: name, change: 'changed', effect: 'other', members: [] }];
  return changed(name, was as JsonObject, is as JsonObject);
}
