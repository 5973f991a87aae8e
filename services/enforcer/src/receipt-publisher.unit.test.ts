// SPDX-License-Identifier: Apache-2.0
import { silentLogger } from '@clyra/core/ports/logger';
import type { LogAppender, PartitionBatch } from '@clyra/core/ports/record-log';
import { offlineCodec } from '@clyra/runtime/envelope-codec';
import { FoldScript, SCRIPT_KEYS } from '@clyra/testing/fold-script';
import { realClock } from '@clyra/testing/real-clock';
import { expect, it } from '@jest/globals';
import { ReceiptPublisher } from './receipt-publisher.ts';

/** What the topic takes as one batch (schemas/topics.json). */
const BATCH_BYTES_MAX = 1_048_576;
const RECEIPT_COUNT = 3_000;

it('never makes a send that the broker would refuse as too large, however much is waiting', async () => {
  const folded = (await new FoldScript().opened()).steps.at(-1)?.folded;
  if (folded === undefined) throw new Error('a tenant is opened by a command that is decided');
  const codec = offlineCodec();
  const sends: (readonly PartitionBatch[])[] = [];
  const appender: LogAppender = {
    append: async (batches) => {
      sends.push(batches);
      return batches.map(({ topic, partition }) => ({ topic, partition, baseOffset: 0 }));
    },
    close: async () => undefined,
  };
  const publisher = new ReceiptPublisher({
    topic: 'receipts',
    appender,
    codec,
    signer: SCRIPT_KEYS.enforcer,
    clock: realClock,
    logger: silentLogger,
    publishDelayMs: 0,
    sendDeadlineMs: 1_000,
  });
  for (let offset = 0; offset < RECEIPT_COUNT; offset += 1) publisher.offer(0, { ...folded, offset });
  while (publisher.pendingCount > 0) await new Promise(setImmediate);

  const values = sends.flatMap(([batch]) => [batch?.records.map(({ value }) => value ?? new Uint8Array()) ?? []]);
  const sizes = values.map((records) => records.reduce((sum, value) => sum + value.length, 0));
  expect(Math.max(...sizes)).toBeLessThan(BATCH_BYTES_MAX);
  const sent = await Promise.all(values.flat().map((value) => codec.decode('ReceiptEnvelope', value)));
  expect(sent.map(({ offset }) => offset)).toEqual(Array.from({ length: RECEIPT_COUNT }, (_, offset) => offset));
});
