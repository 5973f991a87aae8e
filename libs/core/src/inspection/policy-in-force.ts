// SPDX-License-Identifier: Apache-2.0
import type { CompiledPolicy } from '../policy/policy.ts';
import { SchemaSet } from '../policy/schema-set.ts';
import { RouteTable } from './route-table.ts';

/** A policy with all that inspection derives from it once, keyed by the digest: routes by shape, compiled schemas. */
export type PolicyInForce = {
  readonly compiled: CompiledPolicy;
  readonly routes: RouteTable;
  readonly schemas: SchemaSet;
};

export function preparePolicy(compiled: CompiledPolicy): PolicyInForce {
  return {
    compiled,
    routes: new RouteTable(compiled.policy),
    schemas: new SchemaSet(compiled.policy.schemas),
  };
}
