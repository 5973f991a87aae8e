// SPDX-License-Identifier: Apache-2.0
import { parseRecord } from '@clyra/core/canonical/record';
import type { ReceiptBody } from '@clyra/core/enforcement/receipt-body';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { LogRecord, RecordLog } from '@clyra/core/ports/record-log';

export type ReceiptPlace = {
  readonly topic: string;
  readonly partition: number;
  /** Of the change that the receipt answers. */
  readonly changeOffset: number;
  readonly eventId: string;
};

const RECORDS_MAX = 50_000;

/**
 * The receipt of a change, read from the log. Each change has at least one receipt, in order, so that of the change at
 * offset n stands at n or later in the same partition; only what replicas wrote twice lies between. undefined where it
 * is not among the next 50,000 records. Rejects as RecordLog.read does.
 */
export async function findReceipt(
  log: RecordLog,
  codec: EnvelopeCodec,
  place: ReceiptPlace & { readonly deadlineMs: number },
): Promise<ReceiptBody | undefined> {
  const { topic, partition, changeOffset, deadlineMs } = place;
  const end = (await log.endOffsets(topic, deadlineMs))[partition] ?? 0;
  if (end <= changeOffset) return undefined;
  const found = Promise.withResolvers<LogRecord | undefined>();
  const pending: LogRecord[] = [];
  let seenCount = 0;
  let searching = Promise.resolve();
  const search = async (): Promise<void> => {
    for (let record = pending.shift(); record !== undefined; record = pending.shift()) {
      seenCount += 1;
      if (await answers(codec, record, place)) return found.resolve(record);
      if (record.offset >= end - 1 || seenCount >= RECORDS_MAX) return found.resolve(undefined);
    }
  };
  const timer = setTimeout(() => found.resolve(undefined), deadlineMs);
  const reader = await log.read(
    {
      name: 'clyra-explain',
      assignments: [{ topic, partition, fromOffset: changeOffset }],
      onBatch: ({ records }) => {
        pending.push(...records);
        searching = searching.then(search).catch(found.reject);
      },
    },
    deadlineMs,
  );
  try {
    const record = await found.promise;
    return record === undefined ? undefined : await bodyOf(codec, record);
  } finally {
    clearTimeout(timer);
    await reader.close();
  }
}

async function answers(codec: EnvelopeCodec, record: LogRecord, place: ReceiptPlace): Promise<boolean> {
  if (record.value === null) return false;
  const { offset, event_id: eventId } = await codec.decode('ReceiptEnvelope', record.value);
  return offset === place.changeOffset && eventId === place.eventId;
}

async function bodyOf(codec: EnvelopeCodec, record: LogRecord): Promise<ReceiptBody | undefined> {
  if (record.value === null) return undefined;
  const { body } = await codec.decode('ReceiptEnvelope', record.value);
  return parseRecord(body) as unknown as ReceiptBody;
}
