// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openBlobStore } from '@clyra/adapter-blob/open-blob-store';
import { logFileName } from '@clyra/adapter-databricks/delta-log';
import { tableId, versionsSince } from '@clyra/adapter-databricks/table-history';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { DatabricksHistory } from '@clyra/recorder/warehouse/databricks/databricks-history';
import { realClock } from '@clyra/testing/real-clock';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NOTHING_TOLD, WarehouseWorld } from '../warehouse-world.ts';
import { sparkConfig } from './config.ts';
import { CREATE, DEEDS, expectedOf, NAME, SCHEMA, TABLE, userMetadataOf } from './deeds.ts';
import { normalisedAnswer, normalisedLog } from './normalised.ts';
import { engineOf, type Recording, readRecording, writeRecording } from './recording.ts';
import { SparkWorld, TIMEOUTS, USER_METADATA } from './spark-world.ts';
import { toldByLeaf } from './told.ts';

const SET_UP_MS = 1_800_000;
const TOLD_DEADLINE_MS = 300_000;
const LAG_MS = 20_000;
const HOUR = 3_600_000;
/** Made anew while it is watched. */
const REMADE = `spark_catalog.${SCHEMA}.notes`;
const REMADE_CREATE = `CREATE TABLE ${REMADE} (id BIGINT) USING DELTA`;

let spark: SparkWorld;
let bare: WarehouseWorld;
let logged: WarehouseWorld;
let recording: Recording;

beforeAll(async () => {
  if (!sparkConfig.isAsked) return;
  spark = await SparkWorld.start();
  // The configuration of the session, which Spark takes for its own variables unless the shim says otherwise.
  const write = await spark.writer({ [USER_METADATA]: userMetadataOf('0') });
  for (const sql of [`CREATE SCHEMA ${SCHEMA}`, CREATE, REMADE_CREATE]) await write(sql);
  await write('SET spark.databricks.delta.vacuum.logging.enabled=true');
  bare = await worldOf(1);
  logged = await worldOf(2);
  const running = [bare.start(historyOf(new Map())), logged.start(historyOf(new Map([[TABLE, logFolder()]])))] as const;
  for (const [index, world] of [bare, logged].entries()) {
    const one = running[index as 0 | 1];
    await world.until('a first look', () => world.statusOf(one).state === 'streaming', TOLD_DEADLINE_MS);
  }
  for (const { sql, token } of DEEDS) {
    await write(token === undefined ? `RESET ${USER_METADATA}` : `SET ${USER_METADATA}=${userMetadataOf(token)}`);
    await write(sql);
  }
  const beganMs = (world: WarehouseWorld): number => Number(world.leaves('coverage')[0]?.['lsn']?.toString().slice(1));
  for (const world of [bare, logged]) {
    await world.until('the horizon is on its way', () => world.horizonMs() > beganMs(world), TOLD_DEADLINE_MS);
  }
  await write(`DROP TABLE ${REMADE}`);
  await write(REMADE_CREATE);
  for (const [index, world] of [bare, logged].entries()) {
    await world.until('all is told', () => ofTable(world, REMADE).length > 0, TOLD_DEADLINE_MS);
    await world.stop(running[index as 0 | 1]);
  }
  recording = await recorded();
  if (sparkConfig.isRecording) await writeRecording(recording, { engine: engineOf(recording), recordedOn: today() });
}, SET_UP_MS);
afterAll(() => spark?.close(), 120_000);

const worldOf = (seed: number): Promise<WarehouseWorld> =>
  WarehouseWorld.open({
    ...{ seed, sourceId: 'lake', systemId: 'databricks-host:127.0.0.1', guarded: [TABLE, REMADE] },
    pollIntervalMs: 2_000,
  });

const historyOf = (deltaLogs: ReadonlyMap<string, string>, guarded = [TABLE, REMADE]): DatabricksHistory =>
  new DatabricksHistory(
    {
      ...{ connection: spark.connection(), timeouts: TIMEOUTS, guarded, lagMs: LAG_MS, overlapMs: HOUR, deltaLogs },
      ...{ readsLineage: true, lineageLagMs: HOUR },
    },
    { openBlobs: (where) => openBlobStore(where, realClock) },
  );

const logFolder = (): string => join(spark.spark.tableFolder(SCHEMA, NAME), '_delta_log');

const ofTable = (world: WarehouseWorld, table: string): JsonObject[] =>
  world.leaves('transaction').filter((body) => (body['statement'] as JsonObject)['table'] === table);

const statementsOf = (world: WarehouseWorld): JsonObject[] =>
  ofTable(world, TABLE).map((body) => body['statement'] as JsonObject);

const today = (): string => new Date(realClock.nowMs()).toISOString().slice(0, 10);

/** One look at everything, with nothing else going on. */
async function recorded(): Promise<Recording> {
  const history = historyOf(new Map(), [TABLE]);
  spark.book.clear();
  const { nowMs } = await history.facts();
  const since = { beganMs: 0, horizonMs: 0 };
  await history.read({ nowMs, ...since, ...NOTHING_TOLD });
  await tableId(spark.reader(), `spark_catalog.${SCHEMA}.gone`).catch(() => undefined);
  await history.close();
  const { folder } = spark.spark;
  const log = (await logTexts()).map((text) => normalisedLog(text, folder));
  return { answers: spark.book.answers.map((answer) => normalisedAnswer(answer, folder)), log };
}

