// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { openBlobStore } from '@clyra/adapter-blob/open-blob-store';
import { logFileName } from '@clyra/adapter-databricks/delta-log';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import {
  DatabricksHistory,
  type DatabricksSourceSettings,
} from '@clyra/recorder/warehouse/databricks/databricks-history';
import { START_MS } from '@clyra/testing/fold-script';
import { realClock } from '@clyra/testing/real-clock';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Running, WarehouseWorld } from '../warehouse-world.ts';
import { DeltaTables } from './delta-tables.ts';
import { type Certificate, selfSigned } from './self-signed.ts';
import { ThriftDoor } from './thrift-door.ts';
import { drawCommits, logFile, shown, type TrueCommit } from './true-commits.ts';

const TABLE = 'main.crm.contacts';
const OTHER = 'main.crm.orders';
const ID = '5c1ab-contacts';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** One in the gate, more in the long run. */
const SEEDS = Array.from({ length: Number(process.env['CLYRA_INT_HISTORIES'] ?? 1) }, (_, index) => index + 1);
const TOKEN = 'dapi-stand-in';
const SYSTEM_ID = 'databricks:aws:eu-central-1:11111111-2222-3333-4444-555555555555';
const TIMEOUTS = { connectDeadlineMs: 5_000, statementDeadlineMs: 3_000 };

let certificate: Certificate;
let tables: DeltaTables;
let door: ThriftDoor;

beforeAll(async () => {
  certificate = await selfSigned();
});
beforeEach(async () => {
  tables = new DeltaTables();
  tables.nowMs = START_MS;
  tables.create(TABLE, ID);
  // What was there before observation began is none of its business.
  tables.show(
    TABLE,
    drawCommits(new SeededRandom(0), { first: 0, count: 5, fromMs: START_MS - HOUR }).map((one) => shown(one, 0)),
  );
  door = await ThriftDoor.open(tables.answer, { certificate, token: TOKEN });
});
afterEach(() => door.close());

const connection = (token: string): DatabricksSourceSettings['connection'] => ({
  ...{ host: '127.0.0.1', port: door.port, path: '/sql/1.0/warehouses/stand-in' },
  token: async () => token,
});

const history = (settings: Partial<DatabricksSourceSettings> = {}, token = TOKEN): DatabricksHistory =>
  new DatabricksHistory(
    {
      connection: { ...connection(token), tlsCa: certificate.cert },
      timeouts: TIMEOUTS,
      guarded: [TABLE],
      lagMs: 5 * MINUTE,
      overlapMs: HOUR,
      readsLineage: false,
      lineageLagMs: 3 * HOUR,
      deltaLogs: new Map(),
      ...settings,
    },
    { openBlobs: (where) => openBlobStore(where, realClock) },
  );

const open = (seed: number, lostResponseShare = 0): Promise<WarehouseWorld> =>
  WarehouseWorld.open({
    ...{ seed, sourceId: 'lake', systemId: SYSTEM_ID, guarded: [TABLE, OTHER] },
    faults: { lostResponseShare },
  });

async function begun(world: WarehouseWorld, running: Running): Promise<void> {
  await world.until('a first look', () => world.statusOf(running).state === 'streaming');
}

async function settledAt(world: WarehouseWorld, atMs: number): Promise<void> {
  tables.nowMs = atMs;
  await world.until('the horizon follows', () => world.horizonMs() >= atMs - 5 * MINUTE);
}

const idOf = ({ version }: TrueCommit): string => `${ID}@${version}`;

function expectTrue(world: WarehouseWorld, commits: readonly TrueCommit[]): void {
  const truth = new Map(commits.map((commit) => [idOf(commit), commit]));
  for (const body of world.leaves('transaction')) {
    const said = body['statement'] as JsonObject;
    const commit = truth.get(String(said['id']));
    if (commit === undefined) throw new Error(`${said['id']} was never committed`);
    expect(body['committed_at']).toBe(commit.atMs);
    expect(said['table']).toBe(TABLE);
    expect(body['token_hashes']).toEqual(commit.token === null ? [] : [digestOf(commit.token)]);
    const [relation] = body['relations'] as JsonObject[];
    if (commit.operation === 'OPTIMIZE') {
      expect(said['maintenance']).toBe(true);
      expect(relation).toBeUndefined();
    } else {
      expect(relation).toMatchObject({ schema: 'main.crm', name: 'contacts', truncates: 0, ...commit.counts });
      expect(relation?.['ddl']).toBe(commit.operation === 'SET TBLPROPERTIES' ? 1 : undefined);
    }
  }
}

