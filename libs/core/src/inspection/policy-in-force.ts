// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import { type CompiledPolicy, EMPTY_POLICY, type Policy } from '../policy/policy.ts';
import { SchemaSet } from '../policy/schema-set.ts';
import { RouteTable } from './route-table.ts';

/** A policy with all that inspection derives from it once: routes by shape, compiled schemas. */
export type PolicyInForce = {
  /** null before the tenant's first policy. */
  readonly digest: Digest | null;
  readonly policy: Policy;
  readonly routes: RouteTable;
  readonly schemas: SchemaSet;
};

export function preparePolicy({ digest, policy }: Pick<CompiledPolicy, 'digest' | 'policy'>): PolicyInForce {
  return { digest, policy, routes: new RouteTable(policy), schemas: new SchemaSet(policy.schemas) };
}

/** What a tenant without a policy is inspected under: it has no route, so everything is refused. */
export const NO_POLICY: PolicyInForce = { ...preparePolicy({ digest: '', policy: EMPTY_POLICY }), digest: null };
