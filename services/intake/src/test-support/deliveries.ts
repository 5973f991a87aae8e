// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto';
import { digestOf } from '@clyra/core/canonical/digest';
import type { GatewayRequest } from '../gateway/gateway-request.ts';
import { RequestHeaders } from '../gateway/request-headers.ts';

export const SEGMENT_SECRET = 'made for tests of Segment';
export const WEBHOOK_SECRET: Uint8Array = Buffer.from('made for tests of webhooks');
export const TOKEN = 'Bearer made-for-tests-of-tokens';
export const CRM_KEY = 'Bearer key-of-the-crm';

/** The file of a gateway with one source of each kind; every signature of it is made when a test runs. */
export const ACTIVATION = {
  sources: [
    { name: 'segment', kind: 'segment', tenant: 'acme', actor: 'segment', secrets: [SEGMENT_SECRET] },
    { name: 'batches', kind: 'segment', tenant: 'acme', actor: 'segment', token: { value: TOKEN } },
    {
      name: 'rudder',
      kind: 'rudderstack',
      tenant: 'acme',
      actor: 'rudder',
      token: { value: TOKEN },
      records: '/batch',
    },
    { name: 'touch', kind: 'hightouch', tenant: 'acme', actor: 'touch', token: { value: TOKEN }, ids: ['/id', '/at'] },
    {
      name: 'plain',
      kind: 'generic',
      tenant: 'acme',
      actor: 'plain',
      secrets: [`whsec_${Buffer.from(WEBHOOK_SECRET).toString('base64')}`],
    },
  ],
  destinations: [{ upstream: 'crm', headers: { authorization: CRM_KEY } }],
} as const;

export const DELIVERY_POLICY = `
name: activation
routes:
  - { id: segment, method: POST, path: /segment, upstream: crm, adapter: segment }
  - { id: rudder, method: POST, path: /rudder, upstream: crm, adapter: rudderstack }
  - { id: touch, method: POST, path: /touch, upstream: crm, adapter: hightouch }
  - { id: touch.whole, method: PUT, path: /touch, upstream: crm, adapter: hightouch, batch: whole }
  - { id: plain, method: POST, path: /plain, upstream: crm, adapter: generic }
  - { id: held, method: POST, path: /held, upstream: crm, adapter: generic }
  - { id: unkeyed, method: POST, path: /unkeyed, upstream: crm, adapter: generic }
  - { id: notes, method: PUT, path: /v1/notes, upstream: crm }
idempotency:
  - { routes: [segment, rudder, touch, touch.whole, plain, held], ttl_seconds: 86400 }
rate_limits:
  - { id: touch, routes: [touch], key: actor, window_seconds: 60, max_actions: 3 }
approvals:
  - { id: push, routes: [held] }
`;

export type Post = {
  readonly target: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
};

/** A delivery as it comes in, without any signature of a caller. */
export function post({ target, body, headers = {}, method = 'POST' }: Post): GatewayRequest {
  const bytes = Buffer.from(body);
  const raw = Object.entries({ host: 'gateway', 'content-type': 'application/json', ...headers }).flat();
  return {
    method,
    target,
    headers: new RequestHeaders(raw),
    readBody: async (bytesMax) =>
      bytes.length > bytesMax
        ? { bytes: new Uint8Array(), digest: digestOf(bytes), size: bytes.length, tooLarge: true }
        : { bytes, digest: digestOf(bytes), size: bytes.length, tooLarge: false },
    streamBody: async function* () {
      yield bytes;
    },
    client: { isGone: () => false, onGone: () => {} },
  };
}

export function segmentHeaders(body: string): Record<string, string> {
  return { 'x-signature': createHmac('sha1', SEGMENT_SECRET).update(body).digest('hex') };
}

export function webhookHeaders(id: string, body: string, nowMs: number): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const mac = createHmac('sha256', WEBHOOK_SECRET).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${mac}` };
}
