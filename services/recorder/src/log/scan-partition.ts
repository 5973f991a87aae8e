// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { LogReader, LogRecord, ReadBatch, RecordLog } from '@clyra/core/ports/record-log';

export type ScanRequest = {
  readonly name: string;
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: number;
  /** The scan ends before this offset, or never by itself. */
  readonly toOffset?: number;
  /** Called with one record after the other; `true` ends the scan. */
  readonly visit: (record: LogRecord) => Promise<boolean>;
  /** For the whole scan; undefined waits until `signal`. */
  readonly deadlineMs?: number;
  readonly joinDeadlineMs: number;
  readonly signal: AbortSignal;
};

const PENDING_HIGH_COUNT = 5_000;

/** Reads one partition in order from an offset until enough is seen. Rejects with CLY_LOG_UNREACHABLE (backoff). */
export async function scanPartition(log: RecordLog, clock: Clock, request: ScanRequest): Promise<void> {
  if (request.toOffset !== undefined && request.fromOffset >= request.toOffset) return;
  const scan = new Scan(request);
  const late = request.deadlineMs;
  const cancel = late === undefined ? () => {} : clock.after(late, () => scan.fail(unreachable(request, late)));
  const onAbort = (): void => scan.fail(unreachable(request, 0));
  request.signal.addEventListener('abort', onAbort);
  try {
    if (request.signal.aborted) throw unreachable(request, 0);
    const { topic, partition, fromOffset, name, joinDeadlineMs } = request;
    const assignments = [{ topic, partition, fromOffset }];
    scan.reader = await log.read({ name, assignments, onBatch: (batch) => scan.take(batch) }, joinDeadlineMs);
    await scan.done;
  } finally {
    cancel();
    request.signal.removeEventListener('abort', onAbort);
    scan.stop();
    await scan.reader?.close();
  }
}

class Scan {
  readonly done: Promise<void>;
  reader: LogReader | undefined;
  readonly #request: ScanRequest;
  #waiting: LogRecord[] = [];
  #busy = false;
  #stopped = false;
  #paused = false;
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(request: ScanRequest) {
    this.#request = request;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // It may fail before anybody waits for it.
    this.done.catch(() => undefined);
  }

  take(batch: ReadBatch): void {
    for (const record of batch.records) this.#waiting.push(record);
    if (!this.#paused && this.#waiting.length > PENDING_HIGH_COUNT) {
      this.#paused = true;
      this.reader?.pause(batch.topic, batch.partition);
    }
    if (!this.#busy) void this.#work();
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting = [];
  }

  fail(error: unknown): void {
    this.stop();
    this.#reject(error);
  }

  async #work(): Promise<void> {
    this.#busy = true;
    try {
      while (!this.#stopped && this.#waiting.length > 0) {
        const records = this.#waiting;
        this.#waiting = [];
        for (const record of records) if (await this.#isLast(record)) return this.#resolve();
      }
      if (this.#paused) {
        this.#paused = false;
        this.reader?.resume(this.#request.topic, this.#request.partition);
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.#busy = false;
    }
  }

  async #isLast(record: LogRecord): Promise<boolean> {
    if (this.#stopped) return false;
    const { toOffset, visit } = this.#request;
    if (await visit(record)) return true;
    return toOffset !== undefined && record.offset + 1 >= toOffset;
  }
}

function unreachable({ topic, partition }: ScanRequest, deadlineMs: number): ClyraError {
  return new ClyraError('CLY_LOG_UNREACHABLE', `${topic}/${partition} could not be read: check the broker`, {
    retry: 'backoff',
    context: { topic, partition, deadlineMs },
  });
}
