// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { warehouseEntry } from '@clyra/cli/local/warehouse-source';
import { START_MS, TENANT } from '@clyra/testing/fold-script';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { KilledRecorder } from '../test-support/killed-recorder.ts';
import { DeltaTables } from './delta-tables.ts';
import { selfSigned } from './self-signed.ts';
import { ThriftDoor } from './thrift-door.ts';
import { drawCommits, shown } from './true-commits.ts';

const SEED = 12;
const TABLE = 'main.crm.contacts';
const TABLE_ID = '5c1ab-contacts';
const TOKEN = 'dapi-stand-in';
const SYSTEM_ID = 'databricks:aws:eu-central-1:11111111-2222-3333-4444-555555555555';
const COMMITS_BEFORE = 5;
/** A minute apart on average: four hours, of which each recorder is shown one more. */
const COMMITS = 240;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LAG_MS = 5 * MINUTE;
const KILLS = 5;
/** From a killed recorder's first look to somewhere in its writing. */
const ALIVE_MS_MAX = 2_500;

describe('a recorder of a Databricks workspace that is killed', () => {
  const random = new SeededRandom(SEED);
  const tables = new DeltaTables();
  let door: ThriftDoor;
  let recorder: KilledRecorder;

  beforeAll(async () => {
    const certificate = await selfSigned();
    door = await ThriftDoor.open(tables.answer, { certificate, token: TOKEN });
    recorder = await KilledRecorder.open({ sourceId: 'lake', systemId: SYSTEM_ID }, async (folder) => {
      const [tokenFile, tlsCaFile] = [join(folder, 'token'), join(folder, 'ca.pem')];
      await writeFile(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
      await writeFile(tlsCaFile, certificate.cert);
      const source = { source_id: 'lake', tenant: TENANT };
      return warehouseEntry('databricks', source, {
        ...{ host: '127.0.0.1', port: door.port, path: '/sql/1.0/warehouses/stand-in', tokenFile, tlsCaFile },
        ...{ guard: [TABLE], accessHistory: false },
      });
    });
  }, 300_000);

  afterAll(async () => {
    await recorder?.close();
    await door?.close();
  }, 60_000);

  it('tells each version of its table once, through the real driver and the real log', async () => {
    tables.nowMs = START_MS;
    tables.create(TABLE, TABLE_ID);
    const before = drawCommits(random, { first: 0, count: COMMITS_BEFORE, fromMs: START_MS - HOUR });
    tables.show(
      TABLE,
      before.map((commit) => shown(commit, 0)),
    );
    await recorder.start();
    const commits = drawCommits(random, { first: COMMITS_BEFORE, count: COMMITS, fromMs: START_MS });
    const rows = commits.map((commit) => shown(commit, commit.atMs + random.nextInt(0, LAG_MS - MINUTE)));
    // In any order, and some of them twice.
    tables.show(TABLE, random.shuffle([...rows, ...rows.filter(() => random.chance(0.2))]));
    for (let kill = 0; kill < KILLS; kill += 1) {
      tables.nowMs += HOUR;
      await recorder.killAfter(random.nextInt(0, ALIVE_MS_MAX));
    }
    const lastMs = commits.at(-1)?.atMs ?? 0;
    tables.nowMs = Math.max(tables.nowMs, lastMs) + HOUR;
    await recorder.covers(lastMs + MINUTE);

    const { ids, gaps, coverageCount } = await recorder.told();
    expect([...ids].sort()).toEqual(commits.map(({ version }) => `${TABLE_ID}@${version}`).sort());
    expect(gaps).toEqual([]);
    expect(coverageCount).toBe(KILLS + 1);
  }, 240_000);
});
