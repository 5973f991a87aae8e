// SPDX-License-Identifier: Apache-2.0

import { sleep } from '@clyra/core/ports/clock';
import { describe, expect, it } from '@jest/globals';
import {
  appendUntilAcknowledged,
  countTo,
  errorOf,
  Inbox,
  type RecordLogHarness,
  recordOf,
  until,
} from './record-log-harness.ts';

export function readContract(use: () => RecordLogHarness): void {
  describe('reading', () => {
    it('hands out each offset once and in order, across cut connections', () => use().drive(readsAcrossCuts(use())));
    it('starts at the offset it was given', () => use().drive(startsAtOffset(use())));
    it('hands out nothing before the caller holds the reader, and nothing after close', () =>
      use().drive(startsAndStops(use())));
    it('loses nothing while a partition is paused', () => use().drive(pausesWithoutLoss(use())));
    it('says when the log is lost, and goes on where it stood once it is back', () => use().drive(comesBack(use())));
    it('rejects when it cannot join within its deadline', () => use().drive(joinsInTime(use())));
    it('rejects a position behind the end of the log', () => use().drive(noticesTruncation(use())));
  });
}

async function fill(harness: RecordLogHarness, partitionCount: number, recordCount: number): Promise<string> {
  const topic = await harness.createTopic(partitionCount);
  const appender = harness.log.appender('fill');
  const records = countTo(recordCount).map((index) => recordOf(`r${index}`));
  await appender.append(
    countTo(partitionCount).map((partition) => ({ topic, partition, records })),
    5_000,
  );
  await appender.close();
  return topic;
}

function assign(topic: string, partitionCount: number, fromOffset = 0) {
  return countTo(partitionCount).map((partition) => ({ topic, partition, fromOffset }));
}

async function readsAcrossCuts(harness: RecordLogHarness): Promise<void> {
  const topic = await harness.createTopic(2);
  const inbox = new Inbox();
  const { onBatch, onConnection } = inbox;
  const reader = await harness.log.read({ name: 'cut', assignments: assign(topic, 2), onBatch, onConnection }, 5_000);
  const appender = harness.log.appender('cut');
  for (const index of countTo(120)) {
    await appendUntilAcknowledged(harness, appender, { topic, partition: index % 2, text: `r${index}` });
    if (index % 30 !== 17) continue;
    // An appender that comes back before the reader does would have all cuts fall into one outage.
    await until(harness, 'the reader is back', () => inbox.states.at(-1) !== 'lost');
    harness.disconnectReaders();
  }
  // A connection cut with the readers' may repeat a send; what counts is that the reader sees the log as it is.
  const ends = await harness.log.endOffsets(topic, 5_000);
  await until(harness, 'both partitions are read', () => inbox.records.length >= (ends[0] ?? 0) + (ends[1] ?? 0));
  expect(inbox.offsetsOf(0)).toEqual(countTo(ends[0] ?? 0));
  expect(inbox.offsetsOf(1)).toEqual(countTo(ends[1] ?? 0));
  expect(inbox.states.filter((state) => state === 'lost').length).toBeGreaterThan(1);
  expect(inbox.states.at(-1)).toBe('connected');
  await Promise.all([reader.close(), appender.close()]);
}

async function startsAtOffset(harness: RecordLogHarness): Promise<void> {
  const topic = await fill(harness, 1, 50);
  const fromMiddle = new Inbox();
  const fromEnd = new Inbox();
  const middle = await harness.log.read(
    { name: 'middle', assignments: assign(topic, 1, 20), onBatch: fromMiddle.onBatch },
    5_000,
  );
  const end = await harness.log.read(
    { name: 'end', assignments: assign(topic, 1, 50), onBatch: fromEnd.onBatch },
    5_000,
  );
  const appender = harness.log.appender('late');
  await appender.append([{ topic, partition: 0, records: [recordOf('late')] }], 5_000);
  await until(harness, 'both have read the new record', () => [fromMiddle, fromEnd].every(hasLate));
  expect(fromMiddle.offsetsOf(0)).toEqual(countTo(51).slice(20));
  expect(fromEnd.textsOf(0)).toEqual(['late']);
  await Promise.all([middle.close(), end.close(), appender.close()]);
}

