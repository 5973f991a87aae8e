// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import { readSources } from '@clyra/cli/local/sources-file';
import { bundleAfter, newestBundle, observationsSequenced, recorderCovers } from '@clyra/cli/quickstart/await-evidence';
import { digestOf } from '@clyra/core/canonical/digest';
import { systemClock } from '@clyra/runtime/system-clock';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Runs } from './bundler/runs.ts';
import { insertActivation } from './recorder/activations.ts';
import type { Committed } from './recorder/committed.ts';
import { recorderSizes } from './recorder/config.ts';
import { type DatabaseLoad, startDatabaseLoad } from './recorder/database-load.ts';
import { coverageOf, expectedCounts, verifyAll } from './recorder/expected-findings.ts';
import { GatewayLoad } from './recorder/gateway-load.ts';
import { Inbox } from './recorder/inbox.ts';
import { InboxUpstream } from './recorder/inbox-upstream.ts';
import { KillSchedule } from './recorder/kill-schedule.ts';
import { Maintenance } from './recorder/maintenance.ts';
import { type Clients, prepareDatabase } from './recorder/prepare-database.ts';
import { type Observed, readObservations } from './recorder/read-observations.ts';
import { SecondSlot } from './recorder/second-slot.ts';
import type { Caller } from './world/caller.ts';
import { faultSizes } from './world/config.ts';
import { FaultWorld } from './world/fault-world.ts';
import { printTable } from './world/print-table.ts';
import { activationRequest } from './world/requests.ts';
import { WORLD_TENANT } from './world/world-policy.ts';

const { seed, keepsFolder } = faultSizes();
const { killCount, postgresKillCount, changesPerSecond, changeCount } = recorderSizes();
const START_MS = 180_000;
/** What one kill may take on a busy machine. */
const KILL_MS = 30_000;
/** What one change may take, from the gateway to the sealed bundle, and its second opinion. */
const CHANGE_MS = 20;
const TEST_MS = START_MS + (killCount + postgresKillCount) * KILL_MS + changeCount * CHANGE_MS;
const WAIT = { clock: systemClock, deadlineMs: 60_000 + changeCount * 2 };
const RUN = 'the-run';
/** From when a recorder runs that finds its slot gone. */
const GAP_MS = 10_000;
const HOUR_MS = '3600000';
/** Callers are held while the broker is frozen. */
const HOLD_MS = '15000';
/** Writes that went round the gateway, the one of the second test among them. */
const BYPASS_COUNT = 50;
const ATTEMPTS_MAX = 3;
const MATCHED_SHARE_MIN = 0.999;
/** More than the gateway lets through, so that orders do not pile up. */
const DATABASE_SHARE = 2;

let world: FaultWorld;
let clients: Clients;
let inbox: Inbox;
let upstream: InboxUpstream;
let maintenance: Maintenance;
let slot: SecondSlot;
let slotName: string;
let runs: Runs;
let caller: Caller;

beforeAll(async () => {
  world = await FaultWorld.start({ name: 'recorder', seed, keepsFolder });
  clients = await prepareDatabase(world);
  inbox = new Inbox(clients.sql);
  world.onClose(() => inbox.close());
  upstream = await InboxUpstream.start(inbox);
  world.onClose(() => upstream.close());
  maintenance = await Maintenance.open(clients.admin, world.parts.folder);
  caller = world.caller(32);
  // Windows are cut by count alone: at the size of the gate there is one bundle.
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
  if (source === undefined || !('publication' in source)) throw new Error('the source is a database');
  const { publication } = source;
  slotName = source.slot;
  slot = await SecondSlot.open({ sql: clients.sql, database: world.database, publication, folder });
  runs = new Runs(world, 'load');
  await runs.open(RUN);
}, START_MS);

afterAll(() => world?.close(), START_MS);

