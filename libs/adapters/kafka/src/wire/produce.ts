// SPDX-License-Identifier: Apache-2.0
import type { PartitionAppend, PartitionBatch } from '@clyra/core/ports/record-log';
import { type ProtocolRequest, throwUnlessOk } from './kafkajs-protocol.ts';
import { batchSize, writeBatch } from './record-batch.ts';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

const PRODUCE = 0;
/** Every broker from 2.1 on speaks it. */
const VERSION = 7;
const ALL_REPLICAS = -1;

/**
 * A produce request for one broker, in one piece of memory. kafkajs builds it from an encoder for each part, each with
 * a zeroed buffer that grows by copying; that was up to a fifth of what a service spent on a small send.
 */
export function produceRequest(
  batches: readonly PartitionBatch[],
  timing: { readonly timeoutMs: number; readonly nowMs: number },
): ProtocolRequest<readonly PartitionAppend[]> {
  return {
    apiKey: PRODUCE,
    apiVersion: VERSION,
    apiName: 'Produce',
    encode: (headerSize) => encodeProduce(batches, timing, headerSize),
    decode: decodeProduced,
  };
}

/** Behind so many bytes that the caller fills in. */
export function encodeProduce(
  batches: readonly PartitionBatch[],
  { timeoutMs, nowMs }: { readonly timeoutMs: number; readonly nowMs: number },
  headerSize: number,
): Buffer {
  const topics = [...Map.groupBy(batches, ({ topic }) => topic)];
  const sizes = new Map(batches.map((batch) => [batch, batchSize(batch.records)]));
  let size = 2 + 2 + 4 + 4;
  for (const [topic] of topics) size += 2 + topic.length + 4;
  for (const bytes of sizes.values()) size += 4 + 4 + bytes;
  const to = new WireWriter(headerSize + size);
  to.at = headerSize;
  to.string(null);
  to.int16(ALL_REPLICAS);
  to.int32(timeoutMs);
  to.int32(topics.length);
  for (const [topic, parts] of topics) {
    to.string(topic);
    to.int32(parts.length);
    for (const part of parts) {
      to.int32(part.partition);
      to.int32(sizes.get(part) as number);
      writeBatch(to, part.records, nowMs);
    }
  }
  return to.bytes;
}

/** Throws kafkajs's error for the first partition that was refused. */
export function decodeProduced(payload: Buffer): PartitionAppend[] {
  const from = new WireReader(payload);
  const appends: PartitionAppend[] = [];
  for (let topicCount = from.int32(); topicCount > 0; topicCount -= 1) {
    const topic = from.string();
    for (let partCount = from.int32(); partCount > 0; partCount -= 1) {
      const partition = from.int32();
      throwUnlessOk(from.int16());
      appends.push({ topic, partition, baseOffset: from.int64() });
      from.skip(16);
    }
  }
  return appends;
}
