// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { bundleAfter, until } from '@clyra/cli/quickstart/await-evidence';
import { parseRecord } from '@clyra/core/canonical/record';
import { type RawAnswer, rawExchange } from '@clyra/intake/test-support/raw-exchange';
import { systemClock } from '@clyra/runtime/system-clock';
import { readTopic } from '@clyra/testing/read-topic';
import { verifyBundle } from '@clyra/verifier/verify-bundle';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Runs } from '../faults/bundler/runs.ts';
import { readLogFacts } from '../faults/world/log-facts.ts';
import { ServiceProcess } from '../faults/world/service-process.ts';
import { WORLD_PARTITION, WORLD_TENANT } from '../faults/world/world-policy.ts';
import { refold } from '../oracle/refold.ts';
import { e2eSizes } from './config.ts';
import { readEdgeCounts } from './edge-counts.ts';
import { badConfigs, SHORT_SECRET } from './test-support/bad-configs.ts';
import type { Row } from './test-support/bad-input-row.ts';
import { ROWS } from './test-support/bad-input-table.ts';
import { type BadInputWorld, startBadInputWorld } from './test-support/bad-input-world.ts';
import { BAD_OBSERVATIONS, BAD_RECORDS, type RecordContext } from './test-support/bad-records.ts';
import { rawRequest } from './test-support/raw-request.ts';

const START_MS = 180_000;
const WAIT = { clock: systemClock, deadlineMs: 30_000 };
const SEND_MS = 10_000;
const EXIT_MS = 60_000;
const POLICY_FILE = new URL('../../packs/verification/quickstart.json', import.meta.url).pathname;

let bad: BadInputWorld;

beforeAll(async () => {
  bad = await startBadInputWorld(e2eSizes().seed);
}, START_MS);

afterAll(() => bad?.world.close(), START_MS);

type Seen = { readonly row: Row; readonly eventId: string | undefined; readonly receiptId: string | undefined };

describe('bad input over HTTP', () => {
  const seen: Seen[] = [];
  let soundCount = 0;

  it('has at least 40 rows, each with a name of its own', () => {
    expect(ROWS.length).toBeGreaterThanOrEqual(40);
    expect(new Set(ROWS.map(({ name }) => name)).size).toBe(ROWS.length);
    process.stdout.write(`\n${ROWS.length} rows of HTTP, ${BAD_RECORDS.length + BAD_OBSERVATIONS.length} of records\n`);
  });

  it.each(ROWS)('answers $name: $status $code', async (row) => {
    const arrivedBefore = bad.upstream.arrivals.length;
    const requests = await row.bytes(bad.context());
    let answer: RawAnswer | undefined;
    for (const bytes of requests) {
      if (answer !== undefined) await settled(answer);
      answer = await rawExchange(urlOf(row), bytes);
    }
    const problem = problemOf(answer);
    expect({ status: answer?.status, code: problem['code'] }).toEqual({ status: row.status, code: row.code });
    // Only sound requests are forwarded: the row's own, or those before it that make it bad.
    const sound = requests.length - 1 + (row.code === undefined ? 1 : 0);
    expect(bad.upstream.arrivals.length - arrivedBefore).toBe(sound);
    soundCount += requests.length - 1;
    const { 'clyra-event-id': eventId, 'clyra-receipt': receiptId } = answer?.headers ?? {};
    expect(receiptId !== undefined).toBe(row.receipt);
    if (row.code !== undefined) expect(answer?.headers['content-type']).toMatch(/^application\/problem\+json(?:;|$)/);
    seen.push({ row, eventId, receiptId });
  });

  it('left one receipt for each change that was asked for by somebody known, and none for the others', async () => {
    const { changes, receipts } = await readLogFacts(bad.world);
    const asked = seen.filter(({ row }) => row.receipt);
    const named = new Map(receipts.map(({ body }) => [body['event_id'], body]));
    for (const { row, eventId, receiptId } of asked) {
      const receipt = named.get(eventId ?? '');
      expect({ row: row.name, id: receipt?.['receipt_id'] }).toEqual({ row: row.name, id: receiptId });
      const reasons = receipt?.['reasons'] as readonly { readonly code: string }[];
      const codes = reasons.map(({ code }) => code);
      expect({ row: row.name, codes }).toEqual({
        row: row.name,
        codes: row.code === undefined ? [] : expect.arrayContaining([row.code]),
      });
    }
    expect(new Set(asked.map(({ eventId }) => eventId)).size).toBe(asked.length);
    // Nothing else stands there: what was refused at the edge is in nobody's log.
    const written = changes.filter(({ body }) => !OWN_KINDS.has(String(body['kind'])));
    expect(written.length).toBe(asked.length + soundCount + OPENED);
  });

  it('can be asked about each change by its event id', async () => {
    // Of a run or a command the answer itself holds the receipt.
    for (const { row, eventId, receiptId } of seen.filter((one) => one.row.receipt && one.row.listener === 'gateway')) {
      const answer = await askAbout(eventId);
      expect({ row: row.name, status: answer.status, receipt: problemOf(answer)['receipt_id'] }).toEqual({
        row: row.name,
        status: 200,
        receipt: receiptId,
      });
    }
  });

  it('counted what was refused at the edge, by code', async () => {
    const wanted: Record<string, number> = {};
    for (const { row } of seen) {
      if (row.receipt || row.code === undefined || UNCOUNTED.has(row.code)) continue;
      wanted[row.code] = (wanted[row.code] ?? 0) + 1;
    }
    const counts = await until('the counts of the edge', WAIT, async () => {
      const found = await readEdgeCounts(bad.world);
      return Object.keys(wanted).every((code) => (found[code] ?? 0) >= (wanted[code] ?? 0)) ? found : undefined;
    });
    expect(counts).toMatchObject(wanted);
  });
});