describe('the history of a Delta table', () => {
  it.each(SEEDS)(
    'is told once and truly, shown in any order and twice, over restarts (seed %i)',
    async (seed) => {
      const world = await open(seed, 0.1);
      const random = new SeededRandom(seed);
      let running = world.start(history());
      await begun(world, running);
      const commits = drawCommits(random, { first: 5, count: 150, fromMs: START_MS });
      const rows = commits.map((commit) => shown(commit, commit.atMs + random.nextInt(0, 4 * MINUTE)));
      tables.show(TABLE, random.shuffle([...rows, ...rows.filter(() => random.chance(0.2))]));
      const endMs = (commits.at(-1)?.atMs ?? 0) + 10 * MINUTE;
      for (let atMs = START_MS + 30 * MINUTE; atMs < endMs; atMs += 30 * MINUTE) {
        await settledAt(world, atMs);
        if (!random.chance(0.4)) continue;
        await world.kill(running);
        running = world.start(history());
        await begun(world, running);
      }
      await settledAt(world, endMs);
      await world.stop(running);
      expect(world.toldIds().sort()).toEqual(commits.map(idOf).sort());
      expect(world.gaps()).toEqual([]);
      expectTrue(world, commits);
    },
    60_000,
  );

  it('waits for a version that may still be on its way, then signs that it is missing', async () => {
    const world = await open(3);
    const running = world.start(history());
    await begun(world, running);
    const commits = drawCommits(new SeededRandom(3), { first: 5, count: 10, fromMs: START_MS });
    const before = commits[3] as TrueCommit;
    const after = commits[5] as TrueCommit;
    tables.show(
      TABLE,
      commits.filter((_, index) => index !== 4).map((commit) => shown(commit, commit.atMs)),
    );
    tables.nowMs = after.atMs + MINUTE;
    await world.until('those around it are told', () => world.toldIds().includes(idOf(after)));
    await world.until('the horizon waits', () => world.horizonMs() <= before.atMs);
    expect(world.gaps()).toEqual([]);
    await settledAt(world, (commits.at(-1)?.atMs ?? 0) + HOUR);
    await world.stop(running);
    expect(world.gaps()).toEqual([`version_missing ${TABLE}@9 ${TABLE}@9`]);
    expect(world.toldIds()).toHaveLength(9);
  }, 150_000);

  it('is told step by step where more is behind the horizon than one look holds, and no other table runs ahead', async () => {
    const world = await open(11);
    tables.create(OTHER, 'orders');
    const [made] = drawCommits(new SeededRandom(11), { first: 0, count: 1, fromMs: START_MS - HOUR });
    tables.show(OTHER, [shown(made as TrueCommit, 0)]);
    const windowed = { windowMax: 100, guarded: [TABLE, OTHER] };
    const first = world.start(history(windowed));
    await begun(world, first);
    await world.stop(first);
    const random = new SeededRandom(11);
    const commits = drawCommits(random, { first: 5, count: 600, fromMs: START_MS });
    const beside = drawCommits(random, { first: 1, count: 20, fromMs: START_MS + 4 * HOUR });
    for (const [table, of] of [[TABLE, commits] as const, [OTHER, beside] as const]) {
      tables.show(
        table,
        of.map((commit) => shown(commit, 0)),
      );
    }
    tables.nowMs = (commits.at(-1)?.atMs ?? 0) + HOUR;
    const second = world.start(history(windowed));
    await world.until('half is told', () => world.toldIds().length >= commits.length / 2);
    await world.kill(second);
    const third = world.start(history(windowed));
    await world.until('the horizon follows', () => world.horizonMs() >= tables.nowMs - 5 * MINUTE);
    await world.stop(third);
    const expected = [...commits.map(idOf), ...beside.map(({ version }) => `orders@${version}`)];
    expect(world.toldIds().sort()).toEqual(expected.sort());
    expect(world.gaps()).toEqual([]);
    expect(world.leaves('watermark').length).toBeGreaterThanOrEqual(commits.length / 50);
  }, 150_000);

  it('is not read on where its log was set back and written past its old end, and a restart knows it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'clyra-delta-log-'));
    const deltaLogs = new Map([[TABLE, folder]]);
    try {
      const world = await open(12);
      const first = world.start(history({ deltaLogs }));
      await begun(world, first);
      const random = new SeededRandom(12);
      const commits = drawCommits(random, { first: 5, count: 6, fromMs: START_MS });
      const write = async (of: readonly TrueCommit[]): Promise<void> => {
        for (const commit of of) await writeFile(join(folder, logFileName(commit.version)), logFile(commit));
        tables.show(
          TABLE,
          of.map((commit) => shown(commit, 0)),
        );
      };
      await write(commits);
      await settledAt(world, START_MS + HOUR);
      await world.stop(first);
      // Restored as it was after version 7, with the times of its files; other commits took the numbers.
      tables.setBack(TABLE, 7);
      const others = commits.slice(3).map((commit): TrueCommit => ({ ...commit, token: 'f'.repeat(32) }));
      await write([...others, ...drawCommits(random, { first: 11, count: 4, fromMs: START_MS + HOUR })]);
      tables.nowMs = START_MS + 3 * HOUR;
      for (let start = 0; start < 2; start += 1) {
        const running = world.start(history({ deltaLogs }));
        const code = 'CLY_RECORDER_LOG_SET_BACK';
        await world.until('a reason', () => world.statusOf(running).reason?.startsWith(code) === true);
        await world.stop(running);
      }
      expect(world.gaps()).toEqual([`log_set_back ${TABLE}@10 ${TABLE}@14`]);
      expect(world.toldIds()).toHaveLength(commits.length);
      expect(world.horizonMs()).toBeLessThanOrEqual(START_MS + HOUR);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }, 150_000);

  it('signs gaps for a log that was cleaned, and for a table that was made anew, while nobody read', async () => {
    const world = await open(4);
    const first = world.start(history());
    await begun(world, first);
    await settledAt(world, START_MS + HOUR);
    await world.stop(first);
    const commits = drawCommits(new SeededRandom(4), { first: 5, count: 30, fromMs: START_MS + HOUR });
    tables.show(
      TABLE,
      commits.map((commit) => shown(commit, commit.atMs)),
    );
    tables.forget(TABLE, 20);
    const second = world.start(history());
    await settledAt(world, START_MS + 5 * HOUR);
    await world.stop(second);
    expect(world.gaps()).toEqual([`history_aged_out ${TABLE} ${TABLE}@19`]);
    tables.create(TABLE, 'made-anew');
    const anew = drawCommits(new SeededRandom(5), { first: 0, count: 3, fromMs: START_MS + 6 * HOUR });
    tables.show(
      TABLE,
      anew.map((commit) => shown(commit, commit.atMs)),
    );
    const third = world.start(history());
    await settledAt(world, START_MS + 8 * HOUR);
    await world.stop(third);
    expect(world.gaps().slice(1)).toEqual([`table_recreated ${TABLE} made-anew@0`]);
    expect(world.toldIds().filter((id) => id.startsWith('made-anew@'))).toHaveLength(3);
  }, 150_000);

  it('is told once where the table was replaced, which gives it another id, and by a recorder that starts anew', async () => {
    const world = await open(10);
    const first = world.start(history());
    await begun(world, first);
    const commits = drawCommits(new SeededRandom(10), { first: 5, count: 12, fromMs: START_MS });
    tables.show(
      TABLE,
      commits.map((commit) => shown(commit, commit.atMs)),
    );
    const toldUpTo = async (index: number): Promise<void> => {
      tables.nowMs = commits[index]?.atMs ?? 0;
      await world.until('so many are told', () => world.toldIds().length > index);
    };
    await toldUpTo(5);
    tables.replace(TABLE, 'replaced');
    await toldUpTo(8);
    await world.kill(first);
    tables.replace(TABLE, ID);
    const second = world.start(history());
    await toldUpTo(11);
    await settledAt(world, START_MS + HOUR);
    await world.stop(second);
    const ids = commits.map(({ version }, index) => `${index < 6 || index > 8 ? ID : 'replaced'}@${version}`);
    expect(world.toldIds()).toEqual(ids);
    expect(world.gaps()).toEqual([]);
  }, 150_000);

  it('reads the files of the log: their digests, what the driver shows empty, and rows changed in the name of upkeep', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'clyra-delta-log-'));
    try {
      const world = await open(6);
      const running = world.start(history({ deltaLogs: new Map([[TABLE, folder]]) }));
      await begun(world, running);
      const [drawn] = drawCommits(new SeededRandom(6), { first: 5, count: 1, fromMs: START_MS });
      const base = { ...(drawn as TrueCommit), token: 'a'.repeat(32) };
      const merge: TrueCommit = { ...base, operation: 'MERGE', counts: { inserts: 2, updates: 3, deletes: 4 } };
      const honest: TrueCommit = { ...base, version: 6, operation: 'OPTIMIZE', token: null };
      const forged: TrueCommit = { ...honest, version: 7 };
      const unfiled: TrueCommit = { ...honest, version: 8 };
      const text = logFile(merge);
      await writeFile(join(folder, logFileName(5)), text);
      await writeFile(join(folder, logFileName(6)), logFile(honest));
      await writeFile(join(folder, logFileName(7)), logFile(forged).replace('"dataChange":false', '"dataChange":true'));
      // As the driver shows a map whose values hold quotation marks.
      tables.show(TABLE, [{ ...shown(merge, 0), metrics: { numTargetRowsInserted: '"' }, userMetadata: '' }]);
      tables.show(
        TABLE,
        [honest, forged, unfiled].map((commit) => shown(commit, 0)),
      );
      await settledAt(world, START_MS + HOUR);
      await world.stop(running);
      const [first, second, third] = world.leaves('transaction');
      expect(first?.['statement']).toMatchObject({
        log_digest: digestOf(text),
        link: 'user_metadata',
        run_id: 'run-7',
      });
      expect(first?.['relations']).toMatchObject([{ inserts: 2, updates: 3, deletes: 4 }]);
      expect(second?.['relations']).toEqual([]);
      expect(third?.['statement']).not.toHaveProperty('maintenance');
      expect(third?.['relations']).toMatchObject([{ name: 'contacts', updates: 1 }]);
      expect(world.gaps()).toEqual([`log_file_missing ${TABLE}@8 ${TABLE}@8`]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }, 150_000);

  it('is held against the lineage of Unity Catalog, where there is one', async () => {
    const world = await open(7);
    tables.lineage = [];
    const running = world.start(history({ readsLineage: true, lineageMax: 3 }));
    await begun(world, running);
    const [commit] = drawCommits(new SeededRandom(7), { first: 5, count: 1, fromMs: START_MS + HOUR });
    tables.show(TABLE, [shown(commit as TrueCommit, 0)]);
    const explained = { target: TABLE, atMs: (commit?.atMs ?? 0) + MINUTE, source: OTHER };
    const hidden = { target: TABLE, atMs: START_MS + 2 * HOUR, source: OTHER };
    // More than one answer holds, and the hidden one is the last.
    const alike = [1, 2, 3, 4].map((second) => ({ ...explained, atMs: explained.atMs + second * 1_000 }));
    tables.lineage = [hidden, explained, ...alike];
    await settledAt(world, START_MS + 6 * HOUR);
    await world.until('a gap', () => world.gaps().length > 0);
    await world.stop(running);
    expect(world.gaps()).toEqual([`lineage_without_version ${TABLE} @${hidden.atMs} @${hidden.atMs}`]);
    expect(world.leaves('coverage').at(-1)?.['blind_spots']).not.toContainEqual({ code: 'no_lineage' });
  }, 150_000);
});

