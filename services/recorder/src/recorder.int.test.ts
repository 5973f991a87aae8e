// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { compareLsn } from '@clyra/adapter-postgres/lsn';
import { digestOf } from '@clyra/core/canonical/digest';
import { parseRecord } from '@clyra/core/canonical/record';
import { parseBlock } from '@clyra/core/signing/parse-block';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RecorderProcess } from './test-support/recorder-process.ts';
import { type Observed, RecorderStack } from './test-support/recorder-stack.ts';

const SET_UP_MS = 12 * 60_000;
const TEST_MS = 180_000;
const TRANSACTION_COUNT = 600;
const ORACLE = 'oracle';

describe('the recorder on PostgreSQL and Kafka', () => {
  let stack: RecorderStack;
  let recorder: RecorderProcess;

  beforeAll(async () => {
    stack = await RecorderStack.start();
  }, SET_UP_MS);

  afterAll(async () => {
    await recorder?.end('SIGTERM');
    await stack?.stop();
  }, TEST_MS);

  const ofKind = (observed: readonly Observed[], kind: string): Observed[] =>
    observed.filter(({ body }) => body['kind'] === kind);

  const covered = async (): Promise<void> => {
    const untilMs = Date.now();
    await recorder.until(({ covers_until }) => (covers_until ?? 0) >= untilMs);
  };

  it(
    'publishes every transaction once, in order, over kill -9 in the middle of a load',
    async () => {
      recorder = new RecorderProcess(stack.environment);
      await recorder.until(({ state }) => state === 'streaming');
      await stack.admin.query(`select pg_create_logical_replication_slot('${ORACLE}', 'pgoutput')`);
      let nextId = 1;
      const writer = async (): Promise<void> => {
        for (let id = nextId++; id <= TRANSACTION_COUNT; id = nextId++) {
          await stack.commit(id);
          await delay(25);
        }
      };
      const load = Promise.all([writer(), writer(), writer()]);
      for (let kill = 0; kill < 3; kill += 1) {
        await delay(400);
        await recorder.kill();
        recorder = new RecorderProcess(stack.environment);
        await recorder.until(({ state }) => state === 'streaming');
      }
      await load;
      await covered();

      const observed = await stack.observed();
      const transactions = ofKind(observed, 'transaction');
      const committed = await stack.committedXids(ORACLE);
      expect(committed).toHaveLength(TRANSACTION_COUNT);
      expect(transactions.map(({ body }) => body['xid'])).toEqual(committed);
      expect(new Set(transactions.map(({ body }) => body['observation_id'])).size).toBe(TRANSACTION_COUNT);
      expect(ofKind(observed, 'gap')).toEqual([]);
      const tokens = new Set(transactions.flatMap(({ body }) => body['token_hashes'] as string[]));
      expect(tokens).toEqual(
        new Set(Array.from({ length: TRANSACTION_COUNT }, (_, index) => digestOf(`token-${index + 1}`))),
      );
    },
    TEST_MS,
  );

  it('claims with a watermark only what stands before it', async () => {
    const observed = await stack.observed();
    expect(ofKind(observed, 'watermark').length).toBeGreaterThan(5);
    let coversUntil = 0;
    let lsn = '0/0';
    const late: unknown[] = [];
    for (const { body } of observed) {
      if (body['kind'] === 'watermark') {
        coversUntil = Math.max(coversUntil, body['covers_until'] as number);
        lsn = body['lsn'] as string;
      } else if (
        body['kind'] === 'transaction' &&
        ((body['committed_at'] as number) < coversUntil || compareLsn(body['commit_end_lsn'] as string, lsn) <= 0)
      ) {
        late.push(body);
      }
    }
    expect(late).toEqual([]);
  });

  it('signs as the recorder, in envelopes that repeat their bodies', async () => {
    for (const { body, envelope } of await stack.observed()) {
      expect(parseBlock(parseRecord(envelope.signature))?.key_id).toBe(stack.recorderKeyId);
      const { tenant, kind, source_id, observation_id } = envelope;
      expect(body).toMatchObject({ tenant, kind, source_id, observation_id });
    }
  });

  it(
    'moves an idle slot on, and lets PostgreSQL forget only what the log has',
    async () => {
      await covered();
      const before = await stack.observed();
      await stack.admin.query('checkpoint');
      await stack.admin.query("select pg_logical_emit_message(true, 'other', 'x')");
      await covered();
      await delay(1_500);
      const { rows } = await stack.admin.query<{ lsn: string }>(
        'select confirmed_flush_lsn::text as lsn from pg_replication_slots where slot_name = $1',
        [stack.slot],
      );
      const confirmed = rows[0]?.lsn ?? '';
      const lastKnown = before.at(-1)?.body['lsn'] as string;
      expect(compareLsn(confirmed, lastKnown)).toBeGreaterThan(0);
      const after = await stack.observed();
      const highest = after
        .map(({ body }) => (body['lsn'] ?? body['commit_end_lsn']) as string)
        .reduce((one, other) => (compareLsn(one, other) > 0 ? one : other));
      expect(compareLsn(confirmed, highest)).toBeLessThanOrEqual(0);
    },
    TEST_MS,
  );

  it(
    'stops within its deadline, and signs a gap when the slot was made again meanwhile',
    async () => {
      await recorder.end('SIGTERM');
      await stack.commit(TRANSACTION_COUNT + 1);
      await stack.admin.query('select pg_drop_replication_slot($1)', [stack.slot]);
      recorder = new RecorderProcess(stack.environment);
      await recorder.until(({ state }) => state === 'streaming');
      await stack.commit(TRANSACTION_COUNT + 2);
      await covered();
      const observed = await stack.observed();
      expect(ofKind(observed, 'gap').map(({ body }) => body['reason'])).toEqual(['slot_missing']);
      const tokens = ofKind(observed, 'transaction').flatMap(({ body }) => body['token_hashes'] as string[]);
      expect(tokens).toHaveLength(TRANSACTION_COUNT + 1);
      expect(tokens.at(-1)).toBe(digestOf(`token-${TRANSACTION_COUNT + 2}`));
      const kinds = observed.map(({ body }) => body['kind']);
      expect(kinds.lastIndexOf('transaction')).toBeGreaterThan(kinds.indexOf('gap'));
    },
    TEST_MS,
  );
});
