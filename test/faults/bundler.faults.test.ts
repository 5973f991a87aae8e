// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openSqlClient } from '@clyra/adapter-postgres/sql-client';
import { newestBundle, recorderCovers, until } from '@clyra/cli/quickstart/await-evidence';
import { systemClock } from '@clyra/runtime/system-clock';
import { createCrmTables } from '@clyra/scenario-activation/crm-tables';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { verifyBundle } from '@clyra/verifier/verify-bundle';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bundlesOf, makeOwnBlobs, outputsOf } from './bundler/bundle-store.ts';
import { bundlerSizes } from './bundler/config.ts';
import { readJournalFacts } from './bundler/journal-facts.ts';
import { Runs } from './bundler/runs.ts';
import { Traffic } from './bundler/traffic.ts';
import { TokenUpstream } from './recorder/token-upstream.ts';
import { faultSizes } from './world/config.ts';
import { FaultWorld } from './world/fault-world.ts';
import { printTable } from './world/print-table.ts';
import type { ServiceProcess } from './world/service-process.ts';
import { WORLD_TENANT } from './world/world-policy.ts';
import { spareWorldPort } from './world/world-ports.ts';

const { seed, keepsFolder } = faultSizes();
const { killCount, lineCount } = bundlerSizes();
const START_MS = 180_000;
const KILL_MS = 15_000;
const LINE_MS = 100;
/** A start reads the whole journal back, and writes all bundles anew where it finds none. */
const REPLAY_MS = 60_000 + lineCount * 20;
const WAIT = { clock: systemClock, deadlineMs: REPLAY_MS };
const HOUR_MS = '3600000';
/** Small enough that lines of an open range go into the blob store in pieces, and one can be cut off there. */
const SMALL_SPOOL = '65536';
const CHANGES_PER_RUN = 40;
/** Request, outcome, observation and match. */
const LINES_PER_CHANGE = 4;
/** Reconciliation is left out: a run may be closed before its last transactions are observed, and is then provisional. */
const REQUIRED = ['integrity', 'order', 'completeness', 'authorship', 'policy'];

let world: FaultWorld;
let runs: Runs;
/** The first bundler and its blob folder; it is the one that is killed. */
let lone: ServiceProcess;
let blobDir: string;
let secondBlobDir: string;

beforeAll(async () => {
  world = await FaultWorld.start({ name: 'bundler', seed, keepsFolder });
  await world.makeDatabase();
  const sql = openSqlClient({ connection: world.database, connectionsMax: 8 });
  world.onClose(() => sql.close());
  await createCrmTables(sql);
  const upstream = await TokenUpstream.start(sql);
  world.onClose(() => upstream.close());
  const intake = world.service('intake', { env: { CLYRA_UPSTREAMS: `crm=${upstream.url}`, CLYRA_WINDOW_MS: HOUR_MS } });
  await Promise.all([world.service('enforcer').start(), intake.start()]);
  await world.openTenant(100_000);
  await world.addSource();
  await world.service('recorder').start();
  blobDir = world.parts.local.layout.blobDir;
  lone = world.service('bundler', { env: { CLYRA_SPOOL_BYTES_MAX: SMALL_SPOOL } });
  runs = new Runs(world, 'traffic');
}, START_MS);

afterAll(() => world?.close(), START_MS);

