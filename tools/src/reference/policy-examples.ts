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
  - id: contacts.sync
    method: POST
    path: /contacts/sync
    upstream: shop
    schema: refund
    body: { form: items, items: /records, bytes_max: 268435456 }
  - id: answers.stream
    method: POST
    path: /answers
    upstream: shop
    body: { repair: [syntax, text_to_number] }
    response: { total_seconds: 600, silence_seconds: 60 }
  - id: audiences.sync
    method: POST
    path: /users/track
    upstream: braze
    schema: refund
    adapter: segment
    batch: each
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
  - id: refunded-per-payee
    route: /refunds/*
    key: { body: /payee }
    window_seconds: 86400
    amount: { value: /amount, currency: /currency }
    max_amount: { EUR: '1000.00', USD: '1100.00' }
`,
  approvals: `approvals:
  - id: refunds-by-a-person
    routes: [refunds.create]
    mfa: true
    grade_min: 2
    idp_domains: [login.example.com]
    amount: { value: /amount, currency: /currency }
    only_above: { EUR: '100' }
    steps:
      - { above: { EUR: '5000' }, quorum: 2 }
`,
  people: `people:
  - subject: anna
    aliases: [anna@example.com, 'login.example.com|00u1', refund-bot]
`,
  break_glass: `break_glass:
  allowed: true
  review_hours: 24
`,
  kill_switch: `kill_switch:
  - id: failing-upstream
    routes: '*'
    metric: error_rate
    threshold: 0.1
    window_seconds: 60
    scope: run
    ttl_seconds: 300
  - id: spent-too-much
    routes: [refunds.create]
    metric: spend
    threshold: '20000'
    window_seconds: 3600
    scope: route
    amount: { value: /amount, currency: EUR }
`,
  loop_breaker: `loop_breaker:
  - id: agents
    routes: '*'
    actions_per_minute: 120
    identical_repeats: 5
    ping_pong: 3
    cool_off_seconds: 300
`,
  cost_caps: `cost_caps:
  - id: run-budget
    routes: '*'
    scope: run
    per_action: '0.002'
    max: '10.00'
`,
  sql_safety: `sql_safety:
  - id: warehouse-sql
    routes: [refunds.create]
    statement: /sql
    dialect: snowflake
    rows_affected: { max: 10000 }
`,
  detectors: `detectors:
  - id: prompts
    routes: '*'
    packs: [injection, social-engineering]
    scope: ['$.messages[*].content']
    effect: shadow
`,
  external_detectors: `external_detectors:
  - id: voices
    routes: [refunds.create]
    endpoint: deepfake-check
    media: [/recording_sha256]
    verdicts: { spoofed_voice: block }
    on_outage: { timeout: hold }
`,
  voice: `voice:
  - id: calls
    routes: [refunds.create]
    barge_in_window_ms_min: 2000
`,
  deploy: `deploy:
  - id: production
    routes: [refunds.create]
    environment: /environment
    author: /author
    max_per_hour: 6
    segregation: true
`,
  lineage: `lineage:
  - routes: [refunds.create]
    reads: [warehouse.finance.orders]
    writes: [public.refunds]
`,
  body_storage: `body_storage:
  keep: while_held
  retention_seconds: 86400
`,
  validators: `schemas:
  seller_pays_back:
    type: object
    if: { required: [reason], properties: { reason: { const: goodwill } } }
    then: { required: [approved_by], properties: { amount_cents: { type: integer, maximum: 5000 } } }
validators:
  - id: goodwill
    routes: [refunds.create]
    schema: seller_pays_back
    effect: hold
`,
  dbt_tests: `dbt_tests:
  - id: tested
    routes: [refunds.create]
    results: /dbt/run_results
    required: [test.shop.unique_orders_id.0a1b2c3d4e]
`,
  threat_map: `threat_map:
  - code: CLY_SQL_TRUNCATE
    threat_class: data_destruction
    owasp: [ASI02:2025]
    mitre_id: T1485
`,
  guarded: `guarded:
  - source_id: shop-db
    relations: [public.refunds]
`,
};
