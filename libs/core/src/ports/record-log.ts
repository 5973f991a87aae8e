// SPDX-License-Identifier: Apache-2.0
/**
 * The log as the processors see it. Two implementations, one contract suite: Kafka and the simulated log.
 * Offsets are safe integers (< 2^53); times are milliseconds since the epoch, stamped by the log (LogAppendTime).
 */
/** As the writer named it; names may repeat. */
export type RecordHeader = readonly [name: string, value: Uint8Array | null];

export type LogRecord = {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly appendTimeMs: number;
  readonly key: Uint8Array | null;
  /** null is a tombstone on a compacted topic. */
  readonly value: Uint8Array | null;
  /** Absent where the writer gave none: our own records never have any. */
  readonly headers?: readonly RecordHeader[];
};

export type OutgoingRecord = { readonly key: Uint8Array | null; readonly value: Uint8Array | null };

export type PartitionBatch = {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly OutgoingRecord[];
};

export type PartitionAppend = { readonly topic: string; readonly partition: number; readonly baseOffset: number };

/** One send in flight at a time; a second call waits for the first. */
export interface LogAppender {
  /**
   * Resolves when every record is durable (acks = all). Rejects within `deadlineMs` with
   * CLY_LOG_APPEND_UNKNOWN (retry: backoff): the records may or may not be in the log.
   * Records for more than one partition may share a call only where a resend repeats identical bytes.
   */
  append(batches: readonly PartitionBatch[], deadlineMs: number): Promise<readonly PartitionAppend[]>;
  close(): Promise<void>;
}

export type ReadFrom = { readonly topic: string; readonly partition: number; readonly fromOffset: number };

export type ReadBatch = {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly LogRecord[];
  /** The offset after the newest record the log had when it answered. */
  readonly highWatermark: number;
};

export type ReadRequest = {
  /** Names the reader in logs and consumer groups. */
  readonly name: string;
  readonly assignments: readonly ReadFrom[];
  /**
   * Called synchronously and in offset order for each partition, without gaps or repetition of offsets that
   * exist in the log. It must only enqueue: a slow handler stalls every partition of the reader.
   */
  readonly onBatch: (batch: ReadBatch) => void;
  /**
   * Nobody waits for what this reader reads: it may come up to a tenth of a second later, many records at a time. At low
   * load a fetch for each append costs the broker and the client more than the append itself.
   */
  readonly patient?: boolean;
  /** Called each time the reader loses the log and when it has it again. It reconnects by itself for ever. */
  readonly onConnection?: (state: 'connected' | 'lost') => void;
};

export interface LogReader {
  /** Stops delivery for a partition until resume: the back-pressure of a full queue. */
  pause(topic: string, partition: number): void;
  resume(topic: string, partition: number): void;
  close(): Promise<void>;
}

export interface RecordLog {
  appender(name: string): LogAppender;
  /** Resolves once the reader has joined; rejects with CLY_LOG_UNREACHABLE when `deadlineMs` passes first. */
  read(request: ReadRequest, deadlineMs: number): Promise<LogReader>;
  /** The offset after the last record of each partition, by partition number. */
  endOffsets(topic: string, deadlineMs: number): Promise<readonly number[]>;
  /** The earliest offset still in each partition, by partition number. */
  startOffsets(topic: string, deadlineMs: number): Promise<readonly number[]>;
  /** The record at end offset - 1, or undefined for an empty partition. No transactions: it is always a record. */
  readLast(topic: string, partition: number, deadlineMs: number): Promise<LogRecord | undefined>;
}
