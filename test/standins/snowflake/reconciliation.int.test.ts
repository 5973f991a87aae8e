// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { parseRecord } from '@clyra/core/canonical/record';
import { activationOf } from '@clyra/core/evidence/activation';
import { JournalFold } from '@clyra/core/evidence/journal-fold';
import { parseSourceLine, type SourceLine } from '@clyra/core/evidence/journal-line';
import { decidedLine, observedLine } from '@clyra/core/evidence/write-line';
import { blockToJson, signBatch } from '@clyra/core/signing/batch-signature';
import { RECEIPT_TYPE } from '@clyra/core/signing/pae';
import { SnowflakeHistory } from '@clyra/recorder/warehouse/snowflake/snowflake-history';
import { SCRIPT_KEYS, SCRIPT_POLICY, START_MS, TENANT } from '@clyra/testing/fold-script';
import { plainCodec } from '@clyra/testing/plain-codec';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { WarehouseWorld } from '../warehouse-world.ts';
import { SnowflakeServer, STANDIN_SYSTEM_ID } from './snowflake-server.ts';
import { deliveriesOf, GUARDED, type TrueStatement } from './true-history.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const EFFECTS = {
  source_id: 'snow',
  relations: [GUARDED],
  operations: ['insert' as const],
  rows_max: 5,
  ttl_seconds: 60,
};
const POLICY = {
  ...SCRIPT_POLICY,
  guarded: [{ source_id: 'snow', relations: [GUARDED] }],
  routes: SCRIPT_POLICY.routes.map((route) => (route.effects === null ? route : { ...route, effects: EFFECTS })),
};
const TOKENS = { redeemed: '1'.repeat(32), tagged: '2'.repeat(32), large: '3'.repeat(32), forged: '4'.repeat(32) };

const INSERT: Omit<TrueStatement, 'id' | 'token' | 'link'> = {
  ...{ type: 'INSERT', startMs: START_MS + 1_000, endMs: START_MS + 2_000, table: GUARDED, status: 'SUCCESS' },
  counts: [3, 0, 0],
};

const STATEMENTS: readonly TrueStatement[] = [
  { ...INSERT, id: 'q-redeemed', token: TOKENS.redeemed, link: 'redemption' },
  { ...INSERT, id: 'q-tagged', token: TOKENS.tagged, link: 'query_tag' },
  { ...INSERT, id: 'q-again', token: TOKENS.tagged, link: 'query_tag', endMs: INSERT.endMs + 1 },
  { ...INSERT, id: 'q-large', token: TOKENS.large, link: 'redemption', counts: [6, 0, 0] },
  { ...INSERT, id: 'q-forged', token: TOKENS.forged, link: 'query_tag' },
  { ...INSERT, id: 'q-bare', token: null, link: 'none' },
  { ...INSERT, id: 'q-elsewhere', token: null, link: 'none', table: 'CRM.PUBLIC.NOTES' },
];

const EXPECTED: Readonly<Record<string, string>> = {
  'q-redeemed': 'matched',
  'q-tagged': 'matched',
  'q-again': 'reused',
  'q-large': 'exceeded',
  'q-forged': 'claimed_unproved',
  'q-bare': 'unattributed',
};

let server: SnowflakeServer;
beforeAll(async () => {
  server = await SnowflakeServer.start();
}, 300_000);
afterAll(() => server.kill());

