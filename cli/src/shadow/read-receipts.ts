// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { parseRecord } from '@clyra/core/canonical/record';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { LogRecord, RecordLog } from '@clyra/core/ports/record-log';

/** The newest receipts of each partition that are read. */
const RECEIPTS_MAX = 100_000;

export type ReceiptsToRead = { readonly log: RecordLog; readonly codec: EnvelopeCodec; readonly topic: string };

/** Hands the newest receipts of every partition to `take`. Rejects as RecordLog does; stops reading at the deadline. */
export async function readReceipts(
  { log, codec, topic }: ReceiptsToRead,
  take: (body: JsonObject) => void,
  deadlineMs: number,
): Promise<void> {
  const ends = await log.endOffsets(topic, deadlineMs);
  const starts = await log.startOffsets(topic, deadlineMs);
  const left = new Set(ends.flatMap((end, partition) => (end > (starts[partition] ?? 0) ? [partition] : [])));
  if (left.size === 0) return;
  const records: LogRecord[] = [];
  const done = Promise.withResolvers<void>();
  const timer = setTimeout(done.resolve, deadlineMs);
  const assignments = [...left].map((partition) => ({
    topic,
    partition,
    fromOffset: Math.max(starts[partition] ?? 0, (ends[partition] ?? 0) - RECEIPTS_MAX),
  }));
  const onBatch = (batch: { readonly partition: number; readonly records: readonly LogRecord[] }): void => {
    records.push(...batch.records);
    const last = batch.records.at(-1);
    if (last !== undefined && last.offset >= (ends[batch.partition] ?? 0) - 1) left.delete(batch.partition);
    if (left.size === 0) done.resolve();
  };
  const reader = await log.read({ name: 'clyra-shadow', assignments, onBatch }, deadlineMs);
  await done.promise;
  clearTimeout(timer);
  await reader.close();
  for (const { value } of records) {
    if (value === null) continue;
    const { body } = await codec.decode('ReceiptEnvelope', value);
    take(parseRecord(body));
  }
}
