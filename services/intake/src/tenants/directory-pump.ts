// SPDX-License-Identifier: Apache-2.0
import { type ChangeBody, COMMAND_KINDS, type CommandChange, type CommandKind } from '@clyra/core/change/change-body';
import { parseChange } from '@clyra/core/change/parse-change';
import type { DecidedBody } from '@clyra/core/enforcement/receipt-body';
import { ClyraError } from '@clyra/core/kernel/error';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';
import type { HeldIndex } from '../human/held-index.ts';
import type { ChangeLookup } from '../log/change-lookup.ts';
import type { OutgoingChange } from '../log/change-writer.ts';
import type { DecodedRecord } from '../log/partition-queue.ts';
import type { ReadReceipt } from '../log/read-receipt.ts';
import type { ActivityLedger } from './activity-ledger.ts';
import type { ChangeIndex } from './change-index.ts';
import type { TenantDirectory } from './tenant-directory.ts';

export type PumpParts = {
  readonly directory: TenantDirectory;
  readonly ledger: ActivityLedger;
  readonly index: ChangeIndex;
  readonly held: HeldIndex;
  readonly lookup: ChangeLookup;
  readonly clock: Clock;
  readonly logger: Logger;
};

type Offered = { readonly offset: number; readonly body: ChangeBody | undefined };
type Side = { changes: Offered[]; receipts: ReadReceipt[]; running: Promise<void> | undefined };

const JOINED_KINDS: ReadonlySet<string> = new Set([...COMMAND_KINDS, 'window.closed', 'clock.ticked']);
const RETRY_PAUSE_MS = 500;
const OWN_MAX = 10_000;

/**
 * Brings commands together with their receipts: a receipt says that a command counts, the change says what it is. Each
 * partition goes in order, and waits where a named document cannot be had yet. While the history is read, the changes
 * come with it; later, those we wrote are known, and the others are looked up.
 */
export class DirectoryPump {
  readonly #parts: PumpParts;
  readonly #sides = new Map<number, Side>();
  readonly #own = new Map<string, ChangeBody | undefined>();
  #live = false;
  #closed = false;

  constructor(parts: PumpParts) {
    this.#parts = parts;
  }

  /** A change that this intake writes. */
  noteOwn({ kind, eventId, body }: OutgoingChange): void {
    if (!JOINED_KINDS.has(kind)) return;
    if (this.#own.size >= OWN_MAX) this.#own.delete(this.#own.keys().next().value as string);
    this.#own.set(eventId, readBody(body));
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

  /** Whether everything that was offered is applied. */
  get isIdle(): boolean {
    return [...this.#sides.values()].every(({ receipts }) => receipts.length === 0);
  }

  /** From here on no changes are offered. */
  goLive(): void {
    this.#live = true;
    for (const partition of this.#sides.keys()) this.#wake(partition);
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
    for (let receipt = side.receipts[0]; receipt !== undefined && !this.#closed; receipt = side.receipts[0]) {
      const found = this.#changeOf(side, receipt);
      if (found === undefined && !this.#live) return;
      const change = found === undefined ? await this.#lookUp(receipt) : found.body;
      if (change !== undefined && counts(receipt)) await this.#apply(receipt, change);
      side.receipts.shift();
    }
  }

  /** undefined where it has not been offered (yet). */
  #changeOf(side: Side, { body }: ReadReceipt): { readonly body: ChangeBody | undefined } | undefined {
    while (side.changes[0] !== undefined && side.changes[0].offset < body.offset) side.changes.shift();
    const offered = side.changes[0];
    if (offered !== undefined) return offered.offset === body.offset ? offered : { body: undefined };
    if (!this.#own.has(body.event_id)) return undefined;
    const own = this.#own.get(body.event_id);
    this.#own.delete(body.event_id);
    return { body: own };
  }

  async #lookUp(receipt: ReadReceipt): Promise<ChangeBody | undefined> {
    if (!counts(receipt)) return undefined;
    const { partition, offset } = receipt.body;
    while (!this.#closed) {
      try {
        return await this.#parts.lookup.at(partition, offset);
      } catch (error) {
        if (!(error instanceof ClyraError)) throw error;
        this.#parts.logger.warn('a command is looked up again', { code: error.code, partition, offset });
        await sleep(this.#parts.clock, RETRY_PAUSE_MS);
      }
    }
    return undefined;
  }

  async #apply(receipt: ReadReceipt, change: ChangeBody): Promise<void> {
    const { body } = receipt;
    if (change.kind === 'window.closed') return this.#parts.ledger.noteWindow(body.tenant, change.number);
    if (change.kind === 'clock.ticked') return this.#parts.ledger.noteTick(body.tenant, change.number);
    if (!COMMAND_KINDS.includes(change.kind as CommandKind)) return;
    if (change.kind === 'change.resolved') {
      const { of, resolution } = (change as CommandChange).command;
      return this.#parts.index.resolve(of as string, body.tenant, resolution === 'done' ? 'done' : 'not_forwarded');
    }
    this.#parts.held.noteCommand(body as DecidedBody, change as CommandChange);
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

function counts({ body }: ReadReceipt): boolean {
  return (
    (body.kind === 'decided' && body.decision === 'allow') || (body.kind === 'recorded' && body.effect === 'ticked')
  );
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
