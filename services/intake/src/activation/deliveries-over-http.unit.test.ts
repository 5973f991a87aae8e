// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto';
import { realClock } from '@clyra/testing/real-clock';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type GatewayListener, startGatewayListener } from '../http/gateway-listener.ts';
import type { IntakeProcessor } from '../intake.processor.ts';
import { ACTIVATION, DELIVERY_POLICY, SEGMENT_SECRET, TOKEN, WEBHOOK_SECRET } from '../test-support/deliveries.ts';
import { IntakeWorld } from '../test-support/intake-world.ts';
import { Activation } from './activation.ts';
import { parseActivation } from './activation-file.ts';

const AGAIN_MS = 50;
const world = new IntakeWorld({ realTime: true, policyText: DELIVERY_POLICY });
let intake: IntakeProcessor;
let listener: GatewayListener;

beforeAll(async () => {
  // Other work on the machine must not decide what this test sees.
  const limits = { holdMs: 10_000 };
  intake = await world.open({
    limits,
    activation: new Activation(parseActivation(Buffer.from(JSON.stringify(ACTIVATION)))),
  });
  const handle: IntakeProcessor['gateway']['handle'] = (request) => intake.gateway.handle(request);
  listener = await startGatewayListener({ host: '127.0.0.1', port: 0, clock: realClock, handle, onRefused: () => {} });
});

afterAll(async () => {
  await listener.close(500);
  await intake.stop(500);
});

type Seen = { readonly status: number; readonly results: readonly string[] };

/** As a vendor does: again while it is told to. */
async function send(path: string, body: string, headers: Readonly<Record<string, string>>): Promise<Seen> {
  for (;;) {
    const seen = await attempt(path, body, headers);
    if (seen.status !== 503) return seen;
    await world.pass(AGAIN_MS);
  }
}

/** The status that it sees, and what became of each record. */
async function attempt(path: string, body: string, headers: Readonly<Record<string, string>>): Promise<Seen> {
  const init = { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } };
  const response = await fetch(`${listener.url}${path}`, init);
  const text = await response.text();
  if (!(response.headers.get('content-type') ?? '').includes('json')) return { status: response.status, results: [] };
  const { results = [], code = '' } = JSON.parse(text) as { results?: { result: string }[]; code?: string };
  return { status: response.status, results: results.length === 0 ? [code] : results.map(({ result }) => result) };
}

function effects(): string[] {
  return world.forwarded.splice(0).map(({ body }) => Buffer.from(body as Uint8Array).toString());
}

describe('deliveries over HTTP', () => {
  it('of Segment: signed, sent again, and forged', async () => {
    const body = '{"messageId":"http-1"}';
    const signed = { 'X-Signature': createHmac('sha1', SEGMENT_SECRET).update(body).digest('hex') };
    expect(await send('/hooks/segment/segment', body, signed)).toEqual({ status: 201, results: [] });
    expect(await send('/hooks/segment/segment', body, signed)).toEqual({ status: 200, results: ['applied_before'] });
    const forged = await send('/hooks/segment/segment', `${body} `, signed);
    expect(forged).toEqual({ status: 401, results: ['CLY_ACTIVATION_SIGNATURE'] });
    expect(effects()).toEqual([body]);
  });

  it('of RudderStack and Hightouch: with their tokens, in batches', async () => {
    const bearer = { authorization: TOKEN };
    const batch = '{"batch":[{"messageId":"http-1"},{"messageId":"http-2"}]}';
    const applied = { status: 200, results: ['applied', 'applied'] };
    expect(await send('/hooks/rudder/rudder', batch, bearer)).toEqual(applied);
    expect(await send('/hooks/touch/touch', '[{"id":1,"at":"http"},{"id":2,"at":"http"}]', bearer)).toEqual(applied);
    const again = await send('/hooks/touch/touch', '[{"id":2,"at":"http"}]', bearer);
    expect(again).toEqual({ status: 200, results: ['applied_before'] });
    const nobody = await send('/hooks/touch/touch', '[{"id":3,"at":"http"}]', { authorization: 'Bearer of nobody' });
    expect(nobody).toEqual({ status: 401, results: ['CLY_ACTIVATION_SIGNATURE'] });
    expect(effects()).toHaveLength(4);
  });

  it('of Standard Webhooks: of now, and recorded', async () => {
    const sign = (atMs: number): Record<string, string> => {
      const timestamp = String(Math.floor(atMs / 1_000));
      const mac = createHmac('sha256', WEBHOOK_SECRET).update(`msg_http.${timestamp}.{}`).digest('base64');
      return { 'Webhook-Id': 'msg_http', 'Webhook-Timestamp': timestamp, 'Webhook-Signature': `v1,${mac}` };
    };
    expect((await send('/hooks/plain/plain', '{}', sign(Date.now()))).status).toBe(201);
    const recorded = await send('/hooks/plain/plain', '{}', sign(Date.now() - 400_000));
    expect(recorded).toEqual({ status: 401, results: ['CLY_ACTIVATION_TIMESTAMP'] });
    expect(effects()).toEqual(['{}']);
  });
});
