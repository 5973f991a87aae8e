// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { LocalServer } from '@clyra/testing/local-server';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { faultSizes } from './world/config.ts';
import { contactLines, type Digested, digestOfLines, sendLines } from './world/contact-lines.ts';
import { FaultWorld } from './world/fault-world.ts';
import { readLogFacts } from './world/log-facts.ts';
import { printTable } from './world/print-table.ts';
import { residentMegabytes, watchMemory } from './world/resident-memory.ts';
import { WORLD_TENANT } from './world/world-policy.ts';

const { bodyMegabytes, seed, keepsFolder } = faultSizes();
const TEST_MS = 300_000;
const MEGABYTE = 1_048_576;
const GROWTH_MB_MAX = 64;
const WARM_UP_MB = 4;

let world: FaultWorld;
let upstream: LocalServer;
const arrived: Digested[] = [];

beforeAll(async () => {
  world = await FaultWorld.start({ name: 'bodies', parts: ['kafka', 'registry'], seed, keepsFolder });
  upstream = await LocalServer.start((request, response) => {
    const hash = createHash('sha256');
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      size += chunk.length;
    });
    request.on('end', () => {
      arrived.push({ sha256: hash.digest('hex'), size });
      response.statusCode = 201;
      response.end('{}');
    });
  });
  world.onClose(() => upstream.close());
  const env = { CLYRA_UPSTREAMS: `crm=${upstream.url}`, CLYRA_SPOOL_COUNT_MAX: '2' };
  await Promise.all([world.service('enforcer').start(), world.service('intake', { env }).start()]);
  await world.openTenant(1_000);
}, TEST_MS);

afterAll(() => world?.close(), TEST_MS);

const sending = (): { gatewayUrl: string; credential: FaultWorld['parts']['credential']; deadlineMs: number } => ({
  gatewayUrl: world.parts.settings.gateway_url,
  credential: world.parts.credential,
  deadlineMs: TEST_MS,
});
const sized = (megabytes: number): { blocks: () => Iterable<Buffer>; digest: Digested } => {
  const blocks = (): Iterable<Buffer> => contactLines(megabytes * MEGABYTE, WORLD_TENANT);
  return { blocks, digest: digestOfLines(blocks()) };
};
const spooled = async (): Promise<string[]> => {
  const folder = join(world.parts.local.layout.stateDir, 'intake');
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => name.endsWith('.body'));
};

describe('a body that is larger than any memory set aside for it', () => {
  it(
    `streams through with less than ${GROWTH_MB_MAX} MB of growth: ${bodyMegabytes} MB`,
    async () => {
      const pid = world.service('intake').pid ?? 0;
      const warm = sized(WARM_UP_MB);
      expect(await sendLines(warm.blocks(), warm.digest, sending())).toMatchObject({ status: 201 });
      const { blocks, digest } = sized(bodyMegabytes);
      const beforeMb = residentMegabytes(pid);
      const watch = watchMemory(pid);
      const startMs = performance.now();
      const answer = await sendLines(blocks(), digest, sending());
      const tookS = (performance.now() - startMs) / 1_000;
      const growthMb = watch.stop() - beforeMb;
      printTable('A streamed body', [
        ['megabytes', bodyMegabytes],
        ['seconds, from the first byte to the answer', tookS.toFixed(1)],
        ['megabytes a second', (bodyMegabytes / tookS).toFixed(1)],
        ['intake before, MB', beforeMb.toFixed(0)],
        ['growth at most, MB', growthMb.toFixed(0)],
      ]);
      expect(answer).toEqual({ status: 201, text: '{}' });
      expect(arrived.at(-1)).toEqual(digest);
      expect(growthMb).toBeLessThan(GROWTH_MB_MAX);
      const { changes } = await readLogFacts(world);
      const facts = changes.map(({ body }) => body['facts'] as Record<string, unknown> | undefined);
      expect(facts.find((one) => one?.['payload_digest'] === digest.sha256)).toMatchObject({
        payload_size: digest.size,
        items: { form: 'ndjson' },
        schema: { verdict: 'valid' },
      });
      expect(await spooled()).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'is not forwarded when one of its lines does not fit, however late it comes',
    async () => {
      const before = arrived.length;
      const blocks = [...contactLines(2 * MEGABYTE, WORLD_TENANT), Buffer.from('{"id":"last","tenant":"acme"}\n')];
      const answer = await sendLines(blocks, digestOfLines(blocks), sending());
      expect({ status: answer.status, problem: JSON.parse(answer.text) as unknown }).toMatchObject({
        status: 422,
        problem: { code: 'CLY_SCHEMA_INVALID', receipt_id: expect.any(String) },
      });
      expect([arrived.length, await spooled()]).toEqual([before, []]);
    },
    TEST_MS,
  );

  it(
    'leaves nothing after kill -9 in the middle of it: no forwarding, no record, and no file once intake is back',
    async () => {
      const before = arrived.length;
      // Of another size than any body that was recorded before.
      const { blocks, digest } = sized(3);
      const sent = sendLines(slowly(blocks()), digest, sending()).catch(() => 'cut');
      while ((await spooled()).length === 0) await pause(50);
      const intake = world.service('intake');
      await intake.kill();
      expect(await sent).toBe('cut');
      expect(await spooled()).toHaveLength(1);
      await intake.start();
      expect(await spooled()).toEqual([]);
      const { changes } = await readLogFacts(world);
      const recorded = changes.filter(
        ({ body }) => (body['facts'] as Record<string, unknown> | undefined)?.['payload_digest'] === digest.sha256,
      );
      expect([recorded.length, arrived.length]).toEqual([0, before]);
      expect(await sendLines(sized(1).blocks(), sized(1).digest, sending())).toMatchObject({ status: 201 });
    },
    TEST_MS,
  );
});

async function* slowly(blocks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  for (const block of blocks) {
    yield block;
    await pause(200);
  }
}
