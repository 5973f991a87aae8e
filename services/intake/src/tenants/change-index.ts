// SPDX-License-Identifier: Apache-2.0
import { OUTCOME_DEADLINE_MS } from '@clyra/core/enforcement/limits';
import type { ReceiptBody } from '@clyra/core/enforcement/receipt-body';
import { mintedAtMs } from '../log/event-id.ts';
import { ReceiptShelf, type ShownReceipt } from './receipt-shelf.ts';

export type ChangeState =
  | 'requested'
  | 'blocked'
  | 'held'
  | 'allowed'
  | 'done'
  | 'failed'
  | 'not_forwarded'
  | 'unknown';

export type IndexedChange = {
  readonly tenant: string;
  readonly state: ChangeState;
  readonly receiptId: string;
  readonly partition: number;
  readonly offset: number;
  /** Tenant time of the receipt. */
  readonly decidedAtMs: number;
  readonly codes: readonly string[];
};

export type Found = { readonly change: IndexedChange } | 'unknown_id' | 'too_old';

export const INDEX_AGE_MS_MAX = 86_400_000;
export const INDEX_COUNT_MAX = 1_000_000;
/** The newest changes keep their receipt, so that it can be shown; of older ones only the place is known. */
const RECEIPTS_MAX = 10_000;
/** Of a full index a part in 128 goes at a time, and old changes every minute: a Map that is asked for its first looks over all that were deleted. */
const GOING_SHIFT = 7;
const AGE_LOOK_MS = 60_000;

/** What a command said of a change whose end was unknown. */
export type ResolvedChange = { readonly event_id: string; readonly tenant: string; readonly state: ChangeState };

/** Commands of people: they are few. */
const RESOLVED_MAX = 10_000;

const DECISION_STATES = { allow: 'allowed', block: 'blocked', hold: 'held' } as const;
const EFFECT_STATES: Readonly<Record<string, ChangeState>> = {
  done: 'done',
  failed: 'failed',
  returned: 'not_forwarded',
};

/** Where the changes of the last 24 hours stand, at most a million of them; the oldest go first. */
export class ChangeIndex {
  readonly #changes = new Map<string, IndexedChange>();
  readonly #receipts = new ReceiptShelf(RECEIPTS_MAX);
  readonly #resolved = new Map<string, ResolvedChange>();
  readonly #countMax: number;
  #evictedUpToMs = 0;
  #ageLookAtMs = 0;

  constructor(countMax = INDEX_COUNT_MAX) {
    this.#countMax = countMax;
  }

  /** Takes the first receipt of each position, in order. */
  note(receipt: ReceiptBody, shown: ShownReceipt): void {
    if (receipt.kind === 'decided' && receipt.change_kind === 'change.requested') {
      if (receipt.duplicate_of !== undefined || this.#changes.has(receipt.event_id)) return;
      this.#evict(receipt.decided_at);
      this.#changes.set(receipt.event_id, {
        tenant: receipt.tenant,
        state: DECISION_STATES[receipt.decision],
        receiptId: receipt.receipt_id,
        partition: receipt.partition,
        offset: receipt.offset,
        decidedAtMs: receipt.decided_at,
        codes: receipt.reasons.slice(0, 8).map((reason) => reason.code),
      });
      const resolved = this.#resolved.get(receipt.event_id);
      if (resolved !== undefined) this.settle(receipt.event_id, resolved.tenant, resolved.state);
      this.#receipts.add(receipt.event_id, shown);
    } else if (receipt.kind === 'recorded' && receipt.of !== undefined) {
      this.settle(receipt.of, receipt.tenant, EFFECT_STATES[receipt.effect]);
    }
  }

  /** Changes before this time are not read again, and count as too old. */
  beginsAt(atMs: number): void {
    this.#evictedUpToMs = Math.max(this.#evictedUpToMs, atMs);
  }

  /** As a command says; also of a change whose receipt is read again later. */
  resolve(eventId: string, tenant: string, state: ChangeState): void {
    this.#resolved.set(eventId, { event_id: eventId, tenant, state });
    if (this.#resolved.size > RESOLVED_MAX) this.#resolved.delete(this.#resolved.keys().next().value as string);
    this.settle(eventId, tenant, state);
  }

  resolved(): readonly ResolvedChange[] {
    return [...this.#resolved.values()];
  }

  settle(eventId: string, tenant: string, state: ChangeState | undefined): void {
    const known = this.#changes.get(eventId);
    if (state !== undefined && known?.tenant === tenant) this.#changes.set(eventId, { ...known, state });
  }

  receiptOf(eventId: string): ShownReceipt | undefined {
    return this.#receipts.get(eventId);
  }

  find(eventId: string, nowMs: number): Found {
    const change = this.#changes.get(eventId);
    if (change !== undefined && change.decidedAtMs > nowMs - INDEX_AGE_MS_MAX) {
      const overdue = change.state === 'allowed' && change.decidedAtMs + OUTCOME_DEADLINE_MS <= nowMs;
      return { change: overdue ? { ...change, state: 'unknown' } : change };
    }
    const mintedMs = mintedAtMs(eventId) ?? nowMs;
    return mintedMs <= Math.max(this.#evictedUpToMs, nowMs - INDEX_AGE_MS_MAX) ? 'too_old' : 'unknown_id';
  }

  /** Insertion order is close to age: what a partition that lags behind adds late only stays a little longer. */
  #evict(nowMs: number): void {
    const isFull = this.#changes.size >= this.#countMax;
    if (!isFull && nowMs < this.#ageLookAtMs) return;
    this.#ageLookAtMs = nowMs + AGE_LOOK_MS;
    const keptMax = isFull ? this.#countMax - (this.#countMax >> GOING_SHIFT) : this.#countMax;
    for (const [eventId, change] of this.#changes) {
      if (this.#changes.size < keptMax && change.decidedAtMs > nowMs - INDEX_AGE_MS_MAX) return;
      this.#changes.delete(eventId);
      this.#evictedUpToMs = Math.max(this.#evictedUpToMs, mintedAtMs(eventId) ?? 0);
    }
  }
}