function hasLate(inbox: Inbox): boolean {
  return inbox.textsOf(0).includes('late');
}

async function startsAndStops(harness: RecordLogHarness): Promise<void> {
  const topic = await fill(harness, 1, 10);
  const inbox = new Inbox();
  const reader = await harness.log.read(
    { name: 'bounds', assignments: assign(topic, 1), onBatch: inbox.onBatch },
    5_000,
  );
  expect(inbox.records).toEqual([]);
  await until(harness, 'the records are read', () => inbox.records.length === 10);
  await reader.close();
  const appender = harness.log.appender('bounds');
  await appender.append([{ topic, partition: 0, records: [recordOf('unseen')] }], 5_000);
  await sleep(harness.clock, 300);
  expect(inbox.records.length).toBe(10);
  await appender.close();
}

async function pausesWithoutLoss(harness: RecordLogHarness): Promise<void> {
  const topic = await fill(harness, 2, 100);
  const inbox = new Inbox();
  const reader = await harness.log.read(
    { name: 'pause', assignments: assign(topic, 2), onBatch: inbox.onBatch },
    5_000,
  );
  reader.pause(topic, 0);
  await until(harness, 'the other partition is read', () => inbox.offsetsOf(1).length === 100);
  await sleep(harness.clock, 300);
  expect(inbox.offsetsOf(0)).toEqual([]);
  const appender = harness.log.appender('pause');
  await appender.append([{ topic, partition: 0, records: [recordOf('more')] }], 5_000);
  reader.resume(topic, 0);
  await until(harness, 'the resumed partition is read', () => inbox.offsetsOf(0).length === 101);
  expect(inbox.offsetsOf(0)).toEqual(countTo(101));
  expect(inbox.offsetsOf(1)).toEqual(countTo(100));
  await Promise.all([reader.close(), appender.close()]);
}

async function comesBack(harness: RecordLogHarness): Promise<void> {
  const topic = await fill(harness, 1, 5);
  const inbox = new Inbox();
  const { onBatch, onConnection } = inbox;
  const reader = await harness.log.read({ name: 'back', assignments: assign(topic, 1), onBatch, onConnection }, 5_000);
  await until(harness, 'the first records are read', () => inbox.records.length === 5);
  harness.freeze();
  const frozenAtMs = harness.clock.nowMs();
  await until(harness, 'the loss is said', () => inbox.states.at(-1) === 'lost');
  expect(harness.clock.nowMs() - frozenAtMs).toBeLessThanOrEqual(harness.lostWithinMs);
  harness.thaw();
  const appender = harness.log.appender('back');
  await appendUntilAcknowledged(harness, appender, { topic, partition: 0, text: 'late' });
  await until(harness, 'the reader goes on', () => inbox.textsOf(0).at(-1) === 'late');
  expect(inbox.offsetsOf(0)).toEqual(countTo(inbox.records.length));
  expect(inbox.states).toEqual(['connected', 'lost', 'connected']);
  await Promise.all([reader.close(), appender.close()]);
}

async function joinsInTime(harness: RecordLogHarness): Promise<void> {
  const topic = await fill(harness, 1, 1);
  const { onBatch } = new Inbox();
  const missing = { name: 'missing', assignments: assign('no.such.topic', 1), onBatch };
  expect((await errorOf(harness.log.read(missing, 300)))?.code).toBe('CLY_LOG_UNREACHABLE');
  harness.freeze();
  const startMs = harness.clock.nowMs();
  const error = await errorOf(harness.log.read({ name: 'late', assignments: assign(topic, 1), onBatch }, 400));
  const tookMs = harness.clock.nowMs() - startMs;
  harness.thaw();
  expect(error?.code).toBe('CLY_LOG_UNREACHABLE');
  expect(tookMs).toBeLessThanOrEqual(400 + harness.slackMs);
}

async function noticesTruncation(harness: RecordLogHarness): Promise<void> {
  const topic = await fill(harness, 1, 3);
  const { onBatch } = new Inbox();
  const error = await errorOf(harness.log.read({ name: 'cut', assignments: assign(topic, 1, 4), onBatch }, 300));
  expect(error?.code).toBe('CLY_LOG_TRUNCATED');
}
