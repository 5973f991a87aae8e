// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { ReadBatch, RecordLog } from '@clyra/core/ports/record-log';

export type PublishedOptions = {
  readonly log: RecordLog;
  readonly codec: EnvelopeCodec;
  readonly clock: Clock;
  readonly topic: string;
  readonly deadlineMs: number;
};

/**
 * The manifest digest of every attestation on the topic up to its end, by attestation name. Reading may take long; it
 * rejects with CLY_LOG_UNREACHABLE when `deadlineMs` passes without a record.
 */
export async function readPublished(options: PublishedOptions): Promise<Map<string, string>> {
  const { log, codec, topic, deadlineMs } = options;
  const attested = new Map<string, string>();
  const ends = await log.endOffsets(topic, deadlineMs);
  const starts = await log.startOffsets(topic, deadlineMs);
  const left = new Set(ends.flatMap((end, partition) => (end > (starts[partition] ?? 0) ? [partition] : [])));
  if (left.size === 0) return attested;
  const batches: ReadBatch[] = [];
  const waiting = new Wait(options.clock);
  const assignments = [...left].map((partition) => ({ topic, partition, fromOffset: starts[partition] ?? 0 }));
  const onBatch = (batch: ReadBatch): void => {
    batches.push(batch);
    waiting.call();
  };
  const reader = await log.read({ name: 'attestor-published', assignments, onBatch }, deadlineMs);
  try {
    while (left.size > 0) {
      const batch = batches.shift();
      if (batch === undefined) {
        await waiting.until(deadlineMs, topic);
        continue;
      }
      for (const { value } of batch.records) {
        const envelope = await codec.decode('AttestationEnvelope', value ?? new Uint8Array());
        attested.set(envelope.location, envelope.manifest_digest);
      }
      const next = (batch.records.at(-1)?.offset ?? -1) + 1;
      if (next >= (ends[batch.partition] ?? 0)) left.delete(batch.partition);
    }
  } finally {
    await reader.close();
  }
  return attested;
}

class Wait {
  readonly #clock: Clock;
  #called: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  call(): void {
    this.#called();
  }

  until(deadlineMs: number, topic: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(deadlineMs, () =>
        reject(
          new ClyraError('CLY_LOG_UNREACHABLE', `${topic} gave no record for ${deadlineMs} ms: look after the broker`, {
            retry: 'backoff',
          }),
        ),
      );
      this.#called = () => {
        cancel();
        resolve();
      };
    });
  }
}
