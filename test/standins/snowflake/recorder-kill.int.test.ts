// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { warehouseEntry } from '@clyra/cli/local/warehouse-source';
import { START_MS, TENANT } from '@clyra/testing/fold-script';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { KilledRecorder } from '../test-support/killed-recorder.ts';
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
  let recorder: KilledRecorder;

  beforeAll(async () => {
    server = await SnowflakeServer.start();
    recorder = await KilledRecorder.open({ sourceId: 'snow', systemId: STANDIN_SYSTEM_ID }, async (folder) => {
      const passwordFile = join(folder, 'password');
      await writeFile(passwordFile, `${STANDIN_PASSWORD}\n`, { mode: 0o600 });
      const source = { source_id: 'snow', tenant: TENANT };
      return warehouseEntry('snowflake', source, {
        ...{ account: 'ORG-ACME', address: server.address, user: STANDIN_USER, passwordFile },
        ...{ guard: [GUARDED], redemptions: 'CLYRA.GUARD.REDEMPTIONS', accessHistory: false },
      });
    });
  }, 300_000);

  afterAll(async () => {
    await recorder?.close();
    await server?.kill();
  }, 60_000);

  it('tells each statement of its history once, through the real driver and the real log', async () => {
    await server.order({ clear: true, clock_ms: START_MS });
    await recorder.start();
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
      await recorder.killAfter(random.nextInt(0, ALIVE_MS_MAX));
    }
    // What the last one covers by itself is beyond everything that ran.
    await server.order({ clock_ms: nowMs + HOUR });
    await recorder.covers(nowMs - HOUR);

    const { ids, gaps, coverageCount } = await recorder.told();
    const expected = pairs.flatMap(([statement]) => (isTold(statement) ? [statement.id] : []));
    expect(expected.length).toBeGreaterThan(STATEMENTS / 4);
    expect([...ids].sort()).toEqual(expected.sort());
    expect(gaps).toEqual([]);
    expect(coverageCount).toBe(KILLS + 1);
  }, 240_000);
});
