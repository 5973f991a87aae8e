// SPDX-License-Identifier: Apache-2.0
import type { ChangeBody } from '@clyra/core/change/change-body';
import { parseChange } from '@clyra/core/change/parse-change';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { LogRecord, RecordLog } from '@clyra/core/ports/record-log';

export type LookupParts = {
  readonly log: RecordLog;
  readonly codec: EnvelopeCodec;
  readonly clock: Clock;
  readonly topic: string;
};

const DEADLINE_MS = 5_000;

/**
 * One change of clyra.changes by its position: for the few that other intakes wrote and we must understand. Following
 * the whole topic would cost every intake as much as reading the receipts does.
 */
export class ChangeLookup {
  readonly #parts: LookupParts;

  constructor(parts: LookupParts) {
    this.#parts = parts;
  }

  /** undefined for poison. Rejects with CLY_LOG_UNREACHABLE or CLY_SCHEMA_REGISTRY_UNREACHABLE (retry: backoff). */
  async at(partition: number, offset: number): Promise<ChangeBody | undefined> {
    const record = await this.#recordAt(partition, offset);
    if (record.value === null) return undefined;
    try {
      const envelope = await this.#parts.codec.decode('ChangeEnvelope', record.value);
      return parseChange(envelope.body);
    } catch (error) {
      if (error instanceof ClyraError && error.retry === 'never') return undefined;
      throw error;
    }
  }

  async #recordAt(partition: number, offset: number): Promise<LogRecord> {
    const { log, clock, topic } = this.#parts;
    const { promise, resolve, reject } = Promise.withResolvers<LogRecord>();
    const cancelTimer = clock.after(DEADLINE_MS, () => reject(unreachable(partition, offset)));
    const assignments = [{ topic, partition, fromOffset: offset }];
    const onBatch = ({ records }: { readonly records: readonly LogRecord[] }): void => {
      const found = records.find((record) => record.offset === offset);
      if (found !== undefined) resolve(found);
    };
    promise.catch(() => {});
    const reader = await log
      .read({ name: 'intake-lookup', assignments, onBatch }, DEADLINE_MS)
      .catch((error: unknown) => {
        cancelTimer();
        throw error;
      });
    return promise.finally(() => {
      cancelTimer();
      void reader.close();
    });
  }
}

function unreachable(partition: number, offset: number): ClyraError {
  return new ClyraError('CLY_LOG_UNREACHABLE', 'the log did not hand over a change in time', {
    retry: 'backoff',
    context: { partition, offset },
  });
}
