// SPDX-License-Identifier: Apache-2.0

const ROUTE = `routes:
  - id: refunds.create
    method: POST
    path: /refunds/{order}
    upstream: shop
`;

/** Around a section's example, so that it is a whole policy. */
export function wholePolicy(example: string): string {
  return `name: example\n${example.includes('routes:\n  - id:') ? '' : ROUTE}${example}`;
}

/** One example for each section of policy.yaml; a test compiles them all. */
export const POLICY_EXAMPLES: Readonly<Record<string, string>> = {
  mode: `mode: review
`,
  schemas: `schemas:
  refund:
    type: object
    required: [tenant, amount_cents]
    additionalProperties: false
    properties:
      tenant: { type: string }
      amount_cents: { type: integer, minimum: 1, maximum: 100000 }
`,
  routes: `schemas:
  refund: { type: object }
routes:
  - id: refunds.create
    method: POST
    path: /refunds/{order}
    upstream: shop
    schema: refund
    effects:
      source_id: shop-db
      relations: [public.refunds]
      operations: [insert]
`,
  idempotency: `idempotency:
  - routes: [refunds.create]
    ttl_seconds: 86400
`,
  tenant_fences: `tenant_fences:
  body_tenant: /tenant
  body_actor: /requested_by
`,
  rate_limits: `rate_limits:
  - id: refunds-per-actor
    routes: [refunds.create]
    window_seconds: 300
    max_actions: 20
  - id: refunds-per-account
    routes: '*'
    key: { body: /account/id }
    window_seconds: 86400
    max_actions: 3
`,
  approvals: `approvals:
  - id: refunds-by-a-person
    routes: [refunds.create]
`,
  guarded: `guarded:
  - source_id: shop-db
    relations: [public.refunds]
`,
};
