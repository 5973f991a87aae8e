// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { warehouseEntry } from '@clyra/cli/local/warehouse-source';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { RecorderProcess } from '@clyra/recorder/test-support/recorder-process';
import { RecorderStack } from '@clyra/recorder/test-support/recorder-stack';
import { START_MS, TENANT } from '@clyra/testing/fold-script';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SnowflakeServer, STANDIN_PASSWORD, STANDIN_SYSTEM_ID, STANDIN_USER } from './snowflake-server.ts';
import { deliveriesOf, drawFate, drawStatement, GUARDED, isTold } from './true-history.ts';

const SEED = 11;
const STATEMENTS = 240;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const QUERY_LAG_MS = 45 * MINUTE;
const KILLS = 5;
/** From a killed recorder's first look to somewhere in its writing. */
const ALIVE_MS_MAX = 2_500;

describe('a recorder of a Snowflake account that is killed', () => {
  const random = new SeededRandom(SEED);
  let server: SnowflakeServer;
  let stack: RecorderStack;
  let recorder: RecorderProcess | undefined;

  beforeAll(async () => {
    server = await SnowflakeServer.start();
    stack = await RecorderStack.start([{ sourceId: 'snow', systemId: STANDIN_SYSTEM_ID }]);
    const passwordFile = join(stack.folder, 'password');
    await writeFile(passwordFile, `${STANDIN_PASSWORD}\n`, { mode: 0o600 });
    const entry = warehouseEntry(
      'snowflake',
      { source_id: 'snow', tenant: TENANT },
      {
        ...{ account: 'ORG-ACME', address: server.address, user: STANDIN_USER, passwordFile },
        ...{ guard: [GUARDED], redemptions: 'CLYRA.GUARD.REDEMPTIONS', accessHistory: false },
      },
    );
    const sources = [{ ...entry, poll_seconds: 1 }];
    await writeFile(join(stack.folder, 'snow.json'), JSON.stringify(sources), { mode: 0o600 });
  }, 300_000);

  afterAll(async () => {
    await recorder?.end('SIGTERM');
    await stack?.stop();
    await server?.kill();
  }, 60_000);

  const started = async (): Promise<RecorderProcess> => {
    const made = new RecorderProcess({ ...stack.environment, CLYRA_SOURCES_FILE: join(stack.folder, 'snow.json') });
    await made.until(({ state }) => state === 'streaming');
    return made;
  };

  it('tells each statement of its history once, through the real driver and the real log', async () => {
    await server.order({ clear: true, clock_ms: START_MS });
    recorder = await started();
    const pairs = Array.from({ length: STATEMENTS }, (_, index) => {
      const statement = drawStatement(random, index, START_MS + MINUTE + random.nextInt(0, 3 * HOUR));
      const fate = drawFate(random, { queryLagMs: QUERY_LAG_MS, accessLagMs: HOUR }, { late: 0, missing: 0 });
      return [statement, fate] as const;
    });
    await server.order({ deliver: deliveriesOf(pairs) });
    let nowMs = START_MS;
    for (let kill = 0; kill < KILLS; kill += 1) {
      nowMs += HOUR;
      await server.order({ clock_ms: nowMs });
      await delay(random.nextInt(0, ALIVE_MS_MAX));
      await recorder.kill();
      recorder = await started();
    }
    // What the last one covers by itself is beyond everything that ran.
    await server.order({ clock_ms: nowMs + HOUR });
    await recorder.until(({ covers_until }) => (covers_until ?? 0) >= nowMs - HOUR);

    const observed = (await stack.observed()).filter(({ body }) => body['source_id'] === 'snow');
    const told = observed.flatMap(({ body }) =>
      body['kind'] === 'transaction' ? [body['statement'] as JsonObject] : [],
    );
    const expected = pairs.flatMap(([statement]) => (isTold(statement) ? [statement.id] : []));
    expect(expected.length).toBeGreaterThan(STATEMENTS / 4);
    expect(told.map(({ id }) => id).sort()).toEqual(expected.sort());
    expect(observed.filter(({ body }) => body['kind'] === 'gap')).toEqual([]);
    expect(observed.filter(({ body }) => body['kind'] === 'coverage')).toHaveLength(KILLS + 1);
  }, 240_000);
});
