// SPDX-License-Identifier: Apache-2.0
import { createHmac, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalServer } from '@clyra/testing/local-server';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FaultWorld } from '../faults/world/fault-world.ts';
import { WORLD_PARTITION, WORLD_TENANT } from '../faults/world/world-policy.ts';
import { TelephonyPartner } from '../standins/telephony/telephony-partner.ts';
import { e2eSizes } from './config.ts';
import { runClyra } from './run-clyra.ts';

const START_MS = 180_000;
const TEST_MS = 60_000;
const CLI_DEADLINE_MS = 60_000;
const SEND_MS = 15_000;
const CRM_KEY = `Bearer ${randomBytes(12).toString('hex')}`;
const SEGMENT_SECRET = randomBytes(16).toString('hex');
const TOKEN = `Bearer ${randomBytes(12).toString('hex')}`;
const PARTNER_SECRET = randomBytes(24);
const POLICY = `
name: deliveries
routes:
  - { id: events, method: POST, path: /events, upstream: crm, adapter: segment }
  - { id: users, method: POST, path: /users, upstream: crm, adapter: hightouch }
  - { id: calls, method: POST, path: /calls, upstream: crm, adapter: hightouch }
idempotency:
  - { routes: [events, users, calls], ttl_seconds: 86400 }
voice:
  - { id: spoken, routes: [calls], asserted_by: partner, attestation_min: A, session: /session, effect: block }
`;

type Arrival = { readonly path: string; readonly body: string; readonly key: string };

const arrivals: Arrival[] = [];
let world: FaultWorld;

beforeAll(async () => {
  world = await FaultWorld.start({ name: 'deliveries', parts: ['kafka', 'registry'], seed: e2eSizes().seed });
  const crm = await LocalServer.start((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const key = String(request.headers.authorization ?? '');
      arrivals.push({ path: request.url ?? '', body: Buffer.concat(chunks).toString(), key });
      response.statusCode = 201;
      response.end('{}');
    });
  });
  world.onClose(() => crm.close());
  const file = join(world.parts.folder, 'activation.json');
  const whsec = `whsec_${PARTNER_SECRET.toString('base64')}`;
  const token = { header: 'authorization', value: TOKEN };
  const activation = {
    sources: [
      { name: 'segment', kind: 'segment', tenant: WORLD_TENANT, actor: 'segment', secrets: [SEGMENT_SECRET] },
      { name: 'touch', kind: 'hightouch', tenant: WORLD_TENANT, actor: 'touch', token, ids: ['/id', '/at'] },
    ],
    partners: [{ name: 'pbx', tenant: WORLD_TENANT, secrets: [whsec] }],
    destinations: [{ upstream: 'crm', headers: { authorization: CRM_KEY } }],
  };
  await writeFile(file, JSON.stringify(activation), { mode: 0o600 });
  const env = { CLYRA_UPSTREAMS: `crm=${crm.url}`, CLYRA_HOLD_MS: '10000', CLYRA_ACTIVATION_FILE: file };
  await Promise.all([world.service('intake', { env }).start(), world.service('enforcer').start()]);
  const policy = join(world.parts.folder, 'deliveries.yaml');
  await writeFile(policy, POLICY);
  const { dataDir } = world.parts.local.layout;
  const open = ['tenant', 'open', WORLD_TENANT, '--policy', policy, '--partition', String(WORLD_PARTITION)];
  const opened = await runClyra(['--data-dir', dataDir, ...open], CLI_DEADLINE_MS);
  if (opened.code !== 0) throw new Error(`the tenant was not opened: ${opened.stdout}${opened.stderr}`);
}, START_MS);

afterAll(() => world?.close(), START_MS);

type Answer = { readonly status: number; readonly results: readonly string[] };

async function send(path: string, body: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const response = await fetch(`${world.parts.settings.gateway_url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
    signal: AbortSignal.timeout(SEND_MS),
  });
  const answer = (await response.json()) as { results?: { result: string }[]; code?: string };
  const results = answer.results?.map(({ result }) => result) ?? (answer.code === undefined ? [] : [answer.code]);
  return { status: response.status, results };
}

/** As its vendor does: again while it is told to. */
async function untilTaken(path: string, body: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  for (;;) {
    const answer = await send(path, body, headers);
    if (answer.status !== 503) return answer;
  }
}

describe('deliveries to a running gateway', () => {
  it(
    'of Segment have one effect, with the key that only the gateway holds',
    async () => {
      const body = '{"messageId":"m-1","type":"track"}';
      const signed = { 'x-signature': createHmac('sha1', SEGMENT_SECRET).update(body).digest('hex') };
      const many = await Promise.all(Array.from({ length: 8 }, () => send('/hooks/segment/events', body, signed)));
      expect(many.filter(({ status }) => status === 201)).toHaveLength(1);
      expect(await untilTaken('/hooks/segment/events', body, signed)).toEqual({
        status: 200,
        results: ['applied_before'],
      });
      expect(await send('/hooks/segment/events', `${body} `, signed)).toEqual({
        status: 401,
        results: ['CLY_ACTIVATION_SIGNATURE'],
      });
      expect(arrivals.splice(0)).toEqual([{ path: '/events', body, key: CRM_KEY }]);
    },
    TEST_MS,
  );

  it(
    'of Hightouch are changes row by row, and known again when a batch comes in pieces',
    async () => {
      const rows = Array.from({ length: 40 }, (_, id) => ({ id, at: 'monday' }));
      const all = JSON.stringify(rows);
      const bearer = { authorization: TOKEN };
      const first = await untilTaken('/hooks/touch/users', all, bearer);
      expect([first.status, first.results.length]).toEqual([200, 40]);
      for (const half of [rows.slice(0, 20), rows.slice(20)]) {
        const again = await untilTaken('/hooks/touch/users', JSON.stringify(half), bearer);
        expect(again.status).toBe(200);
        expect(new Set(again.results)).toEqual(new Set(['applied_before']));
      }
      const bodies = arrivals.splice(0).map((one) => one.body);
      expect(bodies.sort()).toEqual(rows.map((row) => JSON.stringify([row])).sort());
    },
    TEST_MS,
  );

  it(
    'of a voice agent are decided on what the telephony partner reported',
    async () => {
      const pbx = new TelephonyPartner({
        name: 'pbx',
        secret: PARTNER_SECRET,
        nowMs: () => Date.now(),
        transport: async (path, body, headers) => (await send(path, body, headers)).status,
      });
      const act = (id: number): Promise<Answer> =>
        send('/hooks/touch/calls', JSON.stringify({ id, at: 'now', session: 'vs-1' }), { authorization: TOKEN });
      expect(await act(1)).toEqual({ status: 403, results: ['CLY_VOICE_UNATTESTED'] });
      pbx.invite('vs-1', { number: '12155551212' });
      pbx.disclaim('vs-1');
      expect(await pbx.deliver()).toBe(200);
      expect((await act(2)).status).toBe(201);
      pbx.say('vs-1', 'call.ended');
      expect(await pbx.deliver()).toBe(200);
      expect(await act(3)).toEqual({ status: 403, results: ['CLY_VOICE_ENDED'] });
      expect(arrivals.splice(0)).toMatchObject([{ path: '/calls' }]);
    },
    TEST_MS,
  );
});
