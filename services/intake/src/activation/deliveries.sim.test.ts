// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import type { GatewayAnswer } from '../gateway/gateway-request.ts';
import type { UpstreamRequest } from '../gateway/upstream.ts';
import type { IntakeProcessor } from '../intake.processor.ts';
import {
  ACTIVATION,
  CRM_KEY,
  DELIVERY_POLICY,
  type Post,
  post,
  segmentHeaders,
  TOKEN,
  webhookHeaders,
} from '../test-support/deliveries.ts';
import { IntakeWorld, okResult, problemOf } from '../test-support/intake-world.ts';
import { Activation } from './activation.ts';
import { parseActivation } from './activation-file.ts';

const BEARER = { authorization: TOKEN };

/** A gateway that vendors deliver to, and whose upstream keeps what it was sent. */
class Deliveries {
  readonly world = new IntakeWorld({ policyText: DELIVERY_POLICY });
  #intake: IntakeProcessor | undefined;

  async open(): Promise<this> {
    const activation = new Activation(parseActivation(Buffer.from(JSON.stringify(ACTIVATION))));
    this.#intake = await this.world.open({ activation });
    return this;
  }

  /** The answer, once its outcome is in the log: a vendor waits longer than that before it sends again. */
  async send(sent: Post): Promise<GatewayAnswer> {
    const answer = await this.world.during((this.#intake as IntakeProcessor).gateway.handle(post(sent)));
    await this.world.pass(200);
    return answer;
  }

  segment(body: string): Promise<GatewayAnswer> {
    return this.send({ target: '/hooks/segment/segment', body, headers: segmentHeaders(body) });
  }

  touch(rows: readonly object[], method = 'POST'): Promise<GatewayAnswer> {
    return this.send({ target: '/hooks/touch/touch', method, body: JSON.stringify(rows), headers: BEARER });
  }

  plain(id: string, body: string, path = 'plain'): Promise<GatewayAnswer> {
    const headers = webhookHeaders(id, body, this.world.clock.nowMs());
    return this.send({ target: `/hooks/plain/${path}`, body, headers });
  }

  /** What the upstream was sent, as text. */
  get effects(): string[] {
    return this.world.forwarded.map(({ body }) => Buffer.from(body as Uint8Array).toString());
  }

  get decisions(): unknown[] {
    return this.world.enforcer.decided.flatMap((one) => {
      const body = JSON.parse(Buffer.from(one.bytes).toString()) as Record<string, unknown>;
      return body['kind'] === 'decided' ? [body] : [];
    });
  }
}

const row = (id: number, at = 'a'): object => ({ id, at });
const resultsOf = (answer: GatewayAnswer): string[] =>
  (problemOf(answer)['results'] as { result: string }[]).map(({ result }) => result);
const headersOf = ({ headers }: UpstreamRequest): Record<string, string> =>
  Object.fromEntries(Array.from({ length: headers.length / 2 }, (_, at) => [headers[2 * at], headers[2 * at + 1]]));

describe('a delivery', () => {
  it('is a change of its source’s tenant and actor, and leaves with the key that the gateway holds', async () => {
    const vendor = await new Deliveries().open();
    const body = '{"messageId":"m-1","n":1.50}';
    const headers = { ...segmentHeaders(body), authorization: 'Bearer of somebody', cookie: 'a=b', 'x-own': 'kept' };
    const answer = await vendor.send({ target: '/hooks/segment/segment', body, headers });
    expect(answer).toMatchObject({ status: 201, headers: { 'clyra-receipt': expect.any(String) } });
    expect(vendor.effects).toEqual([body]);
    const [sent] = vendor.world.forwarded;
    expect(sent?.target).toBe('/segment');
    const forwarded = headersOf(sent as UpstreamRequest);
    expect(forwarded).toMatchObject({ authorization: CRM_KEY, 'x-own': 'kept', 'x-tenant-id': 'acme' });
    expect(forwarded['idempotency-key']).toMatch(/^segment-[0-9a-f]{64}$/);
    expect(Object.keys(forwarded)).not.toEqual(expect.arrayContaining(['x-signature']));
    expect(Object.keys(forwarded)).not.toEqual(expect.arrayContaining(['cookie']));
    const [change] = vendor.world.changesOf('change.requested');
    expect(change).toMatchObject({ facts: { route: 'segment', principal: 'hooks/segment' } });
    expect(vendor.decisions.at(-1)).toMatchObject({ decision: 'allow', actor: 'segment' });
  });

  it('has one effect, however often it comes and whatever the vendor was answered', async () => {
    const vendor = await new Deliveries().open();
    const body = '{"messageId":"m-1"}';
    const answers = await Promise.all([1, 2, 3].map(() => vendor.segment(body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 503, 503]);
    const again = await vendor.segment(body);
    expect(again.status).toBe(200);
    expect(resultsOf(again)).toEqual(['applied_before']);
    expect((await vendor.segment('{"messageId":"m-1","other":true}')).status).toBe(422);
    expect(vendor.effects).toEqual([body]);
  });

  it('of a batch is a change for each record, and a batch that is sent again in pieces repeats none', async () => {
    const vendor = await new Deliveries().open();
    const first = await vendor.touch([row(1), row(2)]);
    expect([first.status, resultsOf(first)]).toEqual([200, ['applied', 'applied']]);
    const split = await vendor.touch([row(2), row(3)]);
    expect([split.status, resultsOf(split)]).toEqual([200, ['applied_before', 'applied']]);
    expect((await vendor.touch([row(1)])).status).toBe(200);
    expect([...vendor.effects].sort()).toEqual(['[{"id":1,"at":"a"}]', '[{"id":2,"at":"a"}]', '[{"id":3,"at":"a"}]']);
    const slow = await vendor.touch([row(1), row(4), row(5)]);
    expect(slow).toMatchObject({ status: 429, headers: { 'retry-after': expect.any(String) } });
    expect(resultsOf(slow)).toEqual(['applied_before', 'retry', 'retry']);
    await vendor.world.pass(61_000);
    expect(resultsOf(await vendor.touch([row(1), row(4), row(5)]))).toEqual(['applied_before', 'applied', 'applied']);
    expect(vendor.effects).toHaveLength(5);
  });

  it('of a batch that is one change is repeated by the same batch only', async () => {
    const vendor = await new Deliveries().open();
    expect((await vendor.touch([row(1), row(2)], 'PUT')).status).toBe(201);
    expect(resultsOf(await vendor.touch([row(1), row(2)], 'PUT'))).toEqual(['applied_before']);
    expect(vendor.effects).toEqual(['[{"id":1,"at":"a"},{"id":2,"at":"a"}]']);
  });

  it('says which records were refused for good, and has nothing of them sent again', async () => {
    const vendor = await new Deliveries().open();
    vendor.world.answer = ({ body }) =>
      String(body).includes('"bad"') ? { ...okResult(), ...{ status: 422 } } : okResult();
    const body = '{"batch":[{"messageId":"a"},{"messageId":"b","v":"bad"}],"sentAt":1}';
    const sent = { target: '/hooks/rudder/rudder', body, headers: BEARER };
    const answer = await vendor.send(sent);
    expect(answer.status).toBe(422);
    expect(problemOf(answer)).toMatchObject({ code: 'CLY_ACTIVATION_REFUSED' });
    expect(resultsOf(answer)).toEqual(['applied', 'refused']);
    expect(resultsOf(await vendor.send(sent))).toEqual(['applied_before', 'refused']);
    expect([...vendor.effects].sort()).toEqual([
      '{"batch":[{"messageId":"a"}],"sentAt":1}',
      '{"batch":[{"messageId":"b","v":"bad"}],"sentAt":1}',
    ]);
  });

  it('that was not decided, or did not reach its destination, is asked for again', async () => {
    const vendor = await new Deliveries().open();
    vendor.world.enforcer.silent = true;
    const body = '{"messageId":"m-1"}';
    expect(await vendor.segment(body)).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    await vendor.world.pass(1_000);
    vendor.world.enforcer.silent = false;
    vendor.world.answer = () => ({ kind: 'not_sent', detail: 'upstream_unreachable' });
    expect((await vendor.plain('msg_1', '{}')).status).toBe(503);
    await vendor.world.pass(1_000);
    vendor.world.answer = okResult;
    expect((await vendor.plain('msg_1', '{}')).status).toBe(201);
  });

  it('that failed at its destination for certain reasons unknown is not made twice', async () => {
    const vendor = await new Deliveries().open();
    vendor.world.answer = () => ({ kind: 'failed', detail: 'upstream_timeout', timedOut: true });
    expect((await vendor.plain('msg_1', '{}')).status).toBe(503);
    vendor.world.answer = okResult;
    const again = await vendor.plain('msg_1', '{}');
    expect([again.status, problemOf(again)['code']]).toEqual([422, 'CLY_IDEMPOTENCY_REPEAT']);
    expect(vendor.effects).toHaveLength(1);
  });

  it('that people must approve is asked for again until they have', async () => {
    const vendor = await new Deliveries().open();
    const held = await vendor.plain('msg_1', '{"n":1}', 'held');
    expect(held).toMatchObject({ status: 503, headers: { 'retry-after': '30' } });
    expect(problemOf(held)).toMatchObject({ code: 'CLY_APPROVAL_REQUIRED', decision: 'hold' });
    expect(vendor.effects).toEqual([]);
  });
});

describe('what is no delivery', () => {
  const proved = segmentHeaders('{"messageId":"m"}');
  it.each<[string, number, Post]>([
    ['CLY_ACTIVATION_SIGNATURE', 401, { target: '/hooks/segment/segment', body: '{"messageId":"n"}', headers: proved }],
    ['CLY_ACTIVATION_SIGNATURE', 401, { target: '/hooks/segment/segment', body: '{"messageId":"m"}' }],
    ['CLY_ACTIVATION_SIGNATURE', 401, { target: '/hooks/touch/touch', body: '{"id":1,"at":2}' }],
    [
      'CLY_ACTIVATION_BATCH_UNSIGNED',
      401,
      { target: '/hooks/segment/segment', body: '[{"messageId":"m"}]', headers: proved },
    ],
    ['CLY_AUTH_MISSING', 401, { target: '/hooks/nobody/segment', body: '{}', headers: proved }],
    ['CLY_BODY_TOO_LARGE', 413, { target: '/hooks/touch/touch', body: ' '.repeat(1_048_577), headers: BEARER }],
  ])('%s is counted at the edge and in no log', async (code, status, sent) => {
    const vendor = await new Deliveries().open();
    const answer = await vendor.send(sent);
    expect([answer.status, problemOf(answer)['code']]).toEqual([status, code]);
    await vendor.world.pass(1_100);
    expect(vendor.world.edgeCounts()).toEqual({ [code]: 1 });
    expect(vendor.world.changesOf('change.requested')).toEqual([]);
  });

  it.each<[string, number, Partial<Post>]>([
    ['CLY_JSON_SYNTAX', 400, { body: '{"id":1' }],
    ['CLY_JSON_DEPTH', 400, { body: `${'['.repeat(99)}${']'.repeat(99)}` }],
    ['CLY_BODY_MEDIA_TYPE', 415, { headers: { ...BEARER, 'content-type': 'text/csv' } }],
    ['CLY_BODY_ENCODING', 415, { headers: { ...BEARER, 'content-encoding': 'gzip' } }],
    ['CLY_ACTIVATION_ID', 422, { body: '{"id":1}' }],
    ['CLY_ACTIVATION_ID_REPEATED', 422, { body: '[{"id":1,"at":2},{"id":1,"at":2}]' }],
    ['CLY_ACTIVATION_RECORDS', 422, { body: '[]' }],
    ['CLY_ACTIVATION_BATCH_SIZE', 413, { body: JSON.stringify(Array.from({ length: 1_001 }, (_, id) => row(id))) }],
    ['CLY_ACTIVATION_ROUTE', 403, { target: '/hooks/touch/plain' }],
    ['CLY_ACTIVATION_ROUTE', 403, { target: '/hooks/touch/v1/notes', method: 'PUT' }],
    ['CLY_ROUTE_UNKNOWN', 403, { target: '/hooks/touch/unknown' }],
  ])('%s has its receipt when its sender is known', async (code, status, changed) => {
    const vendor = await new Deliveries().open();
    const sent = { target: '/hooks/touch/touch', body: '{"id":1,"at":2}', headers: BEARER, ...changed };
    const answer = await vendor.send(sent);
    expect([answer.status, problemOf(answer)['code']]).toEqual([status, code]);
    expect(answer.headers['clyra-receipt']).toEqual(expect.any(String));
    expect(vendor.effects).toEqual([]);
  });

  it('is what comes to a route that would repeat it, or from a caller to a route for deliveries', async () => {
    const vendor = await new Deliveries().open();
    expect(problemOf(await vendor.plain('msg_1', '{}', 'unkeyed'))).toMatchObject({
      code: 'CLY_ACTIVATION_IDEMPOTENCY',
    });
    const own = vendor.world.request({ target: '/plain', body: '{}' });
    const answer = await vendor.send({
      target: '/plain',
      body: '{}',
      headers: Object.fromEntries(pairs(own.headers.raw)),
    });
    expect(problemOf(answer)).toMatchObject({ code: 'CLY_ACTIVATION_ROUTE' });
    expect(vendor.effects).toEqual([]);
  });

  it('is what names another tenant in its headers', async () => {
    const vendor = await new Deliveries().open();
    const sent = { target: '/hooks/touch/touch', body: '{"id":1,"at":2}' };
    const other = await vendor.send({ ...sent, headers: { ...BEARER, 'x-tenant-id': 'globex' } });
    expect(problemOf(other)).toMatchObject({ status: 403, code: 'CLY_FENCE_TENANT' });
    const own = await vendor.send({ ...sent, headers: { ...BEARER, 'x-tenant-id': 'acme', 'x-actor-id': 'touch' } });
    expect(own.status).toBe(201);
  });
});

function pairs(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, at) => [raw[2 * at] as string, raw[2 * at + 1] as string]);
}
