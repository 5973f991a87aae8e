// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import { sleep } from '@clyra/core/ports/clock';
import { makeTestKey } from '@clyra/testing/test-keys';
import { describe, expect, it } from '@jest/globals';
import { IntakeWorld, KEYS, okResult, POLICY_TEXT, problemOf } from '../test-support/intake-world.ts';

describe('gateway', () => {
  it('forwards an allowed change with its token and reports its outcome', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    const answer = await world.during(
      intake.gateway.handle(world.request({ extra: ['Clyra-Receipt', 'forged', 'X-Own', 'kept'] })),
    );
    expect(answer.status).toBe(201);
    expect(answer.headers['clyra-receipt']).toMatch(/^[0-9a-f]{32}$/);
    const [request] = world.forwarded;
    const headers = headersOf(request?.headers ?? []);
    expect(headers).toMatchObject({ 'x-own': ['kept'], 'clyra-receipt': [answer.headers['clyra-receipt']] });
    expect(Object.keys(headers).filter((name) => name.startsWith('x-clyra-') || name === 'host')).toEqual([]);
    const [change] = world.changesOf('change.requested') as { facts: { execution_token_hash: string } }[];
    expect(digestOf(headers['clyra-execution-token']?.[0] ?? '')).toBe(change?.facts.execution_token_hash);
    await world.pass(200);
    expect(world.changesOf('change.outcome')).toMatchObject([
      { of: answer.headers['clyra-event-id'], outcome: 'done', upstream_status: 201 },
    ]);
  });

  it('blocks a proved request that lacks a header which the policy asks for, under the rule that asks for it', async () => {
    const required = 'tenant_fences: { required_headers: [x-tenant-id, x-actor-id], ';
    const world = new IntakeWorld({ policyText: POLICY_TEXT.replace('tenant_fences: { ', required) });
    const intake = await world.open();
    for (const [missing, sent] of [
      ['x-tenant-id', { tenant: '' }],
      ['x-actor-id', { actor: '' }],
    ] as const) {
      const answer = await world.during(intake.gateway.handle(world.request(sent)));
      expect(answer.headers['clyra-receipt']).toEqual(expect.any(String));
      expect(problemOf(answer)).toMatchObject({
        status: 403,
        code: 'CLY_FENCE_HEADER',
        reasons: [{ code: 'CLY_FENCE_HEADER', rule: 'tenant_fences', detail: missing }],
      });
    }
    const forged = world.request({ tenant: '', secret: Buffer.from('another secret of 32 bytes and so') });
    expect(problemOf(await world.during(intake.gateway.handle(forged)))).toMatchObject({ code: 'CLY_AUTH_MALFORMED' });
    expect(world.forwarded).toEqual([]);
  });

  it('refuses a proved request that names nobody where no rule asks for that', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    for (const sent of [{ tenant: '' }, { actor: '' }]) {
      const answer = await world.during(intake.gateway.handle(world.request(sent)));
      expect(problemOf(answer)).toMatchObject({ status: 401, code: 'CLY_AUTH_MALFORMED' });
    }
    expect(world.changesOf('change.requested')).toEqual([]);
  });

  it('answers 503 at the deadline, forwards nothing, and never forwards a late allow', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    world.enforcer.silent = true;
    const before = world.clock.nowMs();
    const answer = await world.during(intake.gateway.handle(world.request()));
    expect(world.clock.nowMs() - before).toBeGreaterThanOrEqual(800);
    expect(world.clock.nowMs() - before).toBeLessThan(900);
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(problemOf(answer)).toMatchObject({ code: 'CLY_RECEIPT_DEADLINE', event_id: expect.any(String) });
    await world.enforcer.publish(world.enforcer.decided.slice(-1));
    await world.pass(5_000);
    expect(world.forwarded).toEqual([]);
    expect(world.changesOf('change.outcome')).toMatchObject([{ outcome: 'not_forwarded', detail: 'deadline' }]);
  });

  it('ignores a receipt that no trusted enforcer signed', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    world.enforcer.silent = true;
    const answered = intake.gateway.handle(world.request());
    await world.pass(50);
    await world.enforcer.publish(world.enforcer.decided.slice(-1), makeTestKey('mallory', ['enforcer']));
    expect((await world.during(answered)).status).toBe(503);
    expect(world.forwarded).toEqual([]);
  });

  it('answers a frozen log within the deadline, then stops admission until outcomes drain', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    world.log.freeze();
    const first = await world.during(intake.gateway.handle(world.request()));
    expect(problemOf(first)).toMatchObject({ status: 503, code: 'CLY_RECEIPT_DEADLINE' });
    await world.pass(5_100);
    const before = world.clock.nowMs();
    const second = await world.during(intake.gateway.handle(world.request()));
    expect(problemOf(second)).toMatchObject({ status: 503, code: 'CLY_INTAKE_OUTCOMES_WAIT' });
    expect(world.clock.nowMs()).toBe(before);
    world.log.thaw();
    await world.pass(10_000);
    expect(intake.outcomes.size).toBe(0);
    expect((await world.during(intake.gateway.handle(world.request()))).status).toBe(201);
    expect(world.forwarded).toHaveLength(1);
  });

  it('says not_forwarded when the client has left before the receipt', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    world.enforcer.silent = true;
    const request = world.request();
    const answered = intake.gateway.handle(request);
    await world.pass(20);
    request.leave();
    await world.during(answered);
    await world.pass(2_000);
    expect(world.forwarded).toEqual([]);
    expect(world.changesOf('change.outcome')).toMatchObject([{ outcome: 'not_forwarded', detail: 'client_gone' }]);
  });

  it('reports what came of an upstream that fails, and gives back what was surely not sent', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    const answers = [
      { kind: 'answered', status: 500, headers: {}, body: new Uint8Array() },
      { kind: 'failed', detail: 'upstream_timeout', timedOut: true },
      { kind: 'failed', detail: 'upstream_econnreset', timedOut: false },
      { kind: 'not_sent', detail: 'upstream_unreachable' },
    ] as const;
    const statuses: number[] = [];
    for (const result of answers) {
      world.answer = () => result;
      statuses.push((await world.during(intake.gateway.handle(world.request()))).status);
    }
    expect(statuses).toEqual([500, 504, 502, 502]);
    await world.pass(500);
    expect(world.changesOf('change.outcome')).toMatchObject([
      { outcome: 'failed', upstream_status: 500 },
      { outcome: 'failed', detail: 'upstream_timeout' },
      { outcome: 'failed', detail: 'upstream_econnreset' },
      { outcome: 'not_forwarded', detail: 'upstream_unreachable' },
    ]);
  });

  it('refuses under an engaged kill switch until two persons lift it', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    const engaged = await world.command(intake, 'kill_switch.engaged', {
      signers: [KEYS.operator],
      scope: 'route:refunds.create',
      reason: 'drill',
    });
    expect(engaged.status).toBe(200);
    const answer = await world.during(intake.gateway.handle(world.request()));
    expect(problemOf(answer)).toMatchObject({ status: 423, code: 'CLY_KILL_SWITCH', decision: 'block' });
    const lifted = await world.command(intake, 'kill_switch.lifted', {
      signers: [KEYS.operator, KEYS.second],
      scope: 'route:refunds.create',
      reason: 'over',
    });
    expect(lifted.status).toBe(200);
    expect((await world.during(intake.gateway.handle(world.request()))).status).toBe(201);
  });

  it('inspects again once when the policy has moved', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    const next = world.addPolicy(POLICY_TEXT.replace('name: payments', 'name: payments-2'));
    const activation = world.submit(intake, 'policy.activated', {
      signers: [KEYS.author, KEYS.approver],
      policy: next.digest,
      replaces: world.policy.digest,
    });
    // The request is inspected while the activation is on its way: the log decides which of them comes first.
    await world.pass(1);
    const answer = await world.during(intake.gateway.handle(world.request()));
    expect((await world.during(activation)).status).toBe(200);
    expect(answer.status).toBe(201);
    const requested = world.changesOf('change.requested') as { event_id: string; supersedes?: string }[];
    expect(requested).toHaveLength(2);
    expect(requested[1]?.supersedes).toBe(requested[0]?.event_id);
    expect(answer.headers['clyra-event-id']).toBe(requested[1]?.event_id);
  });

  it('forwards in review mode whatever would have been decided, and records the change', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    const request = world.request({ target: '/v1/watched', body: '{"nonsense":true}' });
    const answer = await world.during(intake.gateway.handle(request));
    expect(answer.status).toBe(201);
    await world.pass(200);
    expect(world.changesOf('change.requested')).toHaveLength(1);
    expect(world.changesOf('change.outcome')).toHaveLength(1);
  });

  it('answers each refusal of the enforcer with its status', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    const handle = (sent: Parameters<IntakeWorld['request']>[0]) =>
      world.during(intake.gateway.handle(world.request(sent)));
    const repeated = { idempotencyKey: 'twice' };
    expect((await handle(repeated)).status).toBe(201);
    await world.pass(200);
    const repeat = await handle(repeated);
    expect(repeat).toMatchObject({ status: 409, headers: { 'idempotent-replayed': 'true' } });
    expect(problemOf(repeat)).toMatchObject({ code: 'CLY_IDEMPOTENCY_REPEAT', first: { outcome: 'done' } });
    expect((await handle({ ...repeated, body: '{"account":"a-2","amount":6}' })).status).toBe(422);
    const held = await handle({ target: '/v1/audiences', body: '{"a":1}' });
    expect(problemOf(held)).toMatchObject({
      status: 428,
      code: 'CLY_APPROVAL_REQUIRED',
      payload_hash: digestOf('{"a":1}'),
    });
    const invalid = await handle({ body: '{"account":"a-1","amount":"much"}' });
    expect(problemOf(invalid)).toMatchObject({
      status: 422,
      code: 'CLY_SCHEMA_INVALID',
      errors: [{ pointer: '/amount', detail: 'type' }],
    });
    expect(String(invalid.body)).not.toContain('much');
    expect(problemOf(await handle({ target: '/v1/elsewhere' }))).toMatchObject({
      status: 403,
      code: 'CLY_ROUTE_UNKNOWN',
    });
    expect(problemOf(await handle({ tenant: 'rival' }))).toMatchObject({ status: 403, code: 'CLY_FENCE_TENANT' });
    expect(problemOf(await handle({ actor: 'boss' }))).toMatchObject({ status: 403, code: 'CLY_FENCE_ACTOR' });
    expect(problemOf(await handle({ runId: 'never-opened' }))).toMatchObject({ status: 409, code: 'CLY_RUN_UNKNOWN' });
    expect(problemOf(await handle({ nonce: 'nonce-0000000000000001' }))).toMatchObject({
      status: 401,
      code: 'CLY_AUTH_REPLAYED',
    });
    expect(problemOf(await handle({ target: '/v1/nowhere' }))).toMatchObject({
      status: 502,
      code: 'CLY_UPSTREAM_NOT_LISTED',
    });
  });

  it('counts actions and says when the next may come', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    const put = () =>
      world.during(
        intake.gateway.handle(
          world.request({ method: 'PUT', target: '/v1/notes', body: 'text', contentType: 'text/plain' }),
        ),
      );
    const first = await put();
    expect(first.headers).toMatchObject({ 'ratelimit-policy': '"notes";q=3;w=60', ratelimit: '"notes";r=2;t=60' });
    await put();
    await put();
    const fourth = await put();
    expect(problemOf(fourth)).toMatchObject({ status: 429, code: 'CLY_VELOCITY_EXCEEDED' });
    expect(Number(fourth.headers['retry-after'])).toBeGreaterThan(50);
  });

  it('counts strangers at the edge and never in a log of a tenant', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    const handle = (sent: Parameters<IntakeWorld['request']>[0]) =>
      world.during(intake.gateway.handle(world.request(sent)));
    const statuses = [
      (await handle({ keyId: 'nobody' })).status,
      (await handle({ secret: Buffer.alloc(32) })).status,
      (await handle({ nowMs: world.clock.nowMs() - 300_001 })).status,
      (await handle({ nowMs: world.clock.nowMs() + 300_001 })).status,
    ];
    expect(statuses).toEqual([401, 401, 401, 401]);
    await world.pass(2_000);
    expect(world.edgeCounts()).toEqual({ CLY_AUTH_INVALID: 2, CLY_AUTH_TIMESTAMP: 2 });
    expect(world.changesOf('change.requested')).toEqual([]);
  });

  it('admits no more than it may have in flight', async () => {
    const world = new IntakeWorld();
    const intake = await world.open({ limits: { inFlightMax: 2 } });
    const answers = await world.during(Promise.all([1, 2, 3].map(() => intake.gateway.handle(world.request()))));
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, 201, 503]);
  });

  it('has one effect for each idempotency key, however many ask at once', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    world.answer = async () => {
      await sleep(world.clock, 100);
      return okResult();
    };
    const asked = Array.from({ length: 50 }, () => intake.gateway.handle(world.request({ idempotencyKey: 'same' })));
    const answers = await world.during(Promise.all(asked));
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
    expect(answers.filter((answer) => answer.status === 409)).toHaveLength(49);
    expect(world.forwarded).toHaveLength(1);
  });
});

function headersOf(raw: readonly string[]): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] as string;
    headers[name] = [...(headers[name] ?? []), raw[index + 1] as string];
  }
  return headers;
}
