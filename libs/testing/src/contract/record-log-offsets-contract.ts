// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { errorOf, type RecordLogHarness, recordOf, textOf } from './record-log-harness.ts';

export function offsetsContract(use: () => RecordLogHarness): void {
  describe('asking for offsets', () => {
    it('answers with one offset for each partition', () => use().drive(answersByPartition(use())));
    it('reads the last record, and nothing from an empty partition', () => use().drive(readsLast(use())));
    it('rejects within the deadline while the log is frozen, and answers again afterwards', () =>
      use().drive(keepsDeadlines(use())));
    it('rejects a topic that does not exist', () => use().drive(rejectsMissing(use())));
  });
}

async function answersByPartition({ log, createTopic }: RecordLogHarness): Promise<void> {
  const topic = await createTopic(3);
  expect(await log.endOffsets(topic, 5_000)).toEqual([0, 0, 0]);
  const appender = log.appender('offsets');
  await appender.append([{ topic, partition: 1, records: [recordOf('a'), recordOf('b')] }], 5_000);
  expect(await log.endOffsets(topic, 5_000)).toEqual([0, 2, 0]);
  expect(await log.startOffsets(topic, 5_000)).toEqual([0, 0, 0]);
  await appender.close();
}

async function readsLast({ log, createTopic }: RecordLogHarness): Promise<void> {
  const topic = await createTopic(2);
  const appender = log.appender('last');
  for (const count of [1, 3, 1]) {
    const records = Array.from({ length: count }, (_, index) => recordOf(`${count}-${index}`));
    const [append] = await appender.append([{ topic, partition: 1, records }], 5_000);
    const last = await log.readLast(topic, 1, 5_000);
    expect(last?.offset).toBe((append?.baseOffset ?? 0) + count - 1);
    expect(last === undefined ? undefined : textOf(last)).toBe(`${count}-${count - 1}`);
  }
  expect(await log.readLast(topic, 0, 5_000)).toBeUndefined();
  await appender.close();
}

async function keepsDeadlines({ log, clock, slackMs, createTopic, freeze, thaw }: RecordLogHarness): Promise<void> {
  const topic = await createTopic(1);
  await log.endOffsets(topic, 5_000);
  freeze();
  const startMs = clock.nowMs();
  const asked = [log.endOffsets(topic, 300), log.startOffsets(topic, 300), log.readLast(topic, 0, 300)];
  const errors = await Promise.all(asked.map(errorOf));
  const tookMs = clock.nowMs() - startMs;
  thaw();
  expect(errors.map((error) => error?.code)).toEqual(Array(3).fill('CLY_LOG_UNREACHABLE'));
  expect(tookMs).toBeLessThanOrEqual(300 + slackMs);
  expect(await log.endOffsets(topic, 5_000)).toEqual([0]);
}

async function rejectsMissing({ log }: RecordLogHarness): Promise<void> {
  const errors = await Promise.all([
    errorOf(log.endOffsets('no.such.topic', 300)),
    errorOf(log.readLast('no.such.topic', 0, 300)),
  ]);
  expect(errors.map((error) => error?.code)).toEqual(['CLY_LOG_UNREACHABLE', 'CLY_LOG_UNREACHABLE']);
}
