// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openSqlClient, type SqlClient } from '@clyra/adapter-postgres/sql-client';
import { readSources } from '@clyra/cli/local/sources-file';
import { bundleAfter, observationsSequenced, recorderCovers } from '@clyra/cli/quickstart/await-evidence';
import { digestOf } from '@clyra/core/canonical/digest';
import { systemClock } from '@clyra/runtime/system-clock';
import { createCrmTables } from '@clyra/scenario-activation/crm-tables';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { verifyBundle } from '@clyra/verifier/verify-bundle';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Runs } from './bundler/runs.ts';
import { insertActivation } from './recorder/activations.ts';
import type { Committed } from './recorder/committed.ts';
import { recorderSizes } from './recorder/config.ts';
import { type DatabaseLoad, startDatabaseLoad, UNGUARDED_TABLE } from './recorder/database-load.ts';
import { type Observed, readObservations } from './recorder/read-observations.ts';
import { SecondSlot } from './recorder/second-slot.ts';
import { TokenUpstream } from './recorder/token-upstream.ts';
import type { Caller } from './world/caller.ts';
import { faultSizes } from './world/config.ts';
import { FaultWorld } from './world/fault-world.ts';
import { printTable } from './world/print-table.ts';
import { activationRequest } from './world/requests.ts';
import { WORLD_TABLE, WORLD_TENANT } from './world/world-policy.ts';

const { seed, keepsFolder } = faultSizes();
const { killCount, transactionsPerSecond } = recorderSizes();
const START_MS = 180_000;
/** What one kill may take on a busy machine. */
const KILL_MS = 30_000;
const WAIT = { clock: systemClock, deadlineMs: 60_000 };
const RUN = 'the-run';
const POLICY_FILE = new URL('../../packs/verification/quickstart.json', import.meta.url).pathname;
const HOUR_MS = '3600000';
const FREEZE_MS_MIN = 1_100;
const FREEZE_MS_MAX = 1_800;
/** Callers are held while the broker is frozen. */
const HOLD_MS = '15000';

let world: FaultWorld;
let sql: SqlClient;
let upstream: TokenUpstream;
let slot: SecondSlot;
let runs: Runs;
let caller: Caller;

beforeAll(async () => {
  world = await FaultWorld.start({ name: 'recorder', seed, keepsFolder });
  await world.makeDatabase();
  sql = openSqlClient({ connection: world.database, connectionsMax: 4 });
  world.onClose(() => sql.close());
  await createCrmTables(sql);
  await sql.query(UNGUARDED_TABLE);
  upstream = await TokenUpstream.start(sql);
  world.onClose(() => upstream.close());
  caller = world.caller(8);
  // One bundle of all: no window is to be cut in between.
  const intake = world.service('intake', {
    env: { CLYRA_UPSTREAMS: `crm=${upstream.url}`, CLYRA_WINDOW_MS: HOUR_MS, CLYRA_HOLD_MS: HOLD_MS },
  });
  await Promise.all([world.service('enforcer').start(), intake.start(), world.service('bundler').start()]);
  await world.openTenant(100_000);
  await world.addSource();
  await world.service('recorder').start();
  await covered();
  const [source] = await readSources(world.parts.local.layout.sourcesFile);
  const { folder } = world.parts;
  const publication = source !== undefined && 'publication' in source ? source.publication : '';
  slot = await SecondSlot.open({ sql, database: world.database, publication, folder });
  runs = new Runs(world, 'load');
  await runs.open(RUN);
}, START_MS);

afterAll(() => world?.close(), START_MS);

describe('a recorder that is killed under load', () => {
  it(
    'reports each commit once, as a second slot does',
    async () => {
      const load = await startDatabaseLoad({
        database: world.database,
        folder: world.parts.folder,
        transactionsPerSecond,
      });
      const requests = sendThroughTheGateway();
      await killAgainAndAgain(load);
      await requests.stop();
      await covered();
      const expected = await slot.read();
      const observed = await readObservations(world);
      show(load, expected, observed);
      expect(observed.problems).toEqual([]);
      expect(observed.gapCount).toBe(0);
      expect(difference(expected, observed.transactions)).toEqual({ lost: [], invented: [] });
      // The same order and content as well, not only the same set.
      expect(observed.transactions.map(({ observationId: _, ...committed }) => committed)).toEqual(expected);
      expect(upstream.effects.length).toBeGreaterThan(0);
    },
    START_MS + killCount * KILL_MS,
  );

  it(
    'has a bypass, a forged token and one used twice named by the next bundle',
    async () => {
      const token = await tokenOfAnAllowedChange();
      const bypass = await insertActivation(sql, { subject: 'bypass' });
      const forged = await insertActivation(sql, { subject: 'forged', token: 'made-up-by-somebody' });
      const reused = await insertActivation(sql, { subject: 'reused', token });
      await covered();
      await observationsSequenced(world.service('bundler').url, world.parts.settings, WAIT);
      await runs.close(RUN);
      const { url } = world.service('bundler');
      const { location } = await bundleAfter(url, WORLD_TENANT, { ...WAIT, afterEnd: 0 });
      const directory = join(world.parts.local.layout.blobDir, location);

      const { transactions } = await readObservations(world);
      const matches = await matchesIn(directory);
      const statusOf = (xid: string): unknown => {
        const observation = transactions.find((transaction) => transaction.xid === xid);
        return matches.get(observation?.observationId ?? '');
      };
      expect([bypass, forged, reused].map(statusOf)).toEqual([
        { status: 'unattributed', reason: 'no_token', token_hash: null },
        { status: 'claimed_unproved', reason: 'token_unknown', token_hash: digestOf('made-up-by-somebody') },
        { status: 'reused', reason: 'token_used', token_hash: digestOf(token) },
      ]);
      const { trustRootFile } = world.parts.local.layout;
      const report = await verifyBundle({ directory, trustRootFile, policyFile: POLICY_FILE, mode: 'full' });
      expect(report).toMatchObject({ exitCode: 0, failures: [] });
      expect(report.findings?.counts).toEqual(expectedCounts(transactions));
      printTable('Findings of the sealed bundle', Object.entries(report.findings?.counts ?? {}));
    },
    START_MS,
  );
});

