// SPDX-License-Identifier: Apache-2.0

import { openDatabricksClient } from '@clyra/adapter-databricks/databricks-client';
import { versionsSince } from '@clyra/adapter-databricks/table-history';
import { queryPage } from '@clyra/adapter-snowflake/account-history';
import { openSnowflakeClient } from '@clyra/adapter-snowflake/snowflake-client';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { DeltaTables } from '../standins/databricks/delta-tables.ts';
import { selfSigned } from '../standins/databricks/self-signed.ts';
import { ThriftDoor } from '../standins/databricks/thrift-door.ts';
import { drawCommits, shown } from '../standins/databricks/true-commits.ts';
import { SnowflakeServer } from '../standins/snowflake/snowflake-server.ts';
import { deliveriesOf, drawStatement } from '../standins/snowflake/true-history.ts';

// How long the real drivers take for a page of history from the stand-ins: an account's own time is not in it.
const START_MS = 1_750_000_000_000;
const ROWS = 4_000;
const PAGE_ROWS = 1_000;
const PAGES = 4;
const RANGE = { fromMs: 0, fromVersion: 0, countMax: PAGE_ROWS };
const AT_ONCE = { queryDelayMs: 0, accessDelayMs: 0, isDoubled: false };

function say(what: string, timesMs: readonly number[]): void {
  const sorted = [...timesMs].sort((left, right) => left - right);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(0).padStart(6);
  process.stdout.write(`${what.padEnd(52)} p50 ${at(0.5)} ms   max ${at(1)} ms\n`);
}

async function timed(count: number, work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const beganMs = performance.now();
    await work();
    times.push(performance.now() - beganMs);
  }
  return times;
}

async function snowflake(): Promise<void> {
  const server = await SnowflakeServer.start();
  const client = openSnowflakeClient({ connection: server.connection });
  try {
    const random = new SeededRandom(1);
    const statements = Array.from({ length: ROWS }, (_, index) => drawStatement(random, index, START_MS + index * 100));
    const { statements: rows } = deliveriesOf(statements.map((statement) => [statement, AT_ONCE]));
    await server.order({ clock_ms: START_MS + 10 * ROWS * 100, deliver: { statements: rows } });
    let after: Awaited<ReturnType<typeof queryPage>>['next'] = null;
    const times = await timed(PAGES, async () => {
      after = (await queryPage(client, { fromMs: START_MS, after, rowsMax: PAGE_ROWS })).next;
    });
    say(`QUERY_HISTORY, ${PAGE_ROWS} of ${ROWS} rows a page`, times);
  } finally {
    await client.close();
    await server.kill();
  }
}

async function databricks(): Promise<void> {
  const certificate = await selfSigned();
  const tables = new DeltaTables();
  const door = await ThriftDoor.open(tables.answer, { certificate, token: 'bench' });
  const connection = {
    host: '127.0.0.1',
    port: door.port,
    path: '/sql/1.0/warehouses/bench',
    token: async () => 'bench',
  };
  const client = openDatabricksClient({ connection: { ...connection, tlsCa: certificate.cert } });
  try {
    tables.create('main.crm.contacts', 'bench');
    const commits = drawCommits(new SeededRandom(2), { first: 0, count: PAGE_ROWS, fromMs: START_MS });
    tables.show(
      'main.crm.contacts',
      commits.map((commit) => shown(commit, 0)),
    );
    const times = await timed(PAGES, () => versionsSince(client, 'main.crm.contacts', RANGE));
    say(`DESCRIBE HISTORY, ${PAGE_ROWS} versions`, times);
  } finally {
    await client.close();
    await door.close();
  }
}

await snowflake();
await databricks();
