// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
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

  /**
   * In the turn in which the records came: the receipt of a waiting caller is not delayed by another one. A promise all
   * the same, so that a bug in a handler ends the process and is not taken for a fault of the reader.
   */
  async #run(): Promise<void> {
    this.#running = true;
    while (this.#next < this.#records.length) {
      const record = this.#records[this.#next] as LogRecord;
      this.#handle(record, this.#decode(record));
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

  #decode(record: LogRecord): Envelopes[Name] | undefined {
    if (record.value === null) return undefined;
    try {
      return this.#parts.codec.decode(this.#parts.name, record.value);
    } catch (error) {
      return this.#undecodable(record, error);
    }
  }

  #undecodable({ topic, partition, offset }: LogRecord, error: unknown): undefined {
    if (!(error instanceof ClyraError)) throw error;
    this.#parts.logger.error('a record cannot be read and is skipped', { code: error.code, topic, partition, offset });
    return undefined;
  }
}