describe('bad records', () => {
  const placed: { readonly name: string; readonly offset: number; readonly code: string; readonly becomes: string }[] =
    [];

  it.each(BAD_RECORDS)('lets the partition move on after $name', async ({ name, value, code, becomes }) => {
    const offset = await append(bad.world.topics.changes, value(await recordContext()));
    placed.push({ name, offset, code, becomes });
    await passes();
  });

  it('answered each in its place, once', async () => {
    const receipts = new Map<number, Record<string, unknown>>();
    for (const { value } of (await readTopic(bad.world.log, bad.world.topics.receipts))[WORLD_PARTITION] ?? []) {
      const envelope = await bad.world.codec.decode('ReceiptEnvelope', value ?? new Uint8Array());
      expect(receipts.has(envelope.offset)).toBe(false);
      receipts.set(envelope.offset, parseRecord(envelope.body));
    }
    expect(placed.map(({ name, offset }) => ({ name, ...answered(receipts.get(offset)) }))).toEqual(
      placed.map(({ name, code, becomes }) => ({ name, becomes, code })),
    );
  });

  it('put a copy of each that cannot be read into quarantine, with the reason', async () => {
    const poisoned = placed.filter(({ becomes }) => becomes === 'poisoned');
    const topic = bad.world.topics.changes;
    const wanted = poisoned.map(({ offset, code }) => `${topic}/${WORLD_PARTITION}/${offset} ${code}`);
    expect(await quarantined(topic, wanted.length)).toEqual(wanted);
  });

  it('puts observations that no log can take into quarantine, and the bundler goes on', async () => {
    const topic = bad.world.topics.observations;
    const wanted: string[] = [];
    for (const { value, code } of BAD_OBSERVATIONS) {
      const offset = await append(topic, value(await recordContext()));
      wanted.push(`${topic}/${WORLD_PARTITION}/${offset} ${code}`);
    }
    expect(await quarantined(topic, wanted.length)).toEqual(wanted);
  });
});

describe('a wrong configuration', () => {
  it(
    'ends each service with code 2 and every problem at once',
    async () => {
      const { folder } = bad.world.parts;
      const configs = badConfigs((name, content) => {
        const path = join(folder, name);
        writeFileSync(path, content, { mode: 0o600 });
        return path;
      });
      for (const [index, { name, service, env, code, names }] of configs.entries()) {
        const logFile = join(bad.world.parts.local.layout.logsDir, `wrong-${index}.log`);
        const sound = { ...bad.world.service(service).options.env, CLYRA_HTTP_PORT: '0', CLYRA_GATEWAY_PORT: '0' };
        const merged = Object.entries({ ...sound, ...env }).filter(
          (entry): entry is [string, string] => entry[1] !== null,
        );
        const wrong = new ServiceProcess({ service, name: `wrong-${index}`, env: Object.fromEntries(merged), logFile });
        wrong.spawn();
        const exitCode = await wrong.exitCode(EXIT_MS).finally(() => wrong.kill());
        const said = wrong.log;
        const missing = [code, ...names].filter((words) => !said.includes(words));
        expect({ name, exitCode, missing }).toEqual({ name, exitCode: 2, missing: [] });
        expect(said).not.toContain(SHORT_SECRET);
        expect(said).not.toContain('    at ');
      }
    },
    START_MS,
  );
});

