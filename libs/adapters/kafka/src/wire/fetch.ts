// SPDX-License-Identifier: Apache-2.0
import type { RecordHeader } from '@clyra/core/ports/record-log';
import { decodeFetchSlowly, type ProtocolRequest, throwUnlessOk } from './kafkajs-protocol.ts';
import { readBatches, type WireRecord } from './record-batch.ts';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

const FETCH = 1;
/** Every broker from 2.3 on speaks it. */
const VERSION = 11;
const READ_COMMITTED = 1;
const NO_SESSION = { id: 0, epoch: -1 };

export type FetchPosition = { readonly topic: string; readonly partition: number; readonly fromOffset: number };

export type FetchWait = {
  readonly waitMs: number;
  /** The broker answers when it has this much, or when the wait is over. */
  readonly bytesMin: number;
  readonly bytesMax: number;
  readonly partitionBytesMax: number;
};

export type FetchedPartition = {
  readonly topic: string;
  readonly partition: number;
  readonly highWatermark: number;
  readonly messages: readonly WireRecord[];
};

/** Asks one broker for what follows the positions. */
export function fetchRequest(
  positions: readonly FetchPosition[],
  wait: FetchWait,
): ProtocolRequest<readonly FetchedPartition[]> {
  return {
    apiKey: FETCH,
    apiVersion: VERSION,
    apiName: 'Fetch',
    encode: (headerSize) => encodeFetch(positions, wait, headerSize),
    decode: (payload) => decodeFetched(payload) ?? decodeFetchSlowly(payload).then(fromKafkajs),
  };
}

/** Behind so many bytes that the caller fills in. */
export function encodeFetch(positions: readonly FetchPosition[], wait: FetchWait, headerSize: number): Buffer {
  const topics = [...Map.groupBy(positions, ({ topic }) => topic)];
  let size = 4 + 4 + 4 + 4 + 1 + 4 + 4 + 4 + 4 + 2;
  for (const [topic, parts] of topics) size += 2 + topic.length + 4 + parts.length * 28;
  const to = new WireWriter(headerSize + size);
  to.at = headerSize;
  to.int32(-1);
  to.int32(wait.waitMs);
  to.int32(wait.bytesMin);
  to.int32(wait.bytesMax);
  to.int8(READ_COMMITTED);
  to.int32(NO_SESSION.id);
  to.int32(NO_SESSION.epoch);
  to.int32(topics.length);
  for (const [topic, parts] of topics) {
    to.string(topic);
    to.int32(parts.length);
    for (const { partition, fromOffset } of parts) {
      to.int32(partition);
      to.int32(-1);
      to.int64(fromOffset);
      to.int64(-1);
      to.int32(wait.partitionBytesMax);
    }
  }
  to.int32(0);
  to.string('');
  return to.bytes;
}

/** undefined where the answer holds batches that only kafkajs reads. Throws its error for the first partition that failed. */
export function decodeFetched(payload: Buffer): FetchedPartition[] | undefined {
  const from = new WireReader(payload);
  const fetched: FetchedPartition[] = [];
  from.skip(4);
  throwUnlessOk(from.int16());
  from.skip(4);
  for (let topicCount = from.int32(); topicCount > 0; topicCount -= 1) {
    const topic = from.string();
    for (let partCount = from.int32(); partCount > 0; partCount -= 1) {
      const partition = from.int32();
      throwUnlessOk(from.int16());
      const highWatermark = from.int64();
      from.skip(16);
      from.skip(Math.max(0, from.int32()) * 16);
      from.skip(4);
      const start = from.at + 4;
      from.skip(Math.max(0, from.int32()));
      const messages = readBatches(payload, start, from.at);
      if (messages === undefined) return undefined;
      fetched.push({ topic, partition, highWatermark, messages });
    }
  }
  return fetched;
}

type SlowAnswer = {
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly errorCode: number;
      readonly highWatermark: string;
      readonly messages: readonly {
        readonly offset: string;
        readonly timestamp: string;
        readonly key: Uint8Array | null;
        readonly value: Uint8Array | null;
        readonly headers?: SlowHeaders;
        readonly isControlRecord?: boolean;
        readonly batchContext?: { readonly firstOffset: string; readonly lastOffsetDelta: number };
      }[];
    }[];
  }[];
};

type SlowHeaders = Readonly<Record<string, Uint8Array | readonly Uint8Array[] | undefined>>;

/** The library gathers repeated names under one; their order among others is lost there. */
function headerList(headers: SlowHeaders | undefined): readonly RecordHeader[] | undefined {
  const list = Object.entries(headers ?? {}).flatMap(([name, value]): RecordHeader[] => {
    if (value === undefined) return [];
    return (value instanceof Uint8Array ? [value] : value).map((one) => [name, one]);
  });
  return list.length === 0 ? undefined : list;
}

function fromKafkajs(answer: unknown): FetchedPartition[] {
  return (answer as SlowAnswer).responses.flatMap(({ topicName, partitions }) =>
    partitions.map(({ partition, highWatermark, messages }) => ({
      topic: topicName,
      partition,
      highWatermark: Number(highWatermark),
      messages: messages.map(({ offset, timestamp, key, value, headers, isControlRecord = false, batchContext }) => ({
        offset: Number(offset),
        timestampMs: Number(timestamp),
        key,
        value,
        headers: headerList(headers),
        isControlRecord,
        batchEnd:
          batchContext === undefined
            ? Number(offset) + 1
            : Number(batchContext.firstOffset) + batchContext.lastOffsetDelta + 1,
      })),
    })),
  );
}
