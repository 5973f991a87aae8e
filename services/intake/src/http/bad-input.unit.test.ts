// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { IntakeProcessor } from '../intake.processor.ts';
import { BAD_INPUT, goodRequest } from '../test-support/bad-input-table.ts';
import { IntakeWorld, SECRET, TENANT } from '../test-support/intake-world.ts';
import { rawExchange } from '../test-support/raw-exchange.ts';
import type { BadInputContext } from '../test-support/signed-headers.ts';
import { type GatewayListener, startGatewayListener } from './gateway-listener.ts';

let serial = 0;
const context = (): BadInputContext => ({
  keyId: 'key-1',
  secret: SECRET,
  tenant: TENANT,
  nowMs: Date.now(),
  unique: () => {
    serial += 1;
    return `unique-${String(serial).padStart(16, '0')}`;
  },
});

describe('bad input over a socket', () => {
  const world = new IntakeWorld({ realTime: true });
  let intake: IntakeProcessor;
  let listener: GatewayListener;
  /** A send that a busy machine does not confirm in time is repeated: its copies are one change. */
  const requestedCount = (): number =>
    new Set(world.changesOf('change.requested').map((body) => body['event_id'])).size;

  beforeAll(async () => {
    // Other work on the machine must not decide what this test sees.
    intake = await world.open({ limits: { holdMs: 10_000 } });
    listener = await startGatewayListener({
      host: '127.0.0.1',
      port: 0,
      clock: world.clock,
      handle: (request) => intake.gateway.handle(request),
      onRefused: (code) => intake.api.edge.count(code),
    });
  });

  afterAll(async () => {
    await listener.close(1_000);
    await intake.stop(2_000);
  });

  it('forwards what is sound', async () => {
    const answer = await rawExchange(listener.url, goodRequest(context()));
    expect(answer).toMatchObject({ status: 201, body: 'made' });
    expect(world.forwarded).toHaveLength(1);
  });

  it.each(BAD_INPUT)('refuses $name: $status $code', async ({ bytes, status, code, receipt }) => {
    const changesBefore = requestedCount();
    const answer = await rawExchange(listener.url, bytes(context()));
    const problem = JSON.parse(answer.body) as Record<string, unknown>;
    expect({ status: answer.status, code: problem['code'] }).toEqual({ status, code });
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(problem['receipt_id'] !== undefined).toBe(receipt);
    expect(requestedCount() - changesBefore).toBe(receipt ? 1 : 0);
    expect(world.forwarded).toHaveLength(1);
  });

  it('gives up on a head and on a body that come too slowly', async () => {
    const slow = await startGatewayListener({
      host: '127.0.0.1',
      port: 0,
      clock: world.clock,
      handle: (request) => intake.gateway.handle(request),
      onRefused: () => {},
      limits: { headersMs: 300, bodyMs: 300 },
    });
    const whole = goodRequest(context());
    const head = await rawExchange(slow.url, whole.subarray(0, 40));
    expect(head).toMatchObject({ status: 408 });
    const body = await rawExchange(slow.url, whole.subarray(0, whole.length - 5));
    expect(body).toMatchObject({ status: 408 });
    expect(world.forwarded).toHaveLength(1);
    await slow.close(100);
  });
});
