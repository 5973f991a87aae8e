// SPDX-License-Identifier: Apache-2.0
import type { TopicNames } from '@clyra/core/change/topics';
import type { Artifacts } from '@clyra/core/enforcement/artifacts';
import { type Folded, PartitionFold } from '@clyra/core/enforcement/partition-fold';
import { readChange } from '@clyra/core/enforcement/read-change';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import type { LogRecord } from '@clyra/core/ports/record-log';
import type { Signer } from '@clyra/core/ports/signer';
import { signBatch } from '@clyra/core/signing/batch-signature';
import { RECEIPT_TYPE } from '@clyra/core/signing/pae';
import { plainCodec } from '@clyra/testing/plain-codec';
import { receiptEnvelope } from '@clyra/testing/receipt-envelope';
import type { SimLog } from '@clyra/testing/sim-log';

export type FakeEnforcerParts = {
  readonly log: SimLog;
  readonly topics: TopicNames;
  readonly artifacts: Artifacts;
  readonly signer: Signer;
  readonly clock: Clock;
};

/** The real fold of every partition, answering as soon as it is told to: the script decides when and by whom. */
export class FakeEnforcer {
  readonly #parts: FakeEnforcerParts;
  readonly #folds = new Map<number, PartitionFold>();
  /** What a scripted enforcer says late, or not at all. */
  silent = false;
  /** How long it takes over each record, in milliseconds. */
  recordMs = 0;
  readonly decided: Folded[] = [];

  constructor(parts: FakeEnforcerParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    const { log, topics } = this.#parts;
    const partitionCount = 2;
    const assignments = Array.from({ length: partitionCount }, (_, partition) => ({
      topic: topics.changes,
      partition,
      fromOffset: 0,
    }));
    for (const { partition } of assignments)
      this.#folds.set(partition, new PartitionFold(partition, this.#parts.artifacts));
    let last: Promise<void> = Promise.resolve();
    const onBatch = ({ records }: { readonly records: readonly LogRecord[] }): void => {
      last = last.then(() => this.#answer(records));
    };
    await log.read({ name: 'fake-enforcer', assignments, onBatch }, 5_000);
  }

  /** Puts a receipt into the log as it stands; used to script forgeries and repetitions. */
  async publish(folded: readonly Folded[], signer: Signer = this.#parts.signer): Promise<void> {
    const { log, topics } = this.#parts;
    const signed = folded.filter((one) => one.signed);
    const blocks =
      signed.length === 0
        ? []
        : await signBatch(
            signer,
            RECEIPT_TYPE,
            signed.map(({ digest }) => digest),
          );
    for (const one of folded) {
      const block = blocks[signed.indexOf(one)];
      const value = plainCodec.encode('ReceiptEnvelope', receiptEnvelope(one, block));
      const partition = (JSON.parse(Buffer.from(one.bytes).toString('utf8')) as { partition: number }).partition;
      log.put(topics.receipts, partition, [{ key: null, value }]);
    }
  }

  async #answer(records: readonly LogRecord[]): Promise<void> {
    const folded = records.flatMap((record) => {
      const value = record.value ?? new Uint8Array();
      const envelope = plainCodec.decode('ChangeEnvelope', value) as Envelopes['ChangeEnvelope'];
      const fold = this.#folds.get(record.partition) as PartitionFold;
      const made = fold.fold({
        offset: record.offset,
        appendTimeMs: record.appendTimeMs,
        read: readChange(envelope),
        raw: value,
      });
      return made === undefined ? [] : [made];
    });
    if (this.recordMs > 0) await sleep(this.#parts.clock, this.recordMs * records.length);
    this.decided.push(...folded);
    if (!this.silent) await this.publish(folded);
  }
}
