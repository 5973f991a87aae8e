// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  appendUntilAcknowledged,
  countTo,
  errorOf,
  Inbox,
  type RecordLogHarness,
  recordOf,
  type Stored,
  until,
} from './record-log-harness.ts';

const BATCH_BYTES_TOO_MANY = 2_000_000;

export function appendContract(use: () => RecordLogHarness): void {
  describe('appending', () => {
    afterEach(() => use().setFaults({ lostResponseShare: 0, lostRequestShare: 0 }));

    it('stores what it acknowledges, at the acknowledged offset', () => use().drive(storesWhatItAcknowledges(use())));
    it('stores what it acknowledges under lost responses and lost requests', () => use().drive(survivesLosses(use())));
    it('stores what it acknowledges also after sends that were given up', () => use().drive(survivesGivingUp(use())));
    it('has one send in flight: concurrent calls are stored in call order', () => use().drive(keepsCallOrder(use())));
    it('gives each partition of one send its own base offset', () => use().drive(appendsToSeveral(use())));
    it('keeps keys, tombstones and the time of the append', () => use().drive(keepsRecordParts(use())));
    it('refuses a record that is too large, for good', () => use().drive(refusesTooLarge(use())));
    it('rejects within the deadline while the log is frozen, and works again afterwards', () =>
      use().drive(keepsDeadlines(use())));
  });
}

async function storesWhatItAcknowledges(harness: RecordLogHarness): Promise<void> {
  const topic = await harness.createTopic(1);
  const appender = harness.log.appender('plain');
  const stored: Stored[] = [];
  for (const index of countTo(30)) {
    stored.push(await appendUntilAcknowledged(harness, appender, { topic, partition: 0, text: `r${index}` }));
  }
  await appender.close();
  expect(await readBack(harness, topic)).toEqual(stored.map(({ text }) => text));
  expect(stored.map(({ offset }) => offset)).toEqual(countTo(30));
}

async function survivesLosses(harness: RecordLogHarness): Promise<void> {
  const topic = await harness.createTopic(1);
  const appender = harness.log.appender('lossy');
  harness.setFaults({ lostResponseShare: 0.12, lostRequestShare: 0.08 });
  const acknowledged: Stored[] = [];
  let failureCount = 0;
  for (const index of countTo(150)) {
    const one = await appendUntilAcknowledged(harness, appender, { topic, partition: 0, text: `r${index}` });
    acknowledged.push(one);
    failureCount += one.failures.length;
    expect(one.failures.filter(({ code }) => code !== 'CLY_LOG_APPEND_UNKNOWN')).toEqual([]);
  }
  harness.setFaults({ lostResponseShare: 0, lostRequestShare: 0 });
  await appender.close();
  const texts = await readBack(harness, topic);
  expect(failureCount).toBeGreaterThan(5);
  // A lost response leaves its record behind, and the repetition a second one: if none is there, nothing was lost.
  expect(texts.length).toBeGreaterThan(acknowledged.length);
  expect(acknowledged.filter(({ text, offset }) => texts[offset] !== text)).toEqual([]);
  // First appearances are in the order of the sends: a repetition may only come later.
  expect([...new Set(texts)]).toEqual(acknowledged.map(({ text }) => text));
}

/** Unlike a repetition, a different record after a failure shows a client that reuses the failed one's sequence number. */
async function survivesGivingUp(harness: RecordLogHarness): Promise<void> {
  const topic = await harness.createTopic(1);
  const appender = harness.log.appender('giving up');
  harness.setFaults({ lostResponseShare: 0.15, lostRequestShare: 0.05 });
  const acknowledged: Stored[] = [];
  for (const index of countTo(150)) {
    const text = `r${index}`;
    const sent = appender.append([{ topic, partition: 0, records: [recordOf(text)] }], 400);
    const [append] = await sent.catch(() => []);
    if (append !== undefined) acknowledged.push({ text, offset: append.baseOffset });
  }
  harness.setFaults({ lostResponseShare: 0, lostRequestShare: 0 });
  await appender.close();
  const texts = await readBack(harness, topic);
  expect(acknowledged.length).toBeLessThan(150);
  expect(acknowledged.filter(({ text, offset }) => texts[offset] !== text)).toEqual([]);
}

async function keepsCallOrder(harness: RecordLogHarness): Promise<void> {
  const topic = await harness.createTopic(1);
  const appender = harness.log.appender('concurrent');
  const calls = countTo(40).map((index) =>
    appender.append([{ topic, partition: 0, records: [recordOf(`a${index}`), recordOf(`b${index}`)] }], 10_000),
  );
  const offsets = (await Promise.all(calls)).map(([append]) => append?.baseOffset);
  expect(offsets).toEqual(countTo(40).map((index) => index * 2));
  await appender.close();
}

