// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';
import type { ChangePublisher } from '../log/change-publisher.ts';
import type { ChangeWriter } from '../log/change-writer.ts';
import type { ActivityLedger, TenantActivity } from './activity-ledger.ts';
import type { TenantDirectory, TenantState } from './tenant-directory.ts';

export type KeeperSettings = {
  /** A window closes this long after its first record, in milliseconds, or at this many records. */
  readonly windowMs: number;
  readonly windowCount: number;
  /** Silence, in milliseconds, after which open changes need a tick. */
  readonly tickAfterMs: number;
};

export const KEEPER_SETTINGS: KeeperSettings = { windowMs: 60_000, windowCount: 10_000, tickAfterMs: 10_000 };

export type KeeperParts = {
  readonly directory: TenantDirectory;
  readonly ledger: ActivityLedger;
  readonly publisher: ChangePublisher;
  readonly writer: ChangeWriter;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: KeeperSettings;
};

const TURN_MS = 1_000;
/**
 * A cut stops the fold of its partition for tens of milliseconds, and tenants that are equally busy are due together: so
 * a turn has parts, in each of which a share of the tenants is looked after.
 */
const TURN_PARTS = 10;
const EXPIRES_MS = 5_000;

type Asked = { windowNumber: number; tickNumber: number; atMs: number };

/** Writes the records that let a tenant's time and windows go on. Any intake may; the first of a number counts. */
export class TenantKeeper {
  readonly #parts: KeeperParts;
  readonly #asked = new Map<string, Asked>();
  #cancelTimer: (() => void) | undefined;
  #closed = false;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  /** A first tick for every tenant tells the enforcer of our new epoch: what the old one held open becomes unknown. */
  start(): void {
    for (const tenant of this.#parts.directory.tenants()) this.#tick(tenant);
    this.#schedule(0);
  }

  stop(): void {
    this.#closed = true;
    this.#cancelTimer?.();
  }

  #schedule(part: number): void {
    if (this.#closed) return;
    this.#cancelTimer = this.#parts.clock.after(TURN_MS / TURN_PARTS, () => {
      let place = 0;
      for (const tenant of this.#parts.directory.tenants()) {
        if (place % TURN_PARTS === part) this.#keep(tenant);
        place += 1;
      }
      this.#schedule((part + 1) % TURN_PARTS);
    });
  }

  #keep(tenant: TenantState): void {
    const activity = this.#parts.ledger.get(tenant.tenant);
    if (activity === undefined || this.#isWaiting(tenant.tenant, activity)) return;
    const { settings, clock } = this.#parts;
    const nowMs = clock.nowMs();
    const full = activity.windowCount >= settings.windowCount;
    const old = activity.windowCount > 0 && nowMs - activity.windowSinceMs >= settings.windowMs;
    const silent = nowMs - activity.lastAtMs >= settings.tickAfterMs;
    if (full || old) this.#publish(tenant, 'window.closed', activity.windowNumber + 1);
    else if (silent && activity.open.size > 0) this.#tick(tenant);
  }

  /** What was asked for has not come yet: another record with the same number would only be refused. */
  #isWaiting(tenant: string, activity: TenantActivity): boolean {
    const asked = this.#asked.get(tenant);
    if (asked === undefined) return false;
    const answered = activity.windowNumber >= asked.windowNumber && activity.tickNumber >= asked.tickNumber;
    const lost = this.#parts.clock.nowMs() - asked.atMs > EXPIRES_MS * 2;
    if (answered || lost) this.#asked.delete(tenant);
    return !answered && !lost;
  }

  #tick(tenant: TenantState): void {
    const number = (this.#parts.ledger.get(tenant.tenant)?.tickNumber ?? 0) + 1;
    this.#publish(tenant, 'clock.ticked', number);
  }

  #publish({ tenant, partition }: TenantState, kind: 'window.closed' | 'clock.ticked', number: number): void {
    const { writer, publisher, clock, logger } = this.#parts;
    const nowMs = clock.nowMs();
    const isWindow = kind === 'window.closed';
    this.#asked.set(tenant, { windowNumber: isWindow ? number : 0, tickNumber: isWindow ? 0 : number, atMs: nowMs });
    const change = writer.write({ partition, tenant, kind, members: { number } });
    void publisher.publish(change, EXPIRES_MS).then((fate) => {
      if (fate !== 'stored') logger.warn('a window or tick was not stored', { fate, tenant, kind });
    });
  }
}
