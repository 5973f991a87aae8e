// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';

export const WORLD_TENANT = 'acme';
/** Where the tenant's log lives. */
export const WORLD_PARTITION = 0;
export const WORLD_TABLE = 'public.activations';
const ROUTE = 'activations.sync';

/** Anything that a table can take, within bounds. */
const MAINTENANCE = {
  id: 'activations.maintain',
  method: 'POST',
  path: '/maintenance/{event}',
  upstream: 'crm',
  schema: 'activation',
  effects: {
    source_id: 'crm',
    relations: [WORLD_TABLE],
    operations: ['insert', 'update', 'delete', 'truncate', 'ddl'],
    rows_max: 10_000,
    ttl_seconds: 60,
  },
};

export type PolicyLimits = {
  /** What one actor may do in ten minutes. */
  readonly actionsMax: number;
};

/** The demonstration's one route, with every primitive that keeps a count or a key, and a cap that the test chooses. */
export async function writeWorldPolicy(file: string, limits: PolicyLimits): Promise<void> {
  const policy = {
    name: 'faults',
    mode: 'gate',
    schemas: {
      activation: {
        type: 'object',
        required: ['tenant', 'event', 'record'],
        additionalProperties: false,
        properties: { tenant: { type: 'string' }, event: { type: 'string' }, record: { type: 'object' } },
      },
      contact: {
        type: 'object',
        required: ['id', 'tenant'],
        additionalProperties: false,
        properties: { id: { type: 'integer' }, tenant: { type: 'string' }, note: { type: 'string', maxLength: 500 } },
      },
    },
    routes: [
      {
        id: ROUTE,
        method: 'POST',
        path: '/activations/{event}',
        upstream: 'crm',
        schema: 'activation',
        effects: {
          source_id: 'crm',
          relations: [WORLD_TABLE],
          operations: ['insert'],
          rows_max: 1,
          ttl_seconds: 60,
        },
      },
      MAINTENANCE,
      {
        id: 'contacts.bulk',
        method: 'POST',
        path: '/contacts',
        upstream: 'crm',
        schema: 'contact',
        body: { form: 'ndjson', bytes_max: 1_073_741_824, items_max: 10_000_000, deadline_seconds: 240 },
      },
    ],
    idempotency: [{ routes: [ROUTE], required: true, ttl_seconds: 86_400 }],
    tenant_fences: { cross_check: true, body_tenant: '/tenant' },
    rate_limits: [
      { id: 'per-actor', routes: [ROUTE], key: 'actor', window_seconds: 600, max_actions: limits.actionsMax },
    ],
    guarded: [{ source_id: 'crm', relations: [WORLD_TABLE] }],
  };
  await writeFile(file, JSON.stringify(policy, undefined, 2));
}