it('matches what was permitted on Snowflake and names what was not, in the journal and live', async () => {
  await server.order({ clock_ms: START_MS });
  const place = { sourceId: 'snow', systemId: STANDIN_SYSTEM_ID, guarded: [GUARDED] };
  const world = await WarehouseWorld.open({ seed: 21, ...place, policy: POLICY });
  for (const token of [TOKENS.redeemed, TOKENS.tagged, TOKENS.large]) {
    await world.script.request({ execution_token_hash: digestOf(token) });
  }
  world.publishSteps();
  const running = world.start(
    new SnowflakeHistory({
      ...{ connection: server.connection, guarded: [GUARDED], hasAccessHistory: true },
      ...{ queryLagMs: 45 * MINUTE, accessLagMs: 3 * HOUR, overlapMs: 6 * HOUR, deepEveryMs: 15 * MINUTE },
      ...{ redemptions: 'CLYRA.GUARD.REDEMPTIONS', retentionMs: 365 * 24 * HOUR, pageRowsMax: 3 },
    }),
  );
  await world.until('a first look', () => world.statusOf(running).state === 'streaming');
  const onTime = { queryDelayMs: 30 * MINUTE, accessDelayMs: 2 * HOUR, isDoubled: true };
  await server.order({
    clock_ms: START_MS + 3 * HOUR,
    deliver: deliveriesOf(STATEMENTS.map((statement) => [statement, onTime])),
  });
  await world.until('all is told', () => world.toldIds().length === STATEMENTS.length);
  await world.until('the horizon has passed', () => world.horizonMs() > INSERT.endMs);
  const live = (): number => world.findings(running).length;
  await world.until('the findings are judged', () => live() >= 4);
  await world.stop(running);

  const verdicts = await verdictsOf(world);
  expect(verdicts).toEqual(EXPECTED);
  const found = world.findings(running).map(({ observation_id: id, status }) => [nameOf(world, id), status]);
  const wrong = Object.entries(EXPECTED).filter(([, status]) => status !== 'matched');
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(wrong));
}, 120_000);

function nameOf(world: WarehouseWorld, observationId: string): string {
  const body = world.leaves('transaction').find((one) => one['observation_id'] === observationId);
  return String((body?.['statement'] as JsonObject | undefined)?.['id']);
}

/** The lines as a bundler sequences them, with a cut behind; what the fold says of each statement. */
async function verdictsOf(world: WarehouseWorld): Promise<Readonly<Record<string, string>>> {
  const { script } = world;
  const decided = script.steps.length;
  await script.append(script.body('window.closed', { number: 1 }));
  const lines = [
    ...(await decidedLines(world, 1, decided)),
    ...observedLines(world),
    ...(await decidedLines(world, decided, decided + 1)),
  ];
  const fold = new JournalFold(TENANT);
  const leaves = lines.flatMap((line) => {
    const guarded = activationOf(line).policy === undefined ? undefined : POLICY.guarded;
    return fold.push(line, guarded).leaves.map((leaf) => JSON.parse(Buffer.from(leaf).toString('utf8')) as JsonObject);
  });
  const matched = leaves.filter(({ kind }) => kind === 'matched');
  return Object.fromEntries(
    matched.map(({ observation_id: id, status }) => [nameOf(world, String(id)), String(status)]),
  );
}

async function decidedLines({ script }: WarehouseWorld, from: number, to: number): Promise<SourceLine[]> {
  const lines: SourceLine[] = [];
  for (let index = from; index < to; index += 1) {
    const [step, envelope] = [script.steps[index], script.envelopes[index]];
    if (step === undefined || envelope === undefined) throw new Error('a change has its receipt');
    const { bytes, digest, signed } = step.folded;
    const [block] = await signBatch(SCRIPT_KEYS.enforcer, RECEIPT_TYPE, [digest]);
    if (block === undefined) throw new Error('a send of one body has one block');
    const change = { body: parseRecord(envelope.body), bytes: envelope.body, block: parseRecord(envelope.signature) };
    const receipt = { body: step.receipt, bytes, block: signed ? blockToJson(block) : null };
    lines.push(parseSourceLine(decidedLine({ appendTimeMs: script.nowMs, change, receipt })));
  }
  return lines;
}

function observedLines(world: WarehouseWorld): SourceLine[] {
  return world.written().map(({ body, record }) => {
    const envelope = plainCodec.decode('ObservationEnvelope', record.value ?? new Uint8Array());
    const observation = { body, bytes: envelope.body, block: parseRecord(envelope.signature) };
    return parseSourceLine(observedLine({ appendTimeMs: world.script.nowMs, observation }));
  });
}
