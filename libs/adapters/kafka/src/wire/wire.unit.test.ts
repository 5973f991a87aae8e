// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import type { PartitionBatch } from '@clyra/core/ports/record-log';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { crc32c } from './crc32c.ts';
import { decodeFetched, encodeFetch, fetchRequest } from './fetch.ts';
import { decodeProduced, encodeProduce } from './produce.ts';
import { readBatches } from './record-batch.ts';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

type Encoded = { readonly buffer: Buffer };
type Protocol = (input: unknown) => { encode(): Promise<Encoded> };
const load = createRequire(import.meta.url);
const kafkajsProduce = load('kafkajs/src/protocol/requests/produce/v7/request.js') as Protocol;
const kafkajsFetch = load('kafkajs/src/protocol/requests/fetch/v11/request.js') as Protocol;
const kafkajsAnswer = load('kafkajs/src/protocol/requests/fetch/v11/response.js') as {
  decode(bytes: Buffer): Promise<{ responses: { partitions: { messages: { offset: string; value: Buffer }[] }[] }[] }>;
};

const bytes = fc.oneof(
  fc.constant(null),
  fc.uint8Array({ maxLength: 80 }),
  fc.uint8Array({ minLength: 8_000, maxLength: 8_400 }),
);
const record = fc.record({ key: bytes, value: bytes });
const batches = fc.uniqueArray(
  fc.record({
    topic: fc.constantFrom('a.changes', 'a.receipts'),
    partition: fc.nat(40),
    records: fc.array(record, { minLength: 1, maxLength: 150 }),
  }),
  { minLength: 1, maxLength: 4, selector: ({ topic, partition }) => `${topic}/${partition}` },
);

function asKafkajs(all: readonly PartitionBatch[]): object[] {
  return [...Map.groupBy(all, ({ topic }) => topic)].map(([topic, parts]) => ({
    topic,
    partitions: parts.map(({ partition, records }) => ({
      partition,
      firstSequence: 0,
      messages: records.map(({ key, value }) => ({
        key: key === null ? null : Buffer.from(key),
        value: value === null ? null : Buffer.from(value),
        timestamp: 1_767_225_600_000,
      })),
    })),
  }));
}

/** A fetch answer with the batches of one produce request: a broker stores what it was sent. */
function answerWith(stored: Buffer): Buffer {
  const to = new WireWriter(79 + stored.length);
  to.int32(0);
  to.int16(0);
  to.int32(0);
  to.int32(1);
  to.string('t');
  to.int32(1);
  to.int32(7);
  to.int16(0);
  to.int64(99);
  to.int64(99);
  to.int64(0);
  to.int32(1);
  to.int64(5);
  to.int64(6);
  to.int32(-1);
  to.int32(stored.length);
  to.raw(stored);
  return to.bytes.subarray(0, to.at);
}

/** The record set of a produce request for one partition of topic `t`. */
function storedOf(records: PartitionBatch['records']): Buffer {
  const timing = { timeoutMs: 1, nowMs: 1_767_225_600_000 };
  const request = encodeProduce([{ topic: 't', partition: 0, records }], timing, 0);
  return request.subarray(31 - 4);
}

describe('the wire', () => {
  it('sends the very bytes that the client library would have sent', async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (all) => {
        const ours = encodeProduce(all, { timeoutMs: 750, nowMs: 1_767_225_600_000 }, 0);
        const theirs = await kafkajsProduce({ acks: -1, timeout: 750, topicData: asKafkajs(all) }).encode();
        expect(ours.equals(theirs.buffer)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('asks for the same as the client library would have', async () => {
    const positions = [0, 3].map((partition) => ({ topic: 'a.changes', partition, fromOffset: 2 ** 40 + partition }));
    const ours = encodeFetch(positions, { waitMs: 100, bytesMin: 1, bytesMax: 9_999, partitionBytesMax: 777 }, 0);
    const topics = [
      {
        topic: 'a.changes',
        partitions: positions.map(({ partition, fromOffset }) => ({
          partition,
          fetchOffset: String(fromOffset),
          maxBytes: 777,
        })),
      },
    ];
    const wanted = { replicaId: -1, maxWaitTime: 100, minBytes: 1, maxBytes: 9_999, topics };
    expect(ours.equals((await kafkajsFetch(wanted).encode()).buffer)).toBe(true);
  });

  it('reads back what it sent, as the client library does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 150 }), async (records) => {
        const answer = answerWith(storedOf(records));
        const [ours] = decodeFetched(answer) ?? [];
        const theirs = (await kafkajsAnswer.decode(answer)).responses[0]?.partitions[0]?.messages;
        expect(ours).toMatchObject({ topic: 't', partition: 7, highWatermark: 99 });
        expect(ours?.messages.map(({ offset }) => String(offset))).toEqual(theirs?.map(({ offset }) => offset));
        ours?.messages.forEach(({ key, value, batchEnd, timestampMs }, index) => {
          expect([key, value].map(hex)).toEqual([records[index]?.key, records[index]?.value].map(hex));
          expect([batchEnd, timestampMs]).toEqual([records.length, 1_767_225_600_000]);
        });
      }),
      { numRuns: 60 },
    );
  });
});

