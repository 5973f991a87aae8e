// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import type { Operation } from '../change/operation.ts';
import type { AdapterKind, BatchRule } from './adapters.ts';
import type { BodyRule, DbtTestsRule, ResponseRule, ValidatorRule } from './body-rules.ts';
import type * as rules from './policy-rules.ts';

export type { Operation } from '../change/operation.ts';
export type { ApprovalRule, IdempotencyRule, RateLimitRule, TenantFences } from './policy-rules.ts';

/**
 * A compiled policy: every default made explicit, ready to be written as canonical JSON. Its digest is in every
 * receipt. `docs/reference/policy.md` says what each section means.
 */
export type Policy = {
  readonly format: 'clyra/policy/v0';
  readonly name: string;
  readonly routes: readonly Route[];
  /** JSON Schema 2020-12 documents by id. */
  readonly schemas: Readonly<Record<string, JsonObject>>;
  readonly idempotency: readonly rules.IdempotencyRule[];
  readonly rate_limits: readonly rules.RateLimitRule[];
  readonly tenant_fences: rules.TenantFences;
  readonly approvals: readonly rules.ApprovalRule[];
  readonly people: readonly rules.Person[];
  readonly break_glass: rules.BreakGlass;
  readonly kill_switch: readonly rules.KillSwitchTrigger[];
  readonly loop_breaker: readonly rules.LoopRule[];
  readonly cost_caps: readonly rules.CostCap[];
  readonly sql_safety: readonly rules.SqlSafetyRule[];
  readonly detectors: readonly rules.DetectorRule[];
  readonly external_detectors: readonly rules.ExternalDetectorRule[];
  readonly voice: readonly rules.VoiceRule[];
  readonly deploy: readonly rules.DeployRule[];
  readonly lineage: readonly rules.LineageRule[];
  readonly body_storage: rules.BodyStorage;
  readonly threat_map: readonly rules.ThreatEntry[];
  readonly guarded: readonly GuardedSource[];
  /** Absent where there is none. */
  readonly validators?: readonly ValidatorRule[];
  readonly dbt_tests?: readonly DbtTestsRule[];
};

/** The upstream that intake is itself: its answer to an allowed change is the grants, for the caller to redeem. */
export const GRANTS_UPSTREAM = 'clyra-grants';

export type Mode = 'gate' | 'review';

export type Route = {
  readonly id: string;
  readonly method: string;
  /** Segments separated by `/`; `{name}` stands for exactly one segment. */
  readonly path: string;
  /** The name of an upstream in intake's allowlist. */
  readonly upstream: string;
  readonly mode: Mode;
  readonly schema: string | null;
  readonly body?: BodyRule;
  readonly response?: ResponseRule;
  /** Whose deliveries the route takes; absent where callers sign their requests themselves. */
  readonly adapter?: AdapterKind;
  readonly batch?: BatchRule;
  readonly effects: Effects | null;
};

/** What an allowed change on the route may do to a recorded source: the grant that reconciliation compares with. */
export type Effects = {
  readonly source_id: string;
  readonly relations: readonly string[];
  readonly operations: readonly Operation[];
  readonly rows_max: number;
  readonly ttl_seconds: number;
  /** Pointer to the members of a change set in the body; absent where a request is one change under one grant. */
  readonly members?: string;
};

export type GuardedSource = { readonly source_id: string; readonly relations: readonly string[] };

export type CompiledPolicy = { readonly digest: Digest; readonly policy: Policy; readonly bytes: Uint8Array };

/** A policy without a single rule: everything is refused. What a test or a tenant without a policy begins with. */
export const EMPTY_POLICY: Policy = {
  format: 'clyra/policy/v0',
  name: 'none',
  routes: [],
  schemas: {},
  idempotency: [],
  rate_limits: [],
  tenant_fences: {
    cross_check: true,
    body_tenant: null,
    body_actor: null,
    required_headers: [],
    privacy: 'plain',
  },
  approvals: [],
  people: [],
  break_glass: { allowed: false, review_hours: 24 },
  kill_switch: [],
  loop_breaker: [],
  cost_caps: [],
  sql_safety: [],
  detectors: [],
  external_detectors: [],
  voice: [],
  deploy: [],
  lineage: [],
  body_storage: { keep: 'none', retention_seconds: 86_400, bytes_max: 1_048_576, spill_policy: 'block' },
  threat_map: [],
  guarded: [],
};

export function appliesTo(rule: { readonly routes: readonly string[] }, routeId: string): boolean {
  return rule.routes.includes(routeId) || rule.routes.includes('*');
}

const NO_RULES: readonly never[] = [];

/** The rules that apply to the route. Most sections of most policies are empty. */
export function rulesFor<Rule extends { readonly routes: readonly string[] }>(
  rules: readonly Rule[] | undefined,
  routeId: string,
): readonly Rule[] {
  return rules === undefined || rules.length === 0 ? NO_RULES : rules.filter((rule) => appliesTo(rule, routeId));
}

export function routeById(policy: Policy, routeId: string | null): Route | undefined {
  return policy.routes.find((route) => route.id === routeId);
}
