// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';

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
  readonly idempotency: readonly IdempotencyRule[];
  readonly rate_limits: readonly RateLimitRule[];
  readonly tenant_fences: TenantFences;
  readonly approvals: readonly ApprovalRule[];
  readonly guarded: readonly GuardedSource[];
};

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
  readonly effects: Effects | null;
};

/** What an allowed change on the route may do to a recorded source: the grant that reconciliation compares with. */
export type Effects = {
  readonly source_id: string;
  readonly relations: readonly string[];
  readonly operations: readonly Operation[];
  readonly rows_max: number;
  readonly ttl_seconds: number;
};

export type Operation = 'insert' | 'update' | 'delete' | 'truncate' | 'ddl';

/** `routes` lists route ids; `*` is every route. */
export type IdempotencyRule = {
  readonly routes: readonly string[];
  readonly required: boolean;
  readonly ttl_seconds: number;
};

export type RateLimitRule = {
  readonly id: string;
  readonly routes: readonly string[];
  /** Whose actions are counted together; a pointer counts by a value in the body. */
  readonly key: 'actor' | 'tenant' | 'route' | { readonly body: string };
  readonly window_seconds: number;
  readonly max_actions: number;
};

export type TenantFences = {
  /** Every place that names a tenant or an actor must agree with the credential. */
  readonly cross_check: boolean;
  /** JSON pointers into the body, or null. */
  readonly body_tenant: string | null;
  readonly body_actor: string | null;
};

export type ApprovalRule = { readonly id: string; readonly routes: readonly string[] };

export type GuardedSource = { readonly source_id: string; readonly relations: readonly string[] };

export type CompiledPolicy = { readonly digest: Digest; readonly policy: Policy; readonly bytes: Uint8Array };

export function appliesTo(rule: { readonly routes: readonly string[] }, routeId: string): boolean {
  return rule.routes.includes(routeId) || rule.routes.includes('*');
}

export function routeById(policy: Policy, routeId: string | null): Route | undefined {
  return policy.routes.find((route) => route.id === routeId);
}
