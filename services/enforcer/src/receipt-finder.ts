// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { EnvelopeCodec, Envelopes } from '@clyra/core/ports/envelope-codec';
import type { LogRecord, RecordLog } from '@clyra/core/ports/record-log';

export type Receipt = Envelopes['ReceiptEnvelope'];

export type ReceiptFinderOptions = {
  readonly log: RecordLog;
  readonly codec: EnvelopeCodec;
  readonly topic: string;
  readonly deadlineMs: number;
};

/**
 * Finds the first receipt of a change. Receipts stand in the order of their changes, with repetitions, so it is at or
 * behind the place that the change has in its own topic; where that topic has holes, a little before.
 */
export async function findReceipt(
  partition: number,
  changeOffset: number,
  options: ReceiptFinderOptions,
): Promise<Receipt | undefined> {
  const end = (await options.log.endOffsets(options.topic, options.deadlineMs))[partition] ?? 0;
  for (let back = 0; ; back = back * 2 + 1) {
    const fromOffset = Math.max(0, Math.min(changeOffset, end - 1) - back);
    const found = await scan({ partition, changeOffset, fromOffset, end }, options);
    if (found !== 'behind') return found;
    if (fromOffset === 0) return undefined;
  }
}

type Scan = {
  readonly partition: number;
  readonly changeOffset: number;
  readonly fromOffset: number;
  readonly end: number;
};

/** `behind`: the scan began after the receipt. */
async function scan(place: Scan, options: ReceiptFinderOptions): Promise<Receipt | 'behind' | undefined> {
  const { partition, changeOffset, fromOffset, end } = place;
  if (fromOffset >= end) return undefined;
  const batches: (readonly LogRecord[])[] = [];
  let wake = (): void => {};
  const reader = await options.log.read(
    {
      name: 'enforcer-receipt-finder',
      assignments: [{ topic: options.topic, partition, fromOffset }],
      onBatch: ({ records }) => {
        batches.push(records);
        wake();
      },
    },
    options.deadlineMs,
  );
  try {
    for (let seen = fromOffset; ; ) {
      if (batches.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      for (const record of batches.shift() ?? []) {
        const receipt = await decode(record, options.codec);
        if (receipt?.offset === changeOffset) return receipt;
        if (receipt !== undefined && receipt.offset > changeOffset)
          return record.offset === fromOffset ? 'behind' : undefined;
        seen = record.offset + 1;
      }
      if (seen >= end) return undefined;
    }
  } finally {
    await reader.close();
  }
}

/** Undefined for what is no receipt: nobody but an enforcer may write there, and it vouches for nothing. */
async function decode(record: LogRecord, codec: EnvelopeCodec): Promise<Receipt | undefined> {
  try {
    return await codec.decode('ReceiptEnvelope', record.value ?? new Uint8Array());
  } catch (error) {
    if (error instanceof ClyraError && error.retry === 'never') return undefined;
    throw error;
  }
}
