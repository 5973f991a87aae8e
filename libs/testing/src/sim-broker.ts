// SPDX-License-Identifier: Apache-2.0
import { assert } from '@clyra/core/kernel/assert';
import type { Clock } from '@clyra/core/ports/clock';
import type { LogRecord, OutgoingRecord, PartitionBatch } from '@clyra/core/ports/record-log';
import type { SeededRandom } from './seeded-random.ts';

/** Shares from 0 to 1 of the sends a fault befalls. */
export type SimLogFaults = {
  /** Stored, but the answer never arrives. */
  readonly lostResponseShare: number;
  /** Never arrives; of several partitions some may have arrived. */
  readonly lostRequestShare: number;
  /** Not stored, and said so. */
  readonly refusedShare: number;
};

/** Ranges, both ends included, that are drawn from. */
export type SimLogTiming = {
  readonly networkMs: readonly [number, number];
  readonly reconnectMs: readonly [number, number];
  /** How long a reader waits for a frozen broker before it says that the log is lost. */
  readonly lostAfterMs: number;
  readonly readRecordsMax: number;
  /** As Kafka's message.max.bytes: a larger batch for one partition is refused. */
  readonly batchBytesMax: number;
};

export type SimLogOptions = {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly faults?: Partial<SimLogFaults>;
  readonly timing?: Partial<SimLogTiming>;
};

/** What other people's clients write may have headers. */
export type SimRecord = OutgoingRecord & Pick<LogRecord, 'headers'>;
type SimBatch = Omit<PartitionBatch, 'records'> & { readonly records: readonly SimRecord[] };

export type SendFate = 'answered' | 'response-lost' | 'request-lost' | 'refused';

type SimPartition = { readonly records: LogRecord[]; startOffset: number; endOffset: number };

export interface BrokerListener {
  onAppended(topic: string, partition: number): void;
  onFrozen(): void;
  onThawed(): void;
}

const NO_FAULTS: SimLogFaults = { lostResponseShare: 0, lostRequestShare: 0, refusedShare: 0 };
const TIMING: SimLogTiming = {
  networkMs: [1, 4],
  reconnectMs: [20, 400],
  lostAfterMs: 3_000,
  readRecordsMax: 500,
  batchBytesMax: 1_000_000,
};

/** What the clients of the simulated log talk to: the partitions, and the one place where faults are drawn. */
export class SimBroker {
  readonly clock: Clock;
  readonly timing: SimLogTiming;
  readonly listeners = new Set<BrokerListener>();
  readonly #random: SeededRandom;
  readonly #topics = new Map<string, readonly SimPartition[]>();
  #faults: SimLogFaults;
  #frozen = false;
  #held: (() => void)[] = [];
  #clockSkewMs = 0;

  constructor({ clock, random, faults, timing }: SimLogOptions) {
    this.clock = clock;
    this.timing = { ...TIMING, ...timing };
    this.#random = random.fork();
    this.#faults = { ...NO_FAULTS, ...faults };
  }

