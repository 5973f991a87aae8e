// SPDX-License-Identifier: Apache-2.0
import { signRequest } from '@clyra/core/inspection/request-signature';
import { silentLogger } from '@clyra/core/ports/logger';
import { type Service, startService } from '@clyra/runtime/service-shell';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { IntakeProcessor } from '../intake.processor.ts';
import { IntakeWorld, SECRET, TENANT } from '../test-support/intake-world.ts';
import { registerApiRoutes } from './api-routes.ts';

describe('the API over HTTP', () => {
  const world = new IntakeWorld({ realTime: true });
  let intake: IntakeProcessor;
  let service: Service;
  let serial = 0;

  beforeAll(async () => {
    intake = await world.open();
    service = await startService({
      name: 'intake',
      http: { host: '127.0.0.1', port: 0 },
      logger: silentLogger,
      clock: world.clock,
      routes: (scope) => registerApiRoutes(scope, () => intake),
    });
  });

  afterAll(async () => {
    await service.close();
    await intake.stop(2_000);
  });

  async function ask(asked: string, { body = '', signed = true }: { body?: string; signed?: boolean } = {}) {
    const [method = '', target = ''] = asked.split(' ');
    serial += 1;
    const nonce = `api-nonce-${String(serial).padStart(16, '0')}`;
    const caller = { keyId: 'key-1', secret: SECRET, tenant: TENANT, actor: 'bot', nowMs: Date.now(), nonce };
    const headers = signed ? signRequest({ ...caller, method, target, body }) : {};
    const content = body === '' ? {} : { body };
    const response = await fetch(`${service.url}${target}`, { method, headers, ...content });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  it('shows a tenant', async () => {
    expect(await ask(`GET /v1/tenants/${TENANT}`, { signed: false })).toMatchObject({
      status: 200,
      body: { partition: 1, policy: world.policy.digest, switches: [] },
    });
    expect(await ask('GET /v1/tenants/other', { signed: false })).toMatchObject({
      status: 403,
      body: { code: 'CLY_TENANT_UNKNOWN' },
    });
  });

  it('opens and closes a run for a caller that signs', async () => {
    expect(await ask('POST /v1/runs', { body: '{"run_id":"r-1","actor":"bot"}' })).toMatchObject({
      status: 201,
      body: { run_id: 'r-1', receipt: { decision: 'allow' } },
    });
    expect(await ask('POST /v1/runs/r-1/close')).toMatchObject({ status: 200, body: { count: 1 } });
    expect(await ask('POST /v1/runs', { body: '{}', signed: false })).toMatchObject({
      status: 401,
      body: { code: 'CLY_AUTH_MISSING' },
    });
    expect(await ask('POST /v1/runs', { body: 'x'.repeat(9_000) })).toMatchObject({ status: 413 });
  });

  it('finds no change that was never made, and takes no malformed command', async () => {
    const eventId = intake.api.writer.write({ partition: 0, tenant: TENANT, kind: 'x', members: {} }).eventId;
    expect(await ask(`GET /v1/changes/${eventId}`)).toMatchObject({
      status: 404,
      body: { code: 'CLY_CHANGE_NOT_FOUND' },
    });
    expect(await ask('POST /v1/commands', { body: '{"command":{}}', signed: false })).toMatchObject({ status: 400 });
    expect(await ask('POST /v1/commands', { body: '{', signed: false })).toMatchObject({
      status: 400,
      body: { code: 'CLY_JSON_SYNTAX' },
    });
  });
});
