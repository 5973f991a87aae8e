// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { type RequestToSign, signRequest } from '@clyra/core/inspection/request-signature';
import { describe, expect, it } from '@jest/globals';
import { tenantAnswer } from './api/tenant-desk.ts';
import { RequestHeaders } from './gateway/request-headers.ts';
import type { IntakeProcessor } from './intake.processor.ts';
import { IntakeWorld, KEYS, POLICY_TEXT, problemOf, SECRET, TENANT } from './test-support/intake-world.ts';

let serial = 0;

function ask(world: IntakeWorld, asked: string, { value, actor = 'bot' }: { value?: JsonObject; actor?: string } = {}) {
  const [method = '', target = ''] = asked.split(' ');
  serial += 1;
  const body = Buffer.from(value === undefined ? '' : JSON.stringify(value));
  const toSign: RequestToSign = {
    keyId: 'key-1',
    secret: SECRET,
    method,
    target,
    tenant: TENANT,
    actor,
    nowMs: world.clock.nowMs(),
    nonce: `api-nonce-${String(serial).padStart(16, '0')}`,
    body,
  };
  const headers = new RequestHeaders(Object.entries({ host: 'api', ...signRequest(toSign) }).flat());
  return { method, target, headers, body };
}

const find = (world: IntakeWorld, intake: IntakeProcessor, eventId: unknown) =>
  intake.callers.findChange(ask(world, `GET /v1/changes/${String(eventId)}`), String(eventId));