describe('a recorder whose database and whose own process are killed under load', () => {
  it(
    'reports each commit once, as a second slot does',
    async () => {
      const load = await startDatabaseLoad({
        database: world.database,
        folder: world.parts.folder,
        transactionsPerSecond: changesPerSecond * DATABASE_SHARE,
      });
      const gateway = new GatewayLoad(caller, { count: changeCount, perSecond: changesPerSecond });
      await killAgainAndAgain(gateway);
      const { perSecond } = await gateway.ended();
      await inbox.done(WAIT.deadlineMs);
      await load.stop();
      await covered();
      const expected = await slot.read();
      const observed = await readObservations(world);
      show({ load, gateway, perSecond }, expected, observed);
      expect(observed.problems).toEqual([]);
      expect(observed.gapTimesMs).toEqual([]);
      expect(difference(expected, observed.transactions)).toEqual({ lost: [], invented: [] });
      // The same order and content as well, not only the same set.
      expect(observed.transactions.map(({ observationId: _, ...committed }) => committed)).toEqual(expected);
      expect([...maintenance.counts.keys()].sort()).toEqual(['ALTER TABLE', 'COPY', 'DELETE', 'TRUNCATE', 'UPDATE']);
      expect(expected.some(({ ddlCount }) => ddlCount > 0)).toBe(true);
    },
    TEST_MS,
  );

  it(
    'has exactly the writes beside the gateway named by the next bundle, a forged token and one used twice',
    async () => {
      const token = await tokenOf('change-to-copy');
      await insertActivation(clients.sql, { subject: 'used', token });
      const bypass = await insertActivation(clients.sql, { subject: 'bypass' });
      const forged = await insertActivation(clients.sql, { subject: 'forged', token: 'made-up-by-somebody' });
      const reused = await insertActivation(clients.sql, { subject: 'reused', token });
      await covered();
      await observationsSequenced(world.service('bundler').url, world.parts.settings, WAIT);
      const { url } = world.service('bundler');
      const before = await newestBundle(url, WORLD_TENANT);
      await runs.close(RUN);
      await bundleAfter(url, WORLD_TENANT, { ...WAIT, afterEnd: before?.end ?? 0 });
      const { bundleCount, failures, counts, matches } = await verifyAll(world);
      printTable(`Findings of ${bundleCount} sealed bundles`, Object.entries(counts));
      expect(failures).toEqual([]);

      const { transactions } = await readObservations(world);
      const statusOf = (xid: string): unknown => {
        const observation = transactions.find((transaction) => transaction.xid === xid);
        return matches.get(observation?.observationId ?? '');
      };
      expect([bypass, forged, reused].map(statusOf)).toEqual([
        { status: 'unattributed', reason: 'no_token', token_hash: null },
        { status: 'claimed_unproved', reason: 'token_unknown', token_hash: digestOf('made-up-by-somebody') },
        { status: 'reused', reason: 'token_used', token_hash: digestOf(token) },
      ]);
      expect(counts['unattributed']).toBe(BYPASS_COUNT);
      expect(attributedShare(counts)).toBeGreaterThanOrEqual(MATCHED_SHARE_MIN);
      expect(counts).toEqual(expectedCounts(transactions, upstream.tokens));
    },
    TEST_MS,
  );

  it(
    'signs a gap within ten seconds of a lost slot, and the next bundle does not cover what happened meanwhile',
    async () => {
      await runs.open('the-lost-slot');
      const recorder = world.service('recorder');
      await recorder.kill();
      await dropSlot();
      await insertActivation(clients.sql, { subject: 'seen by nobody' });
      await recorder.start();
      const startedMs = Date.now();
      // Reading a log of a hundred thousand observations may itself take longer than the limit.
      let gapAtMs: number | undefined;
      while (gapAtMs === undefined) {
        await pause(100);
        [gapAtMs] = (await readObservations(world)).gapTimesMs;
      }
      expect(gapAtMs - startedMs).toBeLessThan(GAP_MS);
      await covered();
      const { url } = world.service('bundler');
      await observationsSequenced(url, world.parts.settings, WAIT);
      const before = await newestBundle(url, WORLD_TENANT);
      await runs.close('the-lost-slot');
      const { location } = await bundleAfter(url, WORLD_TENANT, { ...WAIT, afterEnd: before?.end ?? 0 });
      const refused = { exitCode: 4, claim: { status: 'FAIL', code: 'CLY_COVERAGE_GAP' } };
      expect(await coverageOf(world, location)).toEqual([refused, refused]);
    },
    TEST_MS,
  );
});