function hex(value: Uint8Array | null | undefined): string | null {
  return value == null ? null : Buffer.from(value).toString('hex');
}

describe('answers that are not plain', () => {
  const stored = storedOf([{ key: null, value: Buffer.from('one') }]);

  it('leaves a batch that is cut off for the next fetch', () => {
    const cut = Buffer.concat([stored, stored.subarray(0, -1)]);
    expect(readBatches(cut, 0, cut.length)).toHaveLength(1);
  });

  it('leaves compressed batches to the client library', async () => {
    const records = stored.subarray(61);
    const packed = gzipSync(records);
    const batch = Buffer.concat([stored.subarray(0, 61), packed]);
    batch.writeInt32BE(batch.length - 12, 8);
    batch.writeInt16BE(1, 21);
    const answer = answerWith(batch);
    expect(decodeFetched(answer)).toBeUndefined();
    const [read] = await fetchRequest([], WAIT).decode(answer);
    expect(read?.messages.map(({ offset, value, batchEnd }) => [offset, hex(value), batchEnd])).toEqual([
      [0, hex(Buffer.from('one')), 1],
    ]);
  });

  it('reads the headers that other clients write, plain or compressed', async () => {
    const headers = {
      'x-tenant-id': Buffer.from('acme'),
      twice: [Buffer.from('1'), Buffer.from('2')],
      empty: Buffer.alloc(0),
    };
    const message = { key: null, value: Buffer.from('one'), timestamp: 1_767_225_600_000, headers };
    const topicData = [{ topic: 't', partitions: [{ partition: 0, firstSequence: 0, messages: [message] }] }];
    const request = await kafkajsProduce({ acks: -1, timeout: 1, topicData }).encode();
    const plain = request.buffer.subarray(31 - 4);
    const packed = Buffer.concat([plain.subarray(0, 61), gzipSync(plain.subarray(61))]);
    packed.writeInt32BE(packed.length - 12, 8);
    packed.writeInt16BE(1, 21);
    for (const batch of [plain, packed]) {
      const [read] = await fetchRequest([], WAIT).decode(answerWith(batch));
      const found = read?.messages[0]?.headers?.map(([name, value]) => [name, String(value)]);
      expect(found).toEqual([
        ['x-tenant-id', 'acme'],
        ['twice', '1'],
        ['twice', '2'],
        ['empty', ''],
      ]);
    }
    expect(decodeFetched(answerWith(stored))?.[0]?.messages[0]?.headers).toBeUndefined();
  });

  it('marks control records, and takes the append time where the broker set one', () => {
    const batch = Buffer.from(stored);
    batch.writeInt16BE(0x28, 21);
    batch.writeInt32BE(0, 35);
    batch.writeInt32BE(777, 39);
    expect(readBatches(batch, 0, batch.length)).toMatchObject([{ isControlRecord: true, timestampMs: 777 }]);
  });

  it('throws the library’s error for a partition that failed', () => {
    const answer = answerWith(stored);
    answer.writeInt16BE(1, 29 - 4);
    expect(() => decodeFetched(answer)).toThrow(expect.objectContaining({ type: 'OFFSET_OUT_OF_RANGE' }));
    const refused = new WireWriter(64);
    refused.int32(1);
    refused.string('t');
    refused.int32(1);
    refused.int32(3);
    refused.int16(19);
    expect(() => decodeProduced(refused.bytes)).toThrow(expect.objectContaining({ type: 'NOT_ENOUGH_REPLICAS' }));
  });

  it('refuses lengths that point outside', () => {
    const answer = answerWith(stored);
    for (let length = 0; length < answer.length - stored.length; length += 1) {
      expect(() => decodeFetched(answer.subarray(0, length))).toThrow(RangeError);
    }
  });
});

const WAIT = { waitMs: 1, bytesMin: 1, bytesMax: 1, partitionBytesMax: 1 };

describe('numbers', () => {
  it('checks with the polynomial of Castagnoli', () => {
    expect(crc32c(Buffer.from('123456789'), 0, 9)).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(34, 0), 1, 33)).toBe(0x8a9136aa);
  });

  it('come back as they went', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer(), (long, int) => {
        const to = new WireWriter(13);
        to.int64(long);
        to.varint(int);
        const from = new WireReader(to.bytes, 0, to.at);
        expect([from.int64(), from.varint()]).toEqual([long, int]);
      }),
    );
  });
});
