// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { GatewayAnswer } from '../gateway/gateway-request.ts';
import { problemAnswer } from '../gateway/problem-answer.ts';
import type { TenantState } from '../tenants/tenant-directory.ts';
import { jsonAnswer } from './api-answer.ts';
import type { ApiParts } from './api-parts.ts';

/** GET /v1/tenants/:tenant: for operators, so it is on the API's listener only. */
export function tenantAnswer(
  { directory, ledger }: Pick<ApiParts, 'directory' | 'ledger'>,
  name: string,
): GatewayAnswer {
  const tenant = directory.get(name);
  if (tenant === undefined) return problemAnswer({ code: 'CLY_TENANT_UNKNOWN' });
  const activity = ledger.get(name);
  return jsonAnswer(200, {
    tenant: name,
    partition: tenant.partition,
    policy: tenant.policy.digest,
    policy_in_force: policyMembers(tenant),
    trust_root: tenant.trustRoot.digest,
    engine: tenant.engine,
    switches: tenant.switches.map(({ scope, sinceMs }) => ({ scope, since: sinceMs })),
    window_number: activity?.windowNumber ?? 0,
    tick_number: activity?.tickNumber ?? 0,
    open_changes: activity?.open.size ?? 0,
    last_position:
      activity === undefined
        ? null
        : {
            partition: activity.lastPosition.partition,
            offset: activity.lastPosition.offset,
            tenant_seq: activity.lastPosition.tenantSeq,
          },
  });
}

/** What holds, since when, by whose word, and on which routes it blocks. */
function policyMembers({ policy, policySince: since }: TenantState): JsonObject | null {
  if (since === null) return null;
  const { name, routes } = policy.policy;
  return {
    name,
    digest: policy.digest,
    since: { offset: since.offset, decided_at: since.atMs },
    signed_by: since.signers,
    routes: routes.map(({ id, method, path, mode, upstream }) => ({ id, method, path, mode, upstream })),
  };
}
