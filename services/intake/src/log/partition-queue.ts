// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { EnvelopeCodec, EnvelopeName, Envelopes } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import type { LogRecord } from '@clyra/core/ports/record-log';

export type DecodedRecord<Name extends EnvelopeName> = {
  readonly partition: number;
  readonly offset: number;
  readonly appendTimeMs: number;
  readonly envelope: Envelopes[Name];
};

export type PartitionQueueParts<Name extends EnvelopeName> = {
  readonly codec: EnvelopeCodec;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly name: Name;
  readonly onRecord: (record: DecodedRecord<Name>) => void;
  /** Called with the offset after the last record that was handled, also where nothing could be read from it. */
  readonly onPosition: (partition: number, nextOffset: number) => void;
};

const REGISTRY_PAUSE_MS = 500;

/** Decodes one partition's records in order. Records that no schema reads are skipped with an error in the log. */
export class PartitionQueue<Name extends EnvelopeName> {
  readonly #parts: PartitionQueueParts<Name>;
  #records: LogRecord[] = [];
  #next = 0;
  #running = false;

  constructor(parts: PartitionQueueParts<Name>) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#records.length - this.#next;
  }

  push(records: readonly LogRecord[]): void {
    for (const record of records) this.#records.push(record);
    if (!this.#running) void this.#run();
  }

  /** Synchronous as long as the codec is: the receipt of a waiting caller is not delayed by a turn of the loop. */
  async #run(): Promise<void> {
    this.#running = true;
    while (this.#next < this.#records.length) {
      const record = this.#records[this.#next] as LogRecord;
      const decoded = this.#decode(record);
      this.#handle(record, decoded instanceof Promise ? await decoded : decoded);
      this.#next += 1;
    }
    this.#records = [];
    this.#next = 0;
    this.#running = false;
  }

  #handle(record: LogRecord, envelope: Envelopes[Name] | undefined): void {
    const { partition, offset, appendTimeMs } = record;
    if (envelope !== undefined) this.#parts.onRecord({ partition, offset, appendTimeMs, envelope });
    this.#parts.onPosition(partition, offset + 1);
  }

  #decode(record: LogRecord): Envelopes[Name] | undefined | Promise<Envelopes[Name] | undefined> {
    if (record.value === null) return undefined;
    try {
      const decoded = this.#parts.codec.decode(this.#parts.name, record.value);
      return decoded instanceof Promise ? this.#decodeLater(record, decoded) : decoded;
    } catch (error) {
      return this.#undecodable(record, error);
    }
  }

  async #decodeLater(record: LogRecord, first: Promise<Envelopes[Name]>): Promise<Envelopes[Name] | undefined> {
    let attempt = first;
    for (;;) {
      try {
        return await attempt;
      } catch (error) {
        if (!(error instanceof ClyraError) || error.retry === 'never') return this.#undecodable(record, error);
        await sleep(this.#parts.clock, REGISTRY_PAUSE_MS);
        attempt = Promise.resolve(this.#parts.codec.decode(this.#parts.name, record.value as Uint8Array));
      }
    }
  }

  #undecodable({ topic, partition, offset }: LogRecord, error: unknown): undefined {
    if (!(error instanceof ClyraError)) throw error;
    this.#parts.logger.error('a record cannot be read and is skipped', { code: error.code, topic, partition, offset });
    return undefined;
  }
}
