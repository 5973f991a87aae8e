// SPDX-License-Identifier: Apache-2.0
import { parseAttestationName } from '@clyra/core/evidence/bundle-names';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { LogReader, ReadBatch, RecordLog } from '@clyra/core/ports/record-log';
import { RecordQueue } from '@clyra/runtime/record-queue';
import { AttestedBundles } from './attested-bundles.ts';

export type PublishedOptions = {
  readonly log: RecordLog;
  readonly codec: EnvelopeCodec;
  readonly clock: Clock;
  readonly topic: string;
  readonly deadlineMs: number;
};

/** Between a reader and what takes its records. */
export const QUEUE_LIMITS = { recordsMax: 1_000, bytesMax: 4_194_304 };

/**
 * What every attestation on the topic up to its end is of. Reading may take long; it rejects with CLY_LOG_UNREACHABLE
 * when `deadlineMs` passes without a record.
 */
export async function readPublished(options: PublishedOptions): Promise<AttestedBundles> {
  const { log, codec, clock, topic, deadlineMs } = options;
  const attested = new AttestedBundles();
  const ends = await log.endOffsets(topic, deadlineMs);
  const starts = await log.startOffsets(topic, deadlineMs);
  const left = new Set(ends.flatMap((end, partition) => (end > (starts[partition] ?? 0) ? [partition] : [])));
  if (left.size === 0) return attested;
  const assignments = [...left].map((partition) => ({ topic, partition, fromOffset: starts[partition] ?? 0 }));
  let reader: LogReader | undefined;
  const queue = new RecordQueue(QUEUE_LIMITS, (high) => {
    for (const { partition } of assignments) {
      if (high) reader?.pause(topic, partition);
      else reader?.resume(topic, partition);
    }
  });
  const onBatch = ({ records }: ReadBatch): void => queue.push(records);
  reader = await log.read({ name: 'attestor-published', assignments, onBatch }, deadlineMs);
  try {
    while (left.size > 0) {
      const cancel = clock.after(deadlineMs, () => queue.close());
      const record = await queue.next();
      cancel();
      if (record === undefined) throw silent(topic, deadlineMs);
      const envelope = codec.decode('AttestationEnvelope', record.value ?? new Uint8Array());
      const bundle = parseAttestationName(envelope.location);
      if (bundle !== undefined) attested.note({ ...bundle, manifestDigest: envelope.manifest_digest });
      if (record.offset + 1 >= (ends[record.partition] ?? 0)) left.delete(record.partition);
    }
  } finally {
    await reader.close();
  }
  return attested;
}

function silent(topic: string, deadlineMs: number): ClyraError {
  return new ClyraError('CLY_LOG_UNREACHABLE', `${topic} gave no record for ${deadlineMs} ms: look after the broker`, {
    retry: 'backoff',
  });
}