async function appendsToSeveral(harness: RecordLogHarness): Promise<void> {
  const topic = await harness.createTopic(3);
  const appender = harness.log.appender('several');
  await appender.append([{ topic, partition: 2, records: [recordOf('first')] }], 5_000);
  const appends = await appender.append(
    [
      { topic, partition: 2, records: [recordOf('x'), recordOf('y')] },
      { topic, partition: 0, records: [recordOf('z')] },
    ],
    5_000,
  );
  expect(appends).toEqual([
    { topic, partition: 2, baseOffset: 1 },
    { topic, partition: 0, baseOffset: 0 },
  ]);
  expect(await harness.log.endOffsets(topic, 5_000)).toEqual([1, 0, 3]);
  await appender.close();
}

async function keepsRecordParts(harness: RecordLogHarness): Promise<void> {
  const topic = await harness.createTopic(1);
  const appender = harness.log.appender('parts');
  const key = Uint8Array.of(0, 255, 10);
  const startMs = harness.clock.nowMs();
  const records = [
    { key, value: Uint8Array.of(1) },
    { key, value: null },
    { key: null, value: new Uint8Array(0) },
  ];
  await appender.append([{ topic, partition: 0, records }], 5_000);
  const endMs = harness.clock.nowMs();
  const inbox = new Inbox();
  const reader = await harness.log.read({ name: 'parts', assignments: [from(topic, 0)], ...handlers(inbox) }, 5_000);
  await until(harness, 'all three records are read', () => inbox.records.length === 3);
  expect(inbox.records.map((record) => [bytesOf(record.key), bytesOf(record.value)])).toEqual([
    [[0, 255, 10], [1]],
    [[0, 255, 10], null],
    [null, []],
  ]);
  for (const { appendTimeMs } of inbox.records) {
    expect(appendTimeMs).toBeGreaterThanOrEqual(startMs);
    expect(appendTimeMs).toBeLessThanOrEqual(endMs);
  }
  expect(inbox.batches.at(-1)?.highWatermark).toBe(3);
  await reader.close();
  await appender.close();
}

async function refusesTooLarge(harness: RecordLogHarness): Promise<void> {
  const topic = await harness.createTopic(1);
  const appender = harness.log.appender('large');
  const records = [{ key: null, value: new Uint8Array(BATCH_BYTES_TOO_MANY) }];
  const error = await errorOf(appender.append([{ topic, partition: 0, records }], 5_000));
  expect([error?.code, error?.retry]).toEqual(['CLY_LOG_APPEND_REFUSED', 'never']);
  const after = await appendUntilAcknowledged(harness, appender, { topic, partition: 0, text: 'small' });
  expect(after.offset).toBe(0);
  await appender.close();
}

async function keepsDeadlines(harness: RecordLogHarness): Promise<void> {
  const topic = await harness.createTopic(1);
  const appender = harness.log.appender('frozen');
  await appendUntilAcknowledged(harness, appender, { topic, partition: 0, text: 'before' });
  harness.freeze();
  const startMs = harness.clock.nowMs();
  // The second waits for the first, and its deadline runs meanwhile.
  const sends = [300, 500].map((deadlineMs) =>
    errorOf(appender.append([{ topic, partition: 0, records: [recordOf('during')] }], deadlineMs)).then((error) => ({
      code: error?.code,
      lateMs: harness.clock.nowMs() - startMs - deadlineMs,
    })),
  );
  for (const { code, lateMs } of await Promise.all(sends)) {
    expect(code).toBe('CLY_LOG_APPEND_UNKNOWN');
    expect(lateMs).toBeLessThanOrEqual(harness.slackMs);
  }
  harness.thaw();
  const after = await appendUntilAcknowledged(harness, appender, { topic, partition: 0, text: 'after' });
  const texts = await readBack(harness, topic);
  expect([texts[0], texts[after.offset]]).toEqual(['before', 'after']);
  await appender.close();
}

async function readBack(harness: RecordLogHarness, topic: string): Promise<string[]> {
  const [endOffset] = await harness.log.endOffsets(topic, 5_000);
  const inbox = new Inbox();
  const reader = await harness.log.read({ name: 'oracle', assignments: [from(topic, 0)], ...handlers(inbox) }, 5_000);
  await until(harness, 'the whole partition is read back', () => inbox.records.length >= (endOffset ?? 0));
  await reader.close();
  expect(inbox.offsetsOf(0)).toEqual(countTo(endOffset ?? 0));
  return inbox.textsOf(0);
}

function from(topic: string, partition: number) {
  return { topic, partition, fromOffset: 0 };
}

function handlers({ onBatch, onConnection }: Inbox) {
  return { onBatch, onConnection };
}

function bytesOf(bytes: Uint8Array | null): number[] | null {
  return bytes === null ? null : [...bytes];
}