describe('intake', () => {
  it('opens each empty partition once', async () => {
    const world = new IntakeWorld();
    await world.startIntake();
    await world.startIntake({ intake: { instance: 'intake-2', epoch: 1 } });
    const streams = world.changesOf('stream.opened');
    expect(streams.map((stream) => stream['partition'])).toEqual([0, 1]);
    expect(streams[0]?.['stream_id']).not.toBe(streams[1]?.['stream_id']);
  });

  it('knows tenants, policies and switches again after a restart, and leaves open changes unknown', async () => {
    const world = new IntakeWorld();
    const first = await world.open();
    await world.command(first, 'kill_switch.engaged', {
      signers: [KEYS.operator],
      scope: 'actor:desk',
      reason: 'drill',
    });
    world.answer = () => new Promise(() => {});
    const request = world.request();
    void first.gateway.handle(request);
    await world.pass(500);
    const [change] = world.changesOf('change.requested');
    expect(problemOf(await find(world, first, change?.['event_id']))).toMatchObject({ state: 'allowed' });
    const second = await world.startIntake({ intake: { instance: 'intake-1', epoch: 2 } });
    await world.pass(500);
    expect(JSON.parse(String(tenantAnswer(second.api, TENANT).body))).toMatchObject({
      partition: 1,
      policy: world.policy.digest,
      switches: [{ scope: 'actor:desk' }],
      open_changes: 1,
      tick_number: 1,
    });
    expect(world.changesOf('clock.ticked')).toMatchObject([{ number: 1, intake: { epoch: 2 } }]);
    const resolved = await world.command(second, 'change.resolved', {
      signers: [KEYS.operator],
      of: change?.['event_id'] ?? '',
      resolution: 'not_done',
    });
    expect(resolved.status).toBe(200);
    await world.pass(100);
    expect(problemOf(await find(world, second, change?.['event_id']))).toMatchObject({ state: 'not_forwarded' });
  });

  it('acts on commands that another intake took', async () => {
    const world = new IntakeWorld();
    const first = await world.open();
    const second = await world.startIntake({ intake: { instance: 'intake-2', epoch: 1 } });
    const order = { signers: [KEYS.operator], scope: 'tenant', reason: 'drill' };
    expect((await world.command(first, 'kill_switch.engaged', order)).status).toBe(200);
    await world.pass(1_000);
    expect(second.directory.engagedSwitch(TENANT, { route: null, actor: 'bot' })).toBe('tenant');
    const next = world.addPolicy(POLICY_TEXT.replace('name: payments', 'name: payments-2'));
    const activation = { signers: [KEYS.author, KEYS.approver], policy: next.digest, replaces: world.policy.digest };
    expect((await world.command(second, 'policy.activated', activation)).status).toBe(200);
    await world.pass(1_000);
    expect(first.directory.get(TENANT)?.policy.digest).toBe(next.digest);
  });

  it('opens and closes runs, and places changes in them', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    const opened = await world.during(
      intake.callers.openRun(ask(world, 'POST /v1/runs', { value: { run_id: 'night-1', actor: 'bot' } })),
    );
    expect(opened).toMatchObject({ status: 201 });
    const again = await world.during(
      intake.callers.openRun(ask(world, 'POST /v1/runs', { value: { run_id: 'night-1' } })),
    );
    expect(problemOf(again)).toMatchObject({ status: 409, code: 'CLY_RUN_EXISTS', receipt: { kind: 'decided' } });
    const answer = await world.during(intake.gateway.handle(world.request({ runId: 'night-1' })));
    expect(answer.status).toBe(201);
    const closed = await world.during(intake.callers.closeRun(ask(world, 'POST /v1/runs/night-1/close'), 'night-1'));
    expect(problemOf(closed)).toMatchObject({
      run_id: 'night-1',
      count: expect.any(Number),
      receipt: { state_digest: expect.any(String) },
    });
    const foreign = await intake.callers.openRun(ask(world, 'POST /v1/runs', { actor: 'boss' }));
    expect(problemOf(foreign)).toMatchObject({ status: 403, code: 'CLY_FENCE_ACTOR' });
    const other = await intake.callers.openRun(ask(world, 'POST /v1/runs', { value: { actor: 'desk' } }));
    expect(problemOf(other)).toMatchObject({ status: 403, code: 'CLY_FENCE_ACTOR' });
  });

  it('says where a change stands, and only to its own tenant', async () => {
    const world = new IntakeWorld();
    const rival = { id: 'key-2', tenant: 'rival', actors: ['*'], secret: SECRET };
    const own = { id: 'key-1', tenant: TENANT, actors: ['*'], secret: SECRET };
    const intake = await world.open({
      credentials: new Map([
        ['key-1', own],
        ['key-2', rival],
      ]),
    });
    const done = await world.during(intake.gateway.handle(world.request()));
    const blocked = await world.during(intake.gateway.handle(world.request({ target: '/v1/elsewhere' })));
    await world.pass(200);
    const eventId = done.headers['clyra-event-id'];
    expect(problemOf(await find(world, intake, eventId))).toMatchObject({
      state: 'done',
      receipt: { decision: 'allow' },
    });
    expect(problemOf(await find(world, intake, blocked.headers['clyra-event-id']))).toMatchObject({
      state: 'blocked',
      codes: ['CLY_ROUTE_UNKNOWN'],
    });
    const target = `/v1/changes/${String(eventId)}`;
    const toSign = {
      keyId: 'key-2',
      secret: SECRET,
      method: 'GET',
      target,
      tenant: 'rival',
      actor: 'spy',
      nowMs: world.clock.nowMs(),
      nonce: 'rival-nonce-0000000',
    };
    const headers = new RequestHeaders(Object.entries({ host: 'api', ...signRequest(toSign) }).flat());
    const spied = await intake.callers.findChange(
      { method: 'GET', target, headers, body: new Uint8Array() },
      String(eventId),
    );
    expect(problemOf(spied)).toMatchObject({ status: 404, code: 'CLY_CHANGE_NOT_FOUND' });
    expect((await find(world, intake, '00000000-0000-7000-8000-000000000000')).status).toBe(410);
    expect((await find(world, intake, 'nonsense')).status).toBe(404);
  });

  it('closes windows by age and by count, once each, and none while nothing happens', async () => {
    const world = new IntakeWorld();
    const intake = await world.open({ keeper: { windowMs: 20_000, windowCount: 10 } });
    await world.pass(25_000);
    expect(world.changesOf('window.closed')).toMatchObject([{ number: 1 }]);
    await world.pass(60_000);
    expect(world.changesOf('window.closed')).toHaveLength(1);
    for (let count = 0; count < 6; count += 1) await world.during(intake.gateway.handle(world.request()));
    await world.pass(3_000);
    expect(world.changesOf('window.closed').map((window) => window['number'])).toEqual([1, 2]);
  });

  it('ticks for a silent tenant with open changes until their deadline has passed', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    world.answer = () => new Promise(() => {});
    void intake.gateway.handle(world.request());
    await world.pass(200_000);
    const numbers = world.changesOf('clock.ticked').map((tick) => tick['number'] as number);
    expect(numbers.length).toBeGreaterThanOrEqual(5);
    expect(numbers.length).toBeLessThanOrEqual(7);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });

  it('takes no command without a known signature, an open tenant or its documents', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    const unsigned = await world.command(intake, 'kill_switch.engaged', {
      signers: [KEYS.intake],
      scope: 'tenant',
      reason: 'x',
    });
    expect(problemOf(unsigned)).toMatchObject({ status: 403, code: 'CLY_COMMAND_SIGNATURE' });
    const missing = await world.command(intake, 'policy.activated', {
      signers: [KEYS.author, KEYS.approver],
      policy: 'a'.repeat(64),
      replaces: world.policy.digest,
    });
    expect(problemOf(missing)).toMatchObject({ status: 422, code: 'CLY_DOCUMENT_MISSING' });
    const stranger = await world.command(intake, 'kill_switch.engaged', {
      signers: [KEYS.operator],
      tenant: 'other',
      scope: 'tenant',
      reason: 'x',
    });
    expect(problemOf(stranger)).toMatchObject({ status: 403, code: 'CLY_TENANT_UNKNOWN' });
    const one = await world.command(intake, 'policy.activated', {
      signers: [KEYS.author],
      policy: world.policy.digest,
      replaces: world.policy.digest,
    });
    expect(problemOf(one)).toMatchObject({ status: 403, code: 'CLY_COMMAND_ROLE', receipt: { decision: 'block' } });
    expect((await intake.commands.submit(Buffer.from('{"command":1,"command":2}'))).status).toBe(400);
  });

  it('serves only tenants under a pinned trust root', async () => {
    const world = new IntakeWorld();
    await expect(world.open({ trustRootDigests: new Set(['0'.repeat(64)]) })).rejects.toThrow(
      'CLY_TRUST_ROOT_NOT_PINNED',
    );
  });

  it('stops by answering 503 and letting outcomes drain', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    await world.during(intake.gateway.handle(world.request()));
    await world.during(intake.stop(5_000));
    expect(world.changesOf('change.outcome')).toHaveLength(1);
    expect(problemOf(await intake.gateway.handle(world.request()))).toMatchObject({
      status: 503,
      code: 'CLY_INTAKE_STOPPING',
    });
  });
});