  createTopic(topic: string, partitionCount: number): void {
    assert(!this.#topics.has(topic), `topic ${topic} exists already`);
    const empty = () => ({ records: [], startOffset: 0, endOffset: 0 });
    this.#topics.set(topic, Array.from({ length: partitionCount }, empty));
  }

  partitionsOf(topic: string): readonly Readonly<SimPartition>[] | undefined {
    return this.#topics.get(topic);
  }

  partition(topic: string, partition: number): SimPartition | undefined {
    return this.#topics.get(topic)?.[partition];
  }

  /** Stores at once and returns the first offset. */
  store({ topic, partition, records }: SimBatch): number {
    const place = this.partition(topic, partition);
    assert(place !== undefined, `the simulated log has no ${topic}/${partition}`);
    const baseOffset = place.endOffset;
    const appendTimeMs = this.clock.nowMs() + this.#clockSkewMs;
    place.records.push(
      ...records.map((record, index) => ({
        topic,
        partition,
        offset: baseOffset + index,
        appendTimeMs,
        key: copied(record.key),
        value: copied(record.value),
        ...(record.headers === undefined ? {} : { headers: record.headers }),
      })),
    );
    place.endOffset += records.length;
    for (const listener of this.listeners) listener.onAppended(topic, partition);
    return baseOffset;
  }

  /** Records from a position on; records that were deleted or compacted away are skipped. */
  recordsFrom(place: Readonly<SimPartition>, fromOffset: number, countMax: number): LogRecord[] {
    const first = lowerBound(place.records, fromOffset);
    return place.records.slice(first, first + countMax);
  }

  deleteBefore(topic: string, partition: number, offset: number): void {
    const place = this.partition(topic, partition);
    if (place === undefined) return;
    place.startOffset = Math.min(Math.max(place.startOffset, offset), place.endOffset);
    place.records.splice(0, lowerBound(place.records, place.startOffset));
  }

  /** Keeps the newest record of each key. The last record always stays, as in Kafka's active segment. */
  compact(topic: string, partition: number): void {
    const place = this.partition(topic, partition);
    if (place === undefined) return;
    const newest = new Map(place.records.map((record) => [keyText(record), record.offset]));
    const kept = place.records.filter((record) => newest.get(keyText(record)) === record.offset);
    place.records.splice(0, place.records.length, ...kept);
  }

  setFaults(faults: Partial<SimLogFaults>): void {
    this.#faults = { ...this.#faults, ...faults };
  }

  /** Moves the broker's clock against everybody else's; append times may then go backwards. */
  setClockSkew(skewMs: number): void {
    this.#clockSkewMs = skewMs;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** The broker takes everything in and answers nothing. */
  freeze(): void {
    this.#frozen = true;
    for (const listener of this.listeners) listener.onFrozen();
  }

  /** It works off what it took in, also requests whose sender has long given up. */
  thaw(): void {
    this.#frozen = false;
    const held = this.#held;
    this.#held = [];
    for (const work of held) work();
    for (const listener of this.listeners) listener.onThawed();
  }

  /** One way through the network and, while the broker is frozen, on until it thaws. */
  reach(work: () => void): void {
    this.clock.after(this.networkMs(), () => {
      if (this.#frozen) this.#held.push(work);
      else work();
    });
  }

  exists({ topic, partition }: PartitionBatch): boolean {
    return this.partition(topic, partition) !== undefined;
  }

  isTooLarge({ records }: PartitionBatch): boolean {
    return bytesOf(records) > this.timing.batchBytesMax;
  }

  drawFate(partitionCount: number): SendFate {
    const { lostResponseShare, lostRequestShare, refusedShare } = this.#faults;
    if (partitionCount === 1 && this.#random.chance(refusedShare)) return 'refused';
    if (this.#random.chance(lostRequestShare)) return 'request-lost';
    return this.#random.chance(lostResponseShare) ? 'response-lost' : 'answered';
  }

  flip(): boolean {
    return this.#random.chance(0.5);
  }

  networkMs(): number {
    return this.#random.nextInt(...this.timing.networkMs);
  }

  reconnectMs(): number {
    return this.#random.nextInt(...this.timing.reconnectMs);
  }

  readCount(): number {
    return this.#random.nextInt(1, this.timing.readRecordsMax);
  }
}

function copied(bytes: OutgoingRecord['key']): Uint8Array | null {
  return bytes === null ? null : Uint8Array.from(bytes);
}

function bytesOf(records: readonly OutgoingRecord[]): number {
  return records.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0);
}

function keyText({ key, offset }: LogRecord): string {
  return key === null ? `no key at ${offset}` : Buffer.from(key).toString('hex');
}

/** The place of the first record at or behind an offset. */
function lowerBound(records: readonly LogRecord[], offset: number): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((records[middle] as LogRecord).offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
