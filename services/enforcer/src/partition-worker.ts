// SPDX-License-Identifier: Apache-2.0
import { artifactNeeds } from '@clyra/core/enforcement/artifacts';
import { type Folded, type FoldStart, PartitionFold } from '@clyra/core/enforcement/partition-fold';
import { isPoison, type Poison, type ReadChange, readChange } from '@clyra/core/enforcement/read-change';
import { ClyraError } from '@clyra/core/kernel/error';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { LogRecord } from '@clyra/core/ports/record-log';
import type { ArtifactStore } from './artifact-store.ts';

export type WorkerEvents = {
  /** Called for each record, in offset order, with the raw record for the quarantine. */
  readonly onFolded: (folded: Folded, record: LogRecord) => void;
  /** The partition waits for something outside (registry, blob store); undefined when it goes on. */
  readonly onWaiting: (reason: string | undefined) => void;
  /** The partition stops for good: nothing after this record is decided. */
  readonly onHalt: (error: ClyraError) => void;
  /** The queue is above (true) or below (false) its high-water mark. */
  readonly onPressure: (high: boolean) => void;
};

export type WorkerOptions = {
  readonly partition: number;
  readonly codec: EnvelopeCodec;
  readonly artifacts: ArtifactStore;
  readonly start: FoldStart;
  readonly clock: Clock;
  readonly events: WorkerEvents;
};

const NO_BYTES = new Uint8Array();
const QUEUE_HIGH = 20_000;
const QUEUE_LOW = 5_000;
const RETRY_MS = 250;
/** Somewhat more than a record writes, so that a cut finds little left to hash. */
const REFRESHED_ENTRIES = 8;
/** Of so many records at a time: what is hashed meanwhile holds up whoever comes next. */
const REFRESHED_RECORDS_MAX = 64;
/** Longer than it takes to sign and send what was folded. */
const REFRESH_PAUSE_MS = 2;

/**
 * Folds one partition in order. It goes on synchronously as long as it can, and waits only for a schema id or a
 * document it has not met; a record it cannot read for a lasting reason is poison, one it cannot read now is waited for.
 */
export class PartitionWorker {
  readonly fold: PartitionFold;
  readonly #options: WorkerOptions;
  readonly #queue: LogRecord[] = [];
  #head = 0;
  #busy = false;
  #unrefreshedCount = 0;
  #cancelRefresh: (() => void) | undefined;
  #halted = false;
  #held = false;
  #pressed = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.fold = new PartitionFold(options.partition, options.artifacts, options.start);
  }

  get queuedCount(): number {
    return this.#queue.length - this.#head;
  }

  enqueue(records: readonly LogRecord[]): void {
    if (this.#halted) return;
    for (const record of records) this.#queue.push(record);
    if (!this.#pressed && this.queuedCount > QUEUE_HIGH) {
      this.#pressed = true;
      this.#options.events.onPressure(true);
    }
    this.#pump();
  }

  /** Folds nothing more until `release`: what was folded cannot be published, and must not pile up. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#pump();
  }

  halt(error: ClyraError): void {
    if (this.#halted) return;
    this.#halted = true;
    this.#queue.length = 0;
    this.#head = 0;
    this.#options.events.onHalt(error);
  }

  #pump(): void {
    if (this.#busy) return;
    const firstHead = this.#head;
    while (!this.#halted && !this.#held && this.#head < this.#queue.length) {
      const record = this.#queue[this.#head] as LogRecord;
      const read = this.#read(record);
      const blocked = read instanceof Promise || this.#needs(read).length > 0;
      if (blocked) {
        this.#busy = true;
        void this.#wait(record, read).then(() => {
          this.#busy = false;
          this.#pump();
        });
        return;
      }
      this.#take(record, read);
    }
    this.#refresh(this.#head - firstHead);
    this.#relieve();
  }

  /** Whoever waits for a receipt does not wait for this: it comes when the receipts of what was folded are on their way. */
  #refresh(foldedCount: number): void {
    if (foldedCount === 0) return;
    this.#unrefreshedCount += foldedCount;
    this.#refreshSoon();
  }

  #refreshSoon(): void {
    this.#cancelRefresh ??= this.#options.clock.after(REFRESH_PAUSE_MS, () => {
      this.#cancelRefresh = undefined;
      // With a backlog the next pump comes back to it.
      if (this.#head !== this.#queue.length) return;
      const count = Math.min(this.#unrefreshedCount, REFRESHED_RECORDS_MAX);
      this.#unrefreshedCount -= count;
      this.fold.refresh(count * REFRESHED_ENTRIES);
      if (this.#unrefreshedCount > 0) this.#refreshSoon();
    });
  }

  #relieve(): void {
    if (this.#head > 4_096 || this.#head === this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    if (this.#pressed && this.queuedCount < QUEUE_LOW) {
      this.#pressed = false;
      this.#options.events.onPressure(false);
    }
  }

  #read(record: LogRecord): ReadChange | Poison | Promise<ReadChange | Poison> {
    if (record.value === null) return { reason: 'CLY_RECORD_EMPTY' };
    try {
      const envelope = this.#options.codec.decode('ChangeEnvelope', record.value);
      return envelope instanceof Promise ? envelope.then(readChange, poisonOrThrow) : readChange(envelope);
    } catch (error) {
      // A rejection of whatever kind ends in #wait, which tries again or stops the partition.
      return isPoisonous(error) ? poisonOrThrow(error) : Promise.reject(error);
    }
  }

  #needs(read: ReadChange | Poison): ReturnType<typeof artifactNeeds> {
    return isPoison(read) ? [] : this.#options.artifacts.missing(artifactNeeds(read.body));
  }

  /** Waits until the record can be read and every document it names is here; the partition stands still meanwhile. */
  async #wait(record: LogRecord, first: ReadChange | Poison | Promise<ReadChange | Poison>): Promise<void> {
    let attempt: ReadChange | Poison | Promise<ReadChange | Poison> = first;
    while (!this.#halted) {
      try {
        const read = await attempt;
        for (const need of this.#needs(read)) await this.#options.artifacts.load(need);
        this.#options.events.onWaiting(undefined);
        this.#take(record, read);
        return;
      } catch (error) {
        if (!(error instanceof ClyraError) || error.retry === 'never') {
          this.halt(asHalt(error));
          return;
        }
        this.#options.events.onWaiting(`${error.code}: ${error.message}`);
        await sleep(this.#options.clock, RETRY_MS);
        attempt = this.#read(record);
      }
    }
  }

  #take(record: LogRecord, read: ReadChange | Poison): void {
    if (this.#halted) return;
    this.#head += 1;
    try {
      const folded = this.fold.fold({
        offset: record.offset,
        appendTimeMs: record.appendTimeMs,
        read,
        raw: record.value ?? NO_BYTES,
      });
      if (folded !== undefined) this.#options.events.onFolded(folded, record);
    } catch (error) {
      // The record is taken already: whatever went wrong, nothing may be decided after it.
      this.halt(asHalt(error));
    }
  }
}

function isPoisonous(error: unknown): error is ClyraError {
  return error instanceof ClyraError && error.retry === 'never';
}

function poisonOrThrow(error: unknown): Poison {
  if (isPoisonous(error)) return { reason: error.code };
  throw error;
}

function asHalt(error: unknown): ClyraError {
  if (error instanceof ClyraError) return error;
  return new ClyraError('CLY_ENFORCER_BUG', `the fold failed: ${String(error)}`, { retry: 'never', cause: error });
}
