// SPDX-License-Identifier: Apache-2.0
import { type ChangeBody, COMMAND_KINDS, type CommandChange, type CommandKind } from '@clyra/core/change/change-body';
import { parseChange } from '@clyra/core/change/parse-change';
import { ClyraError } from '@clyra/core/kernel/error';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';
import type { DecodedRecord } from '../log/partition-queue.ts';
import type { ReadReceipt } from '../log/read-receipt.ts';
import type { ActivityLedger } from './activity-ledger.ts';
import type { ChangeIndex } from './change-index.ts';
import type { TenantDirectory } from './tenant-directory.ts';

export type PumpParts = {
  readonly directory: TenantDirectory;
  readonly ledger: ActivityLedger;
  readonly index: ChangeIndex;
  readonly clock: Clock;
  readonly logger: Logger;
};

type Offered = { readonly offset: number; readonly body: ChangeBody | undefined };
type Side = { changes: Offered[]; receipts: ReadReceipt[]; running: Promise<void> | undefined };

const JOINED_KINDS: ReadonlySet<string> = new Set([...COMMAND_KINDS, 'window.closed', 'clock.ticked']);
const RETRY_PAUSE_MS = 500;

/**
 * Brings commands together with their receipts: a receipt says that a command counts, the change says what it is. Each
 * partition goes in order, and waits where a named document cannot be had yet.
 */
export class DirectoryPump {
  readonly #parts: PumpParts;
  readonly #sides = new Map<number, Side>();
  #closed = false;

  constructor(parts: PumpParts) {
    this.#parts = parts;
  }

  offerChange({ partition, offset, envelope }: DecodedRecord<'ChangeEnvelope'>): void {
    if (!JOINED_KINDS.has(envelope.kind)) return;
    this.#side(partition).changes.push({ offset, body: readBody(envelope.body) });
    this.#wake(partition);
  }

  offerReceipt(receipt: ReadReceipt): void {
    if (!JOINED_KINDS.has(receipt.body.change_kind)) return;
    this.#side(receipt.body.partition).receipts.push(receipt);
    this.#wake(receipt.body.partition);
  }

  /** Resolves when everything that could be joined by now is applied, or when the deadline comes. */
  async idle(deadlineMs: number): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancelTimer = this.#parts.clock.after(deadlineMs, resolve);
    await Promise.race([late, Promise.all([...this.#sides.values()].map((side) => side.running))]);
    cancelTimer();
  }

  close(): void {
    this.#closed = true;
  }

  #side(partition: number): Side {
    let side = this.#sides.get(partition);
    if (side === undefined) {
      side = { changes: [], receipts: [], running: undefined };
      this.#sides.set(partition, side);
    }
    return side;
  }

  #wake(partition: number): void {
    const side = this.#side(partition);
    side.running ??= this.#run(side).finally(() => {
      side.running = undefined;
    });
  }

  async #run(side: Side): Promise<void> {
    for (;;) {
      const receipt = side.receipts[0];
      if (receipt === undefined) return;
      const { offset } = receipt.body;
      while (side.changes[0] !== undefined && side.changes[0].offset < offset) side.changes.shift();
      const change = side.changes[0];
      if (change === undefined) return;
      if (change.offset === offset && change.body !== undefined) await this.#apply(receipt, change.body);
      side.receipts.shift();
    }
  }

  async #apply(receipt: ReadReceipt, change: ChangeBody): Promise<void> {
    const { body } = receipt;
    const counts =
      (body.kind === 'decided' && body.decision === 'allow') || (body.kind === 'recorded' && body.effect === 'ticked');
    if (!counts) return;
    if (change.kind === 'window.closed') return this.#parts.ledger.noteWindow(body.tenant, change.number);
    if (change.kind === 'clock.ticked') return this.#parts.ledger.noteTick(body.tenant, change.number);
    if (!COMMAND_KINDS.includes(change.kind as CommandKind)) return;
    if (change.kind === 'change.resolved') {
      const { of, resolution } = (change as CommandChange).command;
      return this.#parts.index.settle(of as string, body.tenant, resolution === 'done' ? 'done' : 'not_forwarded');
    }
    for (let attempt = 1; !this.#closed; attempt += 1) {
      try {
        return await this.#parts.directory.apply(receipt, change as CommandChange);
      } catch (error) {
        if (!(error instanceof ClyraError)) throw error;
        if (attempt === 1) {
          const { tenant, offset } = body;
          this.#parts.logger.error('a command waits for its document', {
            code: error.code,
            tenant,
            offset,
            detail: error.message,
          });
        }
        await sleep(this.#parts.clock, RETRY_PAUSE_MS);
      }
    }
  }
}

/** undefined for poison: the enforcer has answered it as such. */
function readBody(bytes: Uint8Array): ChangeBody | undefined {
  try {
    return parseChange(bytes);
  } catch (error) {
    if (error instanceof ClyraError) return undefined;
    throw error;
  }
}