/** Version by version. */
async function logTexts(): Promise<string[]> {
  const files = (await readdir(logFolder())).filter((name) => /^\d{20}\.json$/.test(name)).sort();
  return Promise.all(files.map((name) => readFile(join(logFolder(), name), 'utf8')));
}

/** Under which the table went, from version to version: no two neighbours are the same. */
async function idsInTurn(): Promise<string[]> {
  const named = (await logTexts()).flatMap((text) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly metaData?: { readonly id: string } })
      .flatMap(({ metaData }) => (metaData === undefined ? [] : [metaData.id])),
  );
  return named.filter((id, index) => id !== named[index - 1]);
}

const describeAsked = sparkConfig.isAsked ? describe : describe.skip;

describeAsked('the history of Delta tables on Apache Spark', () => {
  it('is told as it was made: every version, its rows, its token, and what was upkeep', async () => {
    expect(ofTable(bare, TABLE).map(toldByLeaf)).toEqual(expectedOf(false));
    expect(statementsOf(bare).some(({ late }) => late !== undefined)).toBe(false);
  });

  it('is told once, under the id that the table had or the one that it was given', async () => {
    const ids = await idsInTurn();
    // CREATE OR REPLACE gave another, RESTORE of what was before it the first one again.
    expect([ids.length, ids[0], new Set(ids).size]).toEqual([3, ids[2], 2]);
    expect(await tableId(spark.reader(), TABLE)).toBe(ids[2]);
    for (const world of [bare, logged]) {
      const told = statementsOf(world).map(({ id }) => String(id).split('@'));
      expect(told.map(([, version]) => Number(version))).toEqual(
        DEEDS.flatMap(({ told: versions }) => versions).map((_, index) => index + 1),
      );
      expect(told.filter(([id = '']) => !ids.includes(id))).toEqual([]);
    }
  });

  it('is told with the digests of its log, which shows more, where that can be read', async () => {
    expect(ofTable(logged, TABLE).map(toldByLeaf)).toEqual(expectedOf(true));
    const told = statementsOf(logged);
    for (const [index, statement] of told.entries()) {
      const file = await readFile(join(logFolder(), logFileName(index + 1)));
      expect(statement['log_digest']).toBe(digestOf(file));
    }
    expect(told.length).toBeGreaterThan(DEEDS.length);
  });

  it('has one gap: a table that was made anew', async () => {
    const id = await tableId(spark.reader(), REMADE);
    for (const world of [bare, logged]) {
      expect(ofTable(world, REMADE).map((body) => (body['statement'] as JsonObject)['id'])).toEqual([`${id}@0`]);
    }
    expect(bare.gaps()).toEqual([`table_recreated ${REMADE} ${id}@0`]);
    expect(bare.leaves('coverage').at(-1)?.['blind_spots']).toContainEqual({ code: 'no_lineage' });
  });
});

describeAsked("what Spark's own server answers", () => {
  it('hides parameters that hold quotation marks, and they are unknown then, not none', async () => {
    const range = { fromMs: 0, fromVersion: 0, countMax: 500 };
    const { versions } = await versionsSince(spark.reader(), TABLE, range);
    const of = (operation: string) => versions.find((version) => version.operation === operation);
    expect(of('MERGE')).toMatchObject({ parameters: null, userMetadata: userMetadataOf('c') });
    expect(of('MERGE')?.metrics).toMatchObject({ numTargetRowsInserted: '1', numTargetRowsMatchedDeleted: '1' });
    expect(of('OPTIMIZE')?.parameters).toMatchObject({ auto: 'false', zOrderBy: '[]' });
    // What the session was opened with.
    expect(of('CREATE TABLE')?.userMetadata).toBe(userMetadataOf('0'));
  });

  it('comes with each value under its own name', async () => {
    const reader = spark.reader();
    const rows = await reader.query(`SELECT id, name, note FROM ${TABLE} VERSION AS OF 1 ORDER BY id`, 10);
    expect(rows).toEqual([
      { id: 1, name: 'Ada', note: 'a' },
      { id: 2, name: 'Bob', note: 'b' },
      { id: 3, name: 'Cy', note: 'c' },
    ]);
    const [row] = await reader.query("SELECT true AS yes, CAST(null AS STRING) AS nothing, 7 AS seven, 'x' AS x", 1);
    expect(row).toEqual({ yes: true, nothing: null, seven: 7, x: 'x' });
  });

  it('is not read with another token, or where a table is missing', async () => {
    const code = (token: string | undefined, table: string): Promise<unknown> =>
      tableId(spark.reader(token), table).then(
        () => 'read',
        (error: { readonly code: string }) => error.code,
      );
    expect(await code('dapi-other', TABLE)).toBe('CLY_SOURCE_AUTH');
    expect(await code(undefined, `spark_catalog.${SCHEMA}.gone`)).toBe('CLY_SOURCE_RELATION_MISSING');
  });

  it('is answered as it is recorded here: recorded/, CLYRA_SPARK_RECORD=1 writes it anew', async () => {
    expect(JSON.parse(JSON.stringify(recording))).toEqual(await readRecording());
  });
});