/**
 * Every other time the broker is frozen before: what PostgreSQL delivers then is durable nowhere, and a recorder that
 * confirmed it would lose it. The freeze spans two of its status messages to PostgreSQL.
 */
async function killAgainAndAgain(load: DatabaseLoad): Promise<void> {
  const random = new SeededRandom(seed);
  const recorder = world.service('recorder');
  const broker = world.stackPart('kafka');
  for (let kill = 0; kill < killCount; kill += 1) {
    await pause(random.nextInt(200, 2_000));
    const isFrozen = kill % 2 === 0;
    if (isFrozen) {
      broker.freeze();
      await pause(random.nextInt(FREEZE_MS_MIN, FREEZE_MS_MAX));
    }
    await recorder.kill();
    if (isFrozen) broker.thaw();
    await recorder.start();
  }
  // Also what is written long after the last kill.
  await pause(1_000);
  await load.stop();
}

/** Allowed changes beside the load, one after the other, so that a share of the transactions carries a token that holds. */
function sendThroughTheGateway(): { stop: () => Promise<void> } {
  let running = true;
  const sending = (async () => {
    for (let index = 0; running; index += 1) {
      const { status, code } = await caller.send(activationRequest(`change-${index}`, 'load'));
      if (status !== 201) throw new Error(`change ${index} was answered ${status} ${code}`);
      await pause(50);
    }
  })();
  return {
    stop: async () => {
      running = false;
      await sending;
    },
  };
}

async function tokenOfAnAllowedChange(): Promise<string> {
  const { eventId } = await caller.send(activationRequest('change-to-copy', 'load'));
  const token = upstream.effects.find((effect) => effect.eventId === eventId)?.token;
  if (token === undefined) throw new Error('the change did not reach the upstream');
  return token;
}

/** Until the log holds everything that was committed before now. */
async function covered(): Promise<void> {
  // The clock of the source is this machine's; a little more, so that the newest commit is certainly before it.
  await recorderCovers(world.service('recorder').url, { ...WAIT, sourceId: 'crm', untilMs: Date.now() + 50 });
}

function difference(
  expected: readonly Committed[],
  found: readonly Committed[],
): { lost: string[]; invented: string[] } {
  const expectedIds = new Set(expected.map(({ commitEndLsn }) => commitEndLsn));
  const foundIds = new Set(found.map(({ commitEndLsn }) => commitEndLsn));
  return {
    lost: [...expectedIds].filter((lsn) => !foundIds.has(lsn)),
    invented: [...foundIds].filter((lsn) => !expectedIds.has(lsn)),
  };
}

type Match = { readonly status: unknown; readonly reason: unknown; readonly token_hash: unknown };

async function matchesIn(directory: string): Promise<ReadonlyMap<string, Match>> {
  const lines = (await readFile(join(directory, 'journal.jsonl'), 'utf8')).trimEnd().split('\n');
  const matches = new Map<string, Match>();
  for (const line of lines) {
    const { kind, observation_id, status, reason, token_hash } = JSON.parse(line) as Record<string, unknown>;
    if (kind === 'matched') matches.set(String(observation_id), { status, reason, token_hash });
  }
  return matches;
}

/** What reconciliation must say, from the tokens that the upstream was given and nothing else. */
function expectedCounts(transactions: readonly Committed[]): Record<string, number> {
  const granted = new Set(upstream.effects.map(({ token }) => digestOf(token)));
  const used = new Set<string>();
  const counts = { matched: 0, exceeded: 0, reused: 0, unattributed: 0, claimed_unproved: 0 };
  for (const { relations, tokenHashes } of transactions) {
    const [token] = tokenHashes;
    if (!relations.some((relation) => relation.startsWith(`${WORLD_TABLE} `))) continue;
    if (token === undefined) counts.unattributed += 1;
    else if (!granted.has(token)) counts.claimed_unproved += 1;
    else counts[used.has(token) ? 'reused' : 'matched'] += 1;
    if (token !== undefined) used.add(token);
  }
  return counts;
}

function show(load: DatabaseLoad, expected: readonly Committed[], observed: Observed): void {
  const { lost, invented } = difference(expected, observed.transactions);
  printTable(`The recorder killed ${killCount} times under ${load.writer} (seed ${seed})`, [
    [`transactions by ${slot.reader}`, expected.length],
    ['of these with a token', expected.filter(({ tokenHashes }) => tokenHashes.length > 0).length],
    ['of these allowed by a receipt', upstream.effects.length],
    ['observations', observed.transactions.length],
    ['lost', lost.length],
    ['invented', invented.length],
    ['written twice, dropped by readers', observed.duplicateCount],
    ['watermarks', observed.watermarkCount],
    ['gaps', observed.gapCount],
  ]);
}
