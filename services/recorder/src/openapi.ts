// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';

const text = { type: 'string' };
const number = { type: 'integer' };
const ms = { type: 'integer', description: 'milliseconds since 1970' };
const orNull = (schema: JsonObject): JsonObject => ({ ...schema, type: [schema['type'] as string, 'null'] });
const list = (items: JsonObject): JsonObject => ({ type: 'array', items });
/** Every member is always there. */
const record = (properties: JsonObject): JsonObject => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

const GAP = record({ from_lsn: text, to_lsn: text, reason: text, detected_at: ms });
const SOURCE = record({
  source_id: text,
  tenant: text,
  state: { type: 'string', enum: ['unregistered', 'connecting', 'streaming', 'stopped'] },
  reason: orNull(text),
  partition: orNull(number),
  system_id: orNull(text),
  timeline: orNull(number),
  published_lsn: orNull(text),
  covers_until: orNull(ms),
  lag_ms: orNull(number),
  pending_count: number,
  transaction_count: number,
  watermark_count: number,
  repeated_count: number,
  last_commit_to_log_ms: orNull(number),
  gaps: list(GAP),
});
const HORIZON = record({
  tenant: text,
  horizon: orNull(ms),
  sources: list(record({ source_id: text, covers_until: orNull(ms) })),
});
const FINDING = record({
  source_id: text,
  observation_id: text,
  status: { type: 'string', enum: ['exceeded', 'reused', 'unattributed', 'claimed_unproved'] },
  reason: text,
  event_id: orNull(text),
  receipt_id: orNull(text),
  token_hash: orNull(text),
  committed_at: ms,
  found_at: ms,
  relations: list(text),
});
const COUNTS = record({
  matched: number,
  exceeded: number,
  reused: number,
  unattributed: number,
  claimed_unproved: number,
  unjudged: number,
});
const FINDINGS = record({ tenant: text, caught_up: { type: 'boolean' }, counts: COUNTS, findings: list(FINDING) });

const get = (summary: string, schema: JsonObject): JsonObject => ({
  get: {
    summary,
    responses: { '200': { description: 'now', content: { 'application/json': { schema } } } },
  },
});

/** The recorder's API: it answers and changes nothing. */
export const OPENAPI: JsonObject = {
  openapi: '3.1.0',
  info: { title: 'Clyra recorder', version: '0', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
  paths: {
    '/v1/status': get('State, position and gaps of each source', record({ sources: list(SOURCE) })),
    '/v1/horizons': get('Until when each tenant’s sources have told everything', record({ tenants: list(HORIZON) })),
    '/v1/findings': get(
      'Writes to guarded relations beside what was permitted, provisional, newest first',
      record({ tenants: list(FINDINGS) }),
    ),
    '/v1/openapi.json': get('This document', { type: 'object' }),
  },
};