describe('the bundler', () => {
  it(
    'goes on where kill -9 left it, at any moment',
    async () => {
      const traffic = trafficOf('killed');
      let killing = true;
      const sending = traffic.send(() => killing);
      const moments = await killAtRandom(traffic);
      killing = false;
      await sending;
      lone.spawn();
      await lone.ready(REPLAY_MS);
      await sealed(lone, blobDir, traffic.cutOffset);
      printTable(`The bundler killed ${killCount} times (seed ${seed})`, [
        ['changes meanwhile', traffic.changeCount],
        ...moments.map((moment, index): [string, string] => [`kill ${index + 1}`, moment]),
      ]);
    },
    START_MS + killCount * KILL_MS,
  );

  it(
    'makes the same bytes twice side by side, and once more afterwards from the topics alone',
    async () => {
      const second = await anotherBundler('bundler-2', 0);
      secondBlobDir = second.blobs;
      second.process.spawn();
      await second.process.ready(REPLAY_MS);
      const before = await readJournalFacts(world);
      const traffic = trafficOf('side');
      await traffic.send(() => traffic.changeCount * LINES_PER_CHANGE < lineCount);
      await sealed(lone, blobDir, traffic.cutOffset);
      await sealed(second.process, secondBlobDir, traffic.cutOffset);
      await Promise.all([lone.end('SIGTERM'), second.process.end('SIGTERM')]);

      // Nobody disturbs the third, and it has seen nothing of what the others wrote but the topics.
      const third = await anotherBundler('bundler-3', 1);
      third.process.spawn();
      await third.process.ready(REPLAY_MS);
      await sealed(third.process, third.blobs, traffic.cutOffset);
      const [disturbed, beside, undisturbed] = await Promise.all([blobDir, secondBlobDir, third.blobs].map(outputsOf));
      const facts = await readJournalFacts(world);
      printTable('Two bundlers side by side, and a third afterwards', [
        ['source positions in the journal', facts.lineCount],
        ['of these written side by side', facts.lineCount - before.lineCount],
        ['lines of the log', await leavesOf(third.blobs)],
        ['journal records that repeat another', facts.duplicateCount],
        ['of these before the second bundler', before.duplicateCount],
        ['bundles', facts.bundleCount],
        ['announcements of them', facts.announcementCount],
        ['files that all three made alike', Object.keys(undisturbed ?? {}).length],
      ]);
      expect(facts.forks).toEqual([]);
      expect(disturbed).toEqual(undisturbed);
      expect(beside).toEqual(undisturbed);
      const checkpoints = Object.keys(undisturbed ?? {}).filter((name) => name.startsWith('checkpoints/'));
      expect(checkpoints).toHaveLength(facts.bundleCount);
    },
    START_MS + lineCount * LINE_MS,
  );

  it(
    'made only bundles that verify, each continuing the one before',
    async () => {
      const policyFile = join(world.parts.folder, 'verification-policy.json');
      const policy = { format: 'clyra/verification-policy/v0', name: 'faults', require: REQUIRED };
      await writeFile(policyFile, JSON.stringify(policy));
      const { trustRootFile } = world.parts.local.layout;
      const directories = await bundlesOf(blobDir, WORLD_TENANT);
      let previousFile: string | undefined;
      for (const directory of directories) {
        const previous = previousFile === undefined ? {} : { previousFile };
        const report = await verifyBundle({ directory, trustRootFile, policyFile, mode: 'full', ...previous });
        expect(report).toMatchObject({ directory, exitCode: 0, failures: [] });
        previousFile = join(directory, 'checkpoint');
      }
      expect(directories.length).toBeGreaterThan(1);
      const { range } = JSON.parse(await readFile(join(directories.at(-1) ?? '', 'manifest.json'), 'utf8')) as Manifest;
      expect(range.end).toBeGreaterThanOrEqual(lineCount);
      printTable('Verified', [
        ['bundles', directories.length],
        ['lines', range.end],
      ]);
    },
    START_MS + lineCount * LINE_MS,
  );
});

type Manifest = { readonly range: { readonly end: number }; readonly cut: { readonly offset: number } };

function trafficOf(name: string): Traffic {
  return new Traffic({ caller: world.caller(16), runs, name, changesPerRun: CHANGES_PER_RUN });
}

/**
 * Every other kill comes at any moment after the start, so while it connects or reads the journal back as well; the
 * others come just after a cut, when a bundle is being written.
 */
async function killAtRandom(traffic: Traffic): Promise<readonly string[]> {
  const random = new SeededRandom(seed);
  const moments: string[] = [];
  for (let kill = 0; kill < killCount; kill += 1) {
    lone.spawn();
    if (kill % 2 === 0) {
      const delayMs = random.nextInt(200, 4_000);
      await pause(delayMs);
      moments.push(`${delayMs} ms after its start`);
    } else {
      const delayMs = random.nextInt(0, 120);
      await lone.ready(REPLAY_MS);
      await traffic.nextCut();
      await pause(delayMs);
      moments.push(`${delayMs} ms after a cut`);
    }
    if (!lone.isRunning) throw new Error(`the bundler ended by itself\n${lone.log.slice(-4_000)}`);
    await lone.kill();
  }
  return moments;
}

async function anotherBundler(name: string, index: number): Promise<{ process: ServiceProcess; blobs: string }> {
  const blobs = await makeOwnBlobs(join(world.parts.folder, `blobs-of-${name}`), blobDir);
  const port = String(spareWorldPort(world.parts.portBase, index));
  const process = world.service('bundler', { name, env: { CLYRA_BLOB_DIR: blobs, CLYRA_HTTP_PORT: port } });
  return { process, blobs };
}

/** Until this bundler has sealed the bundle of the cut at this offset. */
async function sealed(bundler: ServiceProcess, blobs: string, cutOffset: number): Promise<void> {
  // What happened must be in the log, or one of the bundlers would still be sequencing while they are compared.
  const recorder = world.service('recorder');
  await recorderCovers(recorder.url, { ...WAIT, sourceId: 'crm', untilMs: Date.now() });
  await until(`the bundle of ${bundler.options.name}`, WAIT, async () => {
    const bundle = await newestBundle(bundler.url, WORLD_TENANT).catch(() => undefined);
    if (bundle === undefined) return undefined;
    const { cut } = JSON.parse(await readFile(join(blobs, bundle.location, 'manifest.json'), 'utf8')) as Manifest;
    return cut.offset >= cutOffset ? true : undefined;
  });
}

async function leavesOf(blobs: string): Promise<number> {
  const directory = (await bundlesOf(blobs, WORLD_TENANT)).at(-1) ?? '';
  return (JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8')) as Manifest).range.end;
}