describe('after all of it', () => {
  it('the raw topics fold to the published receipts, and the next bundle verifies', async () => {
    const runs = new Runs(bad.world, 'bot');
    const names = {
      approver_principal: 'login|00u1',
      actor_principal: 'svc',
      client_app_id: 'pbx',
      session_id: 'vs-42',
    };
    await runs.open('the-end', { correlation: names });
    await passes();
    await runs.close('the-end');
    const { url } = bad.world.service('bundler');
    const { location } = await bundleAfter(url, WORLD_TENANT, { ...WAIT, afterEnd: 0 });
    const { layout, blobs } = bad.world.parts.local;
    const directory = join(layout.blobDir, location);
    const { trustRootFile } = layout;
    const report = await verifyBundle({ directory, trustRootFile, policyFile: POLICY_FILE, mode: 'full' });
    expect(report).toMatchObject({ failures: [], exitCode: 0 });
    const lines = readFileSync(join(directory, 'journal.jsonl'), 'utf8').trimEnd().split('\n');
    const opened = lines.map((line) => JSON.parse(line)).find(({ change }) => change?.body.run_id === 'the-end');
    expect(opened.change.body).toMatchObject({ kind: 'run.opened', correlation: names });
    const { log, codec, topics } = bad.world;
    const folded = await refold({ log, codec, blobs, topics });
    expect(folded.problems).toEqual([]);
    // One answer for each record, however bad.
    expect(folded.receiptCount - folded.duplicateCount).toBe(folded.changeCount);
  });
});

/** What intake writes of itself, beside what it is asked for. */
const OWN_KINDS = new Set(['stream.opened', 'change.outcome', 'clock.ticked', 'window.closed']);
/** tenant.opened. */
const OPENED = 1;
/** Questions about changes are no changes, and are not counted where the caller was known. */
const UNCOUNTED = new Set(['CLY_CHANGE_NOT_FOUND', 'CLY_CHANGE_GONE', 'CLY_RECORD_SHAPE', 'CLY_JSON_SYNTAX']);

function urlOf({ listener }: Row): string {
  const { gateway_url: gateway, intake_url: api } = bad.world.parts.settings;
  return listener === 'gateway' ? gateway : api;
}

function problemOf(answer: RawAnswer | undefined): Record<string, unknown> {
  return JSON.parse(answer?.body || '{}') as Record<string, unknown>;
}

function askAbout(eventId: string | undefined): Promise<RawAnswer> {
  const target = `/v1/changes/${eventId}`;
  return rawExchange(
    bad.world.parts.settings.intake_url,
    rawRequest({ method: 'GET', target, body: '' }, bad.context()),
  );
}

/** Until the outcome of an allowed change is known: before that, the same request is in flight. */
async function settled({ headers }: RawAnswer): Promise<void> {
  await until('the outcome of the first request', WAIT, async () => {
    const { state } = problemOf(await askAbout(headers['clyra-event-id']));
    return state === 'requested' || state === 'allowed' ? undefined : true;
  });
}

async function passes(): Promise<void> {
  const answer = await rawExchange(bad.world.parts.settings.gateway_url, rawRequest({}, bad.context()));
  expect({ status: answer.status, code: problemOf(answer)['code'] }).toEqual({ status: 201, code: undefined });
}

async function append(topic: string, value: Uint8Array | null): Promise<number> {
  const appender = bad.world.log.appender('bad-records');
  const records = [{ key: null, value }];
  const [appended] = await appender.append([{ topic, partition: WORLD_PARTITION, records }], SEND_MS);
  await appender.close();
  return appended?.baseOffset ?? -1;
}

let genuine: Uint8Array | undefined;

async function recordContext(): Promise<RecordContext> {
  const { log, codec, topics } = bad.world;
  genuine ??= (await readTopic(log, topics.changes))[WORLD_PARTITION]?.[1]?.value ?? undefined;
  if (genuine === undefined) throw new Error('intake has written nothing');
  return { codec, tenant: WORLD_TENANT, nowMs: Date.now(), genuine };
}

function answered(receipt: Record<string, unknown> | undefined): { becomes: unknown; code: unknown } {
  if (receipt?.['kind'] === 'poisoned') return { becomes: 'poisoned', code: receipt['reason'] };
  const reasons = receipt?.['reasons'] as readonly { readonly code: string }[] | undefined;
  return { becomes: receipt?.['decision'] === 'block' ? 'blocked' : receipt?.['decision'], code: reasons?.[0]?.code };
}

/** `topic/partition/offset reason` of what is in quarantine from this topic, once there are so many. */
async function quarantined(topic: string, count: number): Promise<readonly string[]> {
  return until('the quarantine', WAIT, async () => {
    const found: { readonly offset: number; readonly text: string }[] = [];
    for (const { value } of (await readTopic(bad.world.log, bad.world.topics.quarantine)).flat()) {
      const copy = await bad.world.codec.decode('QuarantineEnvelope', value ?? new Uint8Array());
      const text = `${copy.topic}/${copy.partition}/${copy.offset} ${copy.reason}`;
      if (copy.topic === topic) found.push({ offset: copy.offset, text });
    }
    return found.length < count ? undefined : found.sort((a, b) => a.offset - b.offset).map(({ text }) => text);
  });
}
