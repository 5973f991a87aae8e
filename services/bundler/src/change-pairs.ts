// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import { chainAfter, chainGenesis } from '@clyra/core/change/links';
import { foreignPosition } from '@clyra/core/change/log-position';
import type { ReceiptBody } from '@clyra/core/enforcement/receipt-body';
import { parseReceipt } from '@clyra/core/evidence/read-receipt';
import { ClyraError } from '@clyra/core/kernel/error';
import type { EnvelopeCodec, Envelopes } from '@clyra/core/ports/envelope-codec';
import type { LogRecord } from '@clyra/core/ports/record-log';
import type { Persistence } from '@clyra/runtime/persistence';
import type { RecordQueue } from '@clyra/runtime/record-queue';
import type { ReceiptMark } from './position/lane-position.ts';
import { ReceiptMarks } from './position/receipt-marks.ts';

export type Receipt = {
  readonly envelope: Envelopes['ReceiptEnvelope'];
  readonly body: ReceiptBody;
  readonly digest: Digest;
  /** The offset of the receipt before it; undefined where reading began later than the partition. */
  readonly previousOffset: number | undefined;
};

export type ChangePair = { readonly change: LogRecord; readonly receipt: Receipt };

export type PairsOptions = {
  readonly partition: number;
  readonly codec: EnvelopeCodec;
  readonly persistence: Persistence;
  readonly changes: RecordQueue;
  readonly receipts: RecordQueue;
  /** Changes up to here are in the journal; their receipts are read again, to follow the chain. */
  readonly sequencedOffset: number;
  /** Where the receipts are read from: the first that ever was, a saved place, or what is left of them. */
  readonly from: 'genesis' | 'first_left' | ReceiptMark;
};

/**
 * Joins each change with the first receipt of its offset. Enforcers publish in offset order, so first receipts rise
 * without a gap; later ones for the same offset are the other replica's and are dropped. Both queues pause their
 * reader when full, and only the heads are compared, so a lag of either topic costs no more memory than its queue.
 */
export class ChangePairs {
  readonly #options: PairsOptions;
  #lastOffset: number | undefined;
  #chain: Digest | undefined;
  #receipt: Receipt | undefined;
  readonly marks: ReceiptMarks;

  constructor(options: PairsOptions) {
    this.#options = options;
    const { from, partition } = options;
    this.#lastOffset = from === 'genesis' ? -1 : undefined;
    this.#chain = from === 'genesis' ? chainGenesis(partition) : undefined;
    this.marks = new ReceiptMarks(typeof from === 'string' ? null : from);
  }

  /** The next pair if both of its records are here; it stays the next one until `take`. */
  async peek(): Promise<ChangePair | undefined> {
    this.#receipt ??= await this.#nextReceipt();
    const change = this.#options.changes.peek();
    if (this.#receipt === undefined || change === undefined) return undefined;
    const { offset } = this.#receipt.body;
    if (change.offset < offset)
      throw this.#broken('CLY_RECEIPT_MISSING', `the change at ${change.offset} has no receipt`);
    if (change.offset > offset)
      throw this.#broken('CLY_LOG_DAMAGED', `the change at ${offset} is gone, its receipt is not`);
    return { change, receipt: this.#receipt };
  }

  take(): void {
    this.#options.changes.shift();
    this.#receipt = undefined;
  }

  async #nextReceipt(): Promise<Receipt | undefined> {
    for (let record = this.#options.receipts.peek(); record !== undefined; record = this.#options.receipts.peek()) {
      const envelope = await this.#decode(record);
      this.#options.receipts.shift();
      if (this.#lastOffset !== undefined && envelope.offset <= this.#lastOffset) continue;
      this.#requireSaved(record.offset, envelope);
      const receipt = this.#follow(envelope);
      this.marks.note({ offset: record.offset, change_offset: envelope.offset, chain: this.#chain as Digest });
      if (envelope.offset > this.#options.sequencedOffset) return receipt;
    }
    return undefined;
  }

  /** The receipt at a saved place must be the one that stood there. */
  #requireSaved(offset: number, envelope: Envelopes['ReceiptEnvelope']): void {
    const { from, partition } = this.#options;
    if (typeof from === 'string' || this.#lastOffset !== undefined) return;
    const isSame = offset === from.offset && envelope.offset === from.change_offset;
    if (isSame && Buffer.from(envelope.chain).toString('hex') === from.chain) return;
    throw foreignPosition('clyra.receipts holds another record there', { partition, offset });
  }

  #decode(record: LogRecord): Promise<Envelopes['ReceiptEnvelope']> {
    const { codec, persistence } = this.#options;
    const value = record.value ?? new Uint8Array();
    return persistence.until('receipt envelope', async () => codec.decode('ReceiptEnvelope', value));
  }

  /** A first receipt: its chain covers all before it, so one comparison a record holds the whole partition together. */
  #follow(envelope: Envelopes['ReceiptEnvelope']): Receipt {
    const digest = digestOf(envelope.body);
    const chain = Buffer.from(envelope.chain).toString('hex');
    if (this.#chain !== undefined && chainAfter(this.#chain, digest) !== chain) {
      throw this.#broken(
        'CLY_LOG_CHAIN_BROKEN',
        `the receipt of ${envelope.offset} does not continue the partition's chain`,
      );
    }
    const body = parseReceipt(envelope.body);
    const { offset, tenant, kind, event_id: eventId, partition } = body;
    const isRouted = envelope.tenant === tenant && envelope.kind === kind && envelope.event_id === eventId;
    if (!isRouted || envelope.offset !== offset || partition !== this.#options.partition) {
      throw this.#broken(
        'CLY_RECEIPT_ROUTING',
        `the envelope of the receipt of ${envelope.offset} differs from its body`,
      );
    }
    const previousOffset = this.#lastOffset;
    if (previousOffset !== undefined && body.previous_offset !== previousOffset) {
      throw this.#broken('CLY_LOG_CHAIN_BROKEN', `the receipt of ${offset} names another change before it`);
    }
    this.#lastOffset = offset;
    this.#chain = chain;
    return { envelope, body, digest, previousOffset };
  }

  #broken(code: `CLY_${string}`, what: string): ClyraError {
    const { partition } = this.#options;
    return new ClyraError(
      code,
      `partition ${partition}: ${what}; compare clyra.changes with clyra.receipts before going on`,
      {
        retry: 'never',
        context: { partition },
      },
    );
  }
}
