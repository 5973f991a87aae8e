// SPDX-License-Identifier: Apache-2.0
import { sealObservations } from '@clyra/core/evidence/seal-observations';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { OutgoingRecord, RecordLog } from '@clyra/core/ports/record-log';
import type { Signer } from '@clyra/core/ports/signer';
import { BatchingAppender } from '@clyra/runtime/batching-appender';
import type { AppendedPosition, EntrySettle } from '@clyra/runtime/batching-appender-entry';
import type { ObservationDraft } from './observation-draft.ts';

export type WriterOptions = {
  readonly log: Pick<RecordLog, 'appender'>;
  readonly codec: EnvelopeCodec;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly topic: string;
  readonly name: string;
  /** After each send that failed and is being repeated. */
  readonly onTrouble: (error: ClyraError) => void;
};

/** Signature block with the longest path, the envelope's own fields at their longest, and what Kafka adds to a record. */
export const ENVELOPE_BYTES_MAX = 1_152;

/**
 * Writes the observations of one source in order. What stands in the log is always a prefix of what was written:
 * after a send that was refused for good nothing more is sealed, because a later record would say that everything
 * before it is there.
 */
export class ObservationWriter {
  readonly #appender: BatchingAppender<ObservationDraft>;
  readonly #tools: Pick<WriterOptions, 'codec' | 'signer'>;
  #refusal: unknown;
  readonly #note = (error: unknown): void => {
    this.#refusal ??= error;
  };

  constructor(options: WriterOptions) {
    this.#tools = options;
    this.#appender = new BatchingAppender({
      log: options.log,
      clock: options.clock,
      name: options.name,
      topic: options.topic,
      sends: 'per-partition',
      seal: (drafts) => this.#seal(drafts),
      sizeOf: ({ bytes }) => bytes.length + ENVELOPE_BYTES_MAX,
      onTrouble: options.onTrouble,
    });
  }

  get heldCount(): number {
    return this.#appender.heldCount;
  }

  /** Something it was given is not in the log, or nobody knows: it writes no more, and the log must be read back. */
  get isBroken(): boolean {
    return this.#refusal !== undefined;
  }

  /** Resolves when the record is durable; tried for ever unless the log refuses it for good or the writer is closed. */
  write(draft: ObservationDraft, partition: number): Promise<AppendedPosition> {
    return new Promise((succeed, fail) => this.add(draft, partition, { succeed, fail }));
  }

  /** As `write`, for many. */
  add(draft: ObservationDraft, partition: number, settle: EntrySettle): void {
    if (this.#refusal === undefined) this.#appender.add(draft, partition, new NotedSettle(settle, this.#note));
    else settle.fail(this.#refusal);
  }

  close(deadlineMs: number): Promise<void> {
    return this.#appender.close(deadlineMs);
  }

  async #seal(drafts: readonly ObservationDraft[]): Promise<readonly OutgoingRecord[]> {
    if (this.#refusal !== undefined) throw afterRefusal(this.#refusal);
    return sealObservations(drafts, this.#tools);
  }
}

/** Notes a refusal before anybody is told of it, and so before the appender takes the next send. */
class NotedSettle implements EntrySettle {
  readonly #settle: EntrySettle;
  readonly #note: (error: unknown) => void;

  constructor(settle: EntrySettle, note: (error: unknown) => void) {
    this.#settle = settle;
    this.#note = note;
  }

  succeed(position: AppendedPosition): void {
    this.#settle.succeed(position);
  }

  fail(error: unknown): void {
    this.#note(error);
    this.#settle.fail(error);
  }
}

function afterRefusal(cause: unknown): ClyraError {
  return new ClyraError(
    'CLY_RECORDER_ORDER',
    'an earlier observation of this source is not in the log: nothing after it is written',
    { retry: 'never', cause },
  );
}
