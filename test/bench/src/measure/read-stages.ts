// SPDX-License-Identifier: Apache-2.0
import { KafkaLog } from '@clyra/adapter-kafka/kafka-log';
import { parseRecord } from '@clyra/core/canonical/record';
import { topicNames } from '@clyra/core/change/topics';
import type { LogRecord } from '@clyra/core/ports/record-log';
import { registryCodec } from '@clyra/runtime/envelope-codec';
import type { Sample } from '../load/load-result.ts';
import type { World } from '../world/world.ts';

/** Milliseconds. Each clock has a resolution of one, so single values are coarse and means are not. */
export type Stages = Readonly<Record<StageName, readonly number[]>>;
export const STAGE_NAMES = [
  'arrive and inspect',
  'sign and append',
  'decide, sign, append',
  'receive and forward',
] as const;
export type StageName = (typeof STAGE_NAMES)[number];

const READ_DEADLINE_MS = 30_000;

export type Marks = { readonly changes: readonly number[]; readonly receipts: readonly number[] };

/** Reads back from the log when each sampled change was written and answered; the log and we share one clock here. */
export class StageReader {
  readonly #world: World;
  readonly #log: KafkaLog;

  constructor(world: World) {
    this.#world = world;
    this.#log = new KafkaLog({ brokers: world.settings.kafka_brokers, clientId: 'bench-reader' });
  }

  async mark(): Promise<Marks> {
    const topics = topicNames(this.#world.settings.topic_prefix);
    const [changes, receipts] = await Promise.all([
      this.#log.endOffsets(topics.changes, READ_DEADLINE_MS),
      this.#log.endOffsets(topics.receipts, READ_DEADLINE_MS),
    ]);
    return { changes, receipts };
  }

  async stages(from: Marks, samples: readonly Sample[]): Promise<Stages> {
    const topics = topicNames(this.#world.settings.topic_prefix);
    const codec = await registryCodec({ url: this.#world.settings.registry_url, deadlineMs: READ_DEADLINE_MS });
    const changes = new Map<string, { intakeAtMs: number; appendedMs: number }>();
    for (const record of await this.read(topics.changes, from.changes)) {
      const envelope = await codec.decode('ChangeEnvelope', record.value ?? new Uint8Array());
      const intakeAtMs = parseRecord(envelope.body)['intake_at'] as number;
      changes.set(envelope.event_id, { intakeAtMs, appendedMs: record.appendTimeMs });
    }
    const receipts = new Map<string, number>();
    for (const record of await this.read(topics.receipts, from.receipts)) {
      const envelope = await codec.decode('ReceiptEnvelope', record.value ?? new Uint8Array());
      receipts.set(envelope.event_id, record.appendTimeMs);
    }
    const stages: Record<StageName, number[]> = {
      'arrive and inspect': [],
      'sign and append': [],
      'decide, sign, append': [],
      'receive and forward': [],
    };
    for (const { eventId, startMs, endMs } of samples) {
      const change = changes.get(eventId);
      const receiptMs = receipts.get(eventId);
      if (change === undefined || receiptMs === undefined) continue;
      // The other clocks cut to whole milliseconds, so ours must too: then the cuts cancel out in the mean.
      stages['arrive and inspect'].push(change.intakeAtMs - Math.floor(startMs));
      stages['sign and append'].push(change.appendedMs - change.intakeAtMs);
      stages['decide, sign, append'].push(receiptMs - change.appendedMs);
      stages['receive and forward'].push(Math.floor(endMs) - receiptMs);
    }
    return stages;
  }

  /** Everything in a topic from these offsets to its present end. */
  async read(topic: string, from: readonly number[]): Promise<readonly LogRecord[]> {
    const ends = await this.#log.endOffsets(topic, READ_DEADLINE_MS);
    const missing = new Set(ends.keys());
    for (const [partition, end] of ends.entries()) if ((from[partition] ?? 0) >= end) missing.delete(partition);
    if (missing.size === 0) return [];
    const records: LogRecord[] = [];
    const done = Promise.withResolvers<void>();
    const reader = await this.#log.read(
      {
        name: 'bench-stages',
        assignments: ends.map((_, partition) => ({ topic, partition, fromOffset: from[partition] ?? 0 })),
        onBatch: (batch) => {
          const end = ends[batch.partition] ?? 0;
          for (const record of batch.records) {
            if (record.offset < end) records.push(record);
            if (record.offset === end - 1) missing.delete(batch.partition);
          }
          if (missing.size === 0) done.resolve();
        },
      },
      READ_DEADLINE_MS,
    );
    await done.promise;
    await reader.close();
    return records;
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}
