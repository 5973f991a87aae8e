// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { compilePolicy } from '@clyra/core/policy/compile-policy';
import { loadPolicy } from '@clyra/core/policy/load-policy';
import type { Policy } from '@clyra/core/policy/policy';

const RECORD = {
  type: 'object',
  additionalProperties: false,
  required: ['id', 'email', 'segment'],
  properties: {
    id: { type: 'integer', minimum: 1 },
    email: { type: 'string', maxLength: 120 },
    segment: { type: 'string', enum: ['new', 'loyal', 'lost'] },
    note: { type: 'string', maxLength: 200 },
  },
};
const SYNC = {
  type: 'object',
  additionalProperties: false,
  required: ['tenant', 'actor', 'amount', 'records'],
  properties: {
    tenant: { type: 'string' },
    actor: { type: 'string' },
    amount: { type: 'string', maxLength: 20 },
    records: { type: 'array', maxItems: 10_000, items: RECORD },
  },
};
const OTHER_ROUTES = 19;
const ROUTES = [
  { id: 'audiences.sync', method: 'POST', path: '/audiences/{id}/sync', upstream: 'crm', schema: 'sync' },
  ...Array.from({ length: OTHER_ROUTES }, (_, index) => ({
    id: `other.${index}`,
    method: 'POST',
    path: `/other/${index}/{id}`,
    upstream: 'crm',
    schema: 'sync',
  })),
];
const APPROVAL_ABOVE = 5_000;
const ACTIONS_MAX = 100_000;
export const TENANT = 'acme';
export const ACTOR = 'sync-bot';

/** Routes, schema, fences, idempotency, velocity, approval above an amount, and detectors in every text. */
export function firewallPolicy(options: { readonly detectors: boolean }): Policy {
  const { bytes, digest } = compilePolicy(
    JSON.stringify({
      name: 'bench',
      schemas: { sync: SYNC },
      routes: ROUTES,
      idempotency: [{ routes: '*' }],
      rate_limits: [{ id: 'per-actor', routes: '*', window_seconds: 60, max_actions: ACTIONS_MAX }],
      tenant_fences: { body_tenant: '/tenant', body_actor: '/actor' },
      approvals: [{ id: 'large', routes: '*', amount: { value: '/amount' }, only_above: String(APPROVAL_ABOVE) }],
      ...(options.detectors ? { detectors: [{ id: 'all', routes: '*', packs: PACKS }] } : {}),
    }),
  );
  return loadPolicy(bytes, digest).policy;
}

export const PACKS = ['injection', 'social', 'technical', 'secrets'];

/** The same rules as data of the Rego policy (test/bench/opa/policy.rego). */
export const REGO_DATA: JsonObject = {
  routes: ROUTES as unknown as JsonObject[],
  schemas: { sync: SYNC } as unknown as JsonObject,
  actions_max: ACTIONS_MAX,
  approval_above: APPROVAL_ABOVE,
};

export type BenchRequest = { readonly target: string; readonly headerTenant: string; readonly body: JsonObject };

/** Nine of ten are in order; the others name another tenant, break the schema, or need an approval. */
export function benchRequests(count: number, bodyBytes: number): readonly BenchRequest[] {
  return Array.from({ length: count }, (_, index) => {
    const records: JsonObject[] = [];
    for (let size = 0; size < bodyBytes; ) {
      const id = records.length + 1;
      const note = `Called on Monday about invoice ${randomBytes(6).toString('hex')}; wants an offer for ${id} seats.`;
      const segment = index % 30 === 13 && id === 3 ? 'none' : 'loyal';
      records.push({ id, email: `user.${id}@example.com`, segment, note });
      size += JSON.stringify(records.at(-1)).length + 1;
    }
    const amount = index % 30 === 23 ? '9000' : '12.50';
    const tenant = index % 30 === 3 ? 'other' : TENANT;
    return { target: '/audiences/42/sync', headerTenant: TENANT, body: { tenant, actor: ACTOR, amount, records } };
  });
}