/** Between the kills a write as it should be, and one that goes round the gateway, of every kind in turn. */
async function killAgainAndAgain(gateway: GatewayLoad): Promise<void> {
  const schedule = new KillSchedule(world, { recorder: killCount, postgres: postgresKillCount }, seed);
  const { steps } = schedule;
  let bypassed = 0;
  for (const [index, target] of steps.entries()) {
    const ended = gateway.ended();
    while (gateway.progress < (index + 1) / (steps.length + 1)) await Promise.race([pause(20), ended]);
    await schedule.kill(target);
    const until = Math.ceil(((BYPASS_COUNT - 1) * (index + 1)) / steps.length);
    for (; bypassed < until; bypassed += 1) {
      if (bypassed % 2 === 0) await maintenance.doNext(await tokenOf(`maintenance-${bypassed}`));
      await maintenance.doNext();
    }
  }
  // Also what is written long after the last kill.
  await pause(1_000);
}

/** The token of one more allowed change; nobody else writes with it. A connection that was idle may be gone. */
async function tokenOf(key: string): Promise<string> {
  for (let attempt = 0; ; attempt += 1) {
    const request = activationRequest(`${key}-${attempt}`, 'load');
    const target = request.target.replace('activations', 'maintenance');
    const { eventId, status, code } = await caller.send({ ...request, target });
    if (status === 201) return upstream.tokenOf(eventId);
    if (attempt === ATTEMPTS_MAX) throw new Error(`${key} was answered ${status} ${code}`);
  }
}

/** The server may not have seen yet that the slot's reader was killed, and drops no slot that is read. */
async function dropSlot(): Promise<void> {
  const active = 'select 1 from pg_replication_slots where slot_name = $1 and active';
  while ((await clients.sql.query(active, [slotName])).rows.length > 0) await pause(50);
  await clients.sql.query('select pg_drop_replication_slot($1)', [slotName]);
}

/** Until the log holds everything that was committed before now. */
async function covered(): Promise<void> {
  // The clock of the source is this machine's; a little more, so that the newest commit is certainly before it.
  await recorderCovers(world.service('recorder').url, { ...WAIT, sourceId: 'crm', untilMs: Date.now() + 50 });
}

/** Of everything but the bypasses and the two writes that this test itself made wrong. */
function attributedShare(counts: Readonly<Record<string, number>>): number {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return (counts['matched'] ?? 0) / (total - BYPASS_COUNT - 2);
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

type Loads = { readonly load: DatabaseLoad; readonly gateway: GatewayLoad; readonly perSecond: number };

function show({ load, gateway, perSecond }: Loads, expected: readonly Committed[], observed: Observed): void {
  const { lost, invented } = difference(expected, observed.transactions);
  printTable(
    `Recorder killed ${killCount} times, PostgreSQL ${postgresKillCount} times under ${load.writer}, seed ${seed}`,
    [
      [`transactions by ${slot.reader}`, expected.length],
      ['of these with a token', expected.filter(({ tokenHashes }) => tokenHashes.length > 0).length],
      ['of these with schema changes', expected.filter(({ ddlCount }) => ddlCount > 0).length],
      ['changes through the gateway', `${changeCount}, ${perSecond.toFixed(0)}/s, ${gateway.repeatedCount} sent again`],
      ['other writes', [...maintenance.counts].map(([kind, count]) => `${kind} ${count}`).join(', ')],
      ['times the load found no database', load.cutCount()],
      ['observations', observed.transactions.length],
      ['lost', lost.length],
      ['invented', invented.length],
      ['written twice, dropped by readers', observed.duplicateCount],
      ['watermarks', observed.watermarkCount],
      ['gaps', observed.gapTimesMs.length],
    ],
  );
}
