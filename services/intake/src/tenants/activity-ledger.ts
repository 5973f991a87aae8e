// SPDX-License-Identifier: Apache-2.0
import { OUTCOME_DEADLINE_MS } from '@clyra/core/enforcement/limits';
import type { ReceiptBody } from '@clyra/core/enforcement/receipt-body';

export type Position = { readonly partition: number; readonly offset: number; readonly tenantSeq: number };

/** What the receipts say about how busy a tenant is: enough to know when a window or a tick is due. */
export type TenantActivity = {
  lastPosition: Position;
  /** Tenant time of the newest receipt, in milliseconds. */
  lastAtMs: number;
  /** Receipts since the last window that are neither windows nor ticks, and the time of the first. */
  windowCount: number;
  windowSinceMs: number;
  windowNumber: number;
  tickNumber: number;
  /** Allowed changes without an outcome, with the tenant time from which on they are unknown. */
  readonly open: Map<string, number>;
};

/** What of it outlives a process. */
export type SavedActivity = {
  readonly tenant: string;
  readonly lastPosition: Position;
  readonly lastAtMs: number;
  readonly windowCount: number;
  readonly windowSinceMs: number;
  readonly windowNumber: number;
  readonly tickNumber: number;
  readonly open: readonly (readonly [eventId: string, deadlineMs: number])[];
};

const KEEPING_KINDS: ReadonlySet<string> = new Set(['window.closed', 'clock.ticked']);

export class ActivityLedger {
  readonly #tenants = new Map<string, TenantActivity>();

  get(tenant: string): TenantActivity | undefined {
    return this.#tenants.get(tenant);
  }

  get tenantCount(): number {
    return this.#tenants.size;
  }

  /**
   * Of the tenants with a receipt for a change at or after these offsets, by partition. Nothing else changes what is known
   * of a tenant, here or elsewhere.
   */
  saved(fromOffsets: readonly number[] = []): readonly SavedActivity[] {
    const saved: SavedActivity[] = [];
    for (const [tenant, activity] of this.#tenants) {
      const { partition, offset } = activity.lastPosition;
      if (offset >= (fromOffsets[partition] ?? 0)) saved.push({ tenant, ...activity, open: [...activity.open] });
    }
    return saved;
  }

  restore(saved: readonly SavedActivity[]): void {
    for (const { tenant, open, ...activity } of saved) this.#tenants.set(tenant, { ...activity, open: new Map(open) });
  }

  /** Takes the first receipt of each position, in order. */
  note(receipt: ReceiptBody): void {
    const activity = this.#activityOf(receipt);
    activity.lastPosition = positionOf(receipt);
    activity.lastAtMs = receipt.decided_at;
    if (!KEEPING_KINDS.has(receipt.change_kind)) {
      if (activity.windowCount === 0) activity.windowSinceMs = receipt.decided_at;
      activity.windowCount += 1;
    }
    if (receipt.kind === 'recorded') {
      if (receipt.of !== undefined && receipt.effect !== 'ignored') activity.open.delete(receipt.of);
      if (receipt.effect === 'ticked') dropOverdue(activity.open, receipt.decided_at);
    } else if (receipt.kind === 'decided' && receipt.decision === 'allow' && receipt.duplicate_of === undefined) {
      if (receipt.change_kind === 'change.requested') {
        activity.open.set(receipt.event_id, receipt.decided_at + OUTCOME_DEADLINE_MS);
      }
      if (receipt.change_kind === 'window.closed') {
        activity.windowCount = 0;
        dropOverdue(activity.open, receipt.decided_at);
      }
    }
  }

  noteWindow(tenant: string, number: number): void {
    const activity = this.#tenants.get(tenant);
    if (activity !== undefined) activity.windowNumber = Math.max(activity.windowNumber, number);
  }

  noteTick(tenant: string, number: number): void {
    const activity = this.#tenants.get(tenant);
    if (activity !== undefined) activity.tickNumber = Math.max(activity.tickNumber, number);
  }

  #activityOf(receipt: ReceiptBody): TenantActivity {
    const known = this.#tenants.get(receipt.tenant);
    if (known !== undefined) return known;
    const activity: TenantActivity = {
      lastPosition: positionOf(receipt),
      lastAtMs: receipt.decided_at,
      windowCount: 0,
      windowSinceMs: receipt.decided_at,
      windowNumber: 0,
      tickNumber: 0,
      open: new Map(),
    };
    this.#tenants.set(receipt.tenant, activity);
    return activity;
  }
}

function positionOf({ partition, offset, tenant_seq: tenantSeq }: ReceiptBody): Position {
  return { partition, offset, tenantSeq };
}

/** Past the deadline a tick or window has made them unknown; no further tick is needed for them. */
function dropOverdue(open: Map<string, number>, atMs: number): void {
  for (const [eventId, deadlineMs] of open) {
    if (deadlineMs > atMs) return;
    open.delete(eventId);
  }
}