describe('a Databricks workspace that fails', () => {
  it('is asked again after answers cut short, silence, cut connections and its own end', async () => {
    const world = await open(8);
    const running = world.start(history());
    await begun(world, running);
    const commits = drawCommits(new SeededRandom(8), { first: 5, count: 250, fromMs: START_MS });
    tables.show(
      TABLE,
      commits.map((commit) => shown(commit, 0)),
    );
    Object.assign(door.faults, { short: 2, silent: 1, cut: 1 });
    await settledAt(world, (commits.at(-1)?.atMs ?? 0) + HOUR);
    const { port } = door;
    await door.close();
    await world.until(
      'it says so',
      () => world.statusOf(running).reason?.startsWith('CLY_SOURCE_UNREACHABLE') === true,
    );
    door = await ThriftDoor.open(tables.answer, { certificate, token: TOKEN, port });
    await world.until('it is read again', () => world.statusOf(running).state === 'streaming');
    await world.stop(running);
    expect(world.toldIds().sort()).toEqual(commits.map(idOf).sort());
    expect(world.gaps()).toEqual([]);
  }, 150_000);

  it('is not read with a refused token, without a trusted certificate, or where a guarded table is gone', async () => {
    const world = await open(9);
    const reasonOf = async (running: Running, code: string): Promise<void> => {
      await world.until(code, () => world.statusOf(running).reason?.startsWith(code) === true);
      await world.stop(running);
    };
    await reasonOf(world.start(history({}, 'dapi-other')), 'CLY_SOURCE_AUTH');
    await reasonOf(world.start(history({ connection: connection(TOKEN) })), 'CLY_SOURCE_TLS');
    expect(world.written()).toEqual([]);
    await reasonOf(world.start(history({ guarded: [TABLE, OTHER] })), 'CLY_SOURCE_RELATION_MISSING');
    expect(world.leaves('watermark')).toEqual([]);
  }, 150_000);
});
