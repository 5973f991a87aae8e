// SPDX-License-Identifier: Apache-2.0
import { compilePolicy } from '@clyra/core/policy/compile-policy';
import type { CompiledPolicy } from '@clyra/core/policy/policy';

export const UPSTREAM = 'crm';

const CONTACT_SCHEMA = {
  type: 'object',
  required: ['contact_id', 'tenant', 'actor', 'email', 'score', 'active', 'attributes'],
  additionalProperties: false,
  properties: {
    contact_id: { type: 'string', format: 'uuid' },
    tenant: { type: 'string' },
    actor: { type: 'string' },
    email: { type: 'string', format: 'email', maxLength: 254 },
    score: { type: 'integer', minimum: 0, maximum: 100 },
    active: { type: 'boolean' },
    attributes: {
      type: 'array',
      maxItems: 10_000,
      items: {
        type: 'object',
        required: ['name', 'value'],
        additionalProperties: false,
        properties: { name: { type: 'string', maxLength: 64 }, value: { type: 'string', maxLength: 256 } },
      },
    },
  },
};

const EVERYWHERE = ['contacts.sync'];

/** Every primitive has work on the one route, and none refuses: what is measured is what an allowed change costs. */
export function benchPolicy(): CompiledPolicy {
  return compilePolicy(
    JSON.stringify({
      name: 'bench',
      schemas: { contact: CONTACT_SCHEMA },
      routes: [
        {
          id: 'contacts.sync',
          method: 'POST',
          path: '/v1/contacts/{id}',
          upstream: UPSTREAM,
          schema: 'contact',
          effects: {
            source_id: 'crm',
            relations: ['public.contacts'],
            operations: ['insert', 'update'],
            rows_max: 1,
            ttl_seconds: 60,
          },
        },
      ],
      idempotency: [{ routes: EVERYWHERE, required: true, ttl_seconds: 3_600 }],
      tenant_fences: { cross_check: true, body_tenant: '/tenant', body_actor: '/actor' },
      rate_limits: [
        { id: 'by-actor', routes: EVERYWHERE, key: 'actor', window_seconds: 60, max_actions: 100_000 },
        { id: 'by-contact', routes: EVERYWHERE, key: { body: '/contact_id' }, window_seconds: 60, max_actions: 10 },
      ],
      guarded: [{ source_id: 'crm', relations: ['public.contacts'] }],
    }),
  );
}
