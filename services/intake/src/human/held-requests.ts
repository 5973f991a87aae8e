// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { DecidedBody } from '@clyra/core/enforcement/receipt-body';
import type { Clock } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';
import type { Exchange } from '../gateway/change-attempt.ts';
import type { TenantState } from '../tenants/tenant-directory.ts';
import { pathOf } from './change-page.ts';
import type { HeldShelf } from './held-shelf.ts';

export type HeldRequestsParts = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly shelf: HeldShelf;
  readonly publicUrl: string;
};

/** What the gateway does with a request that waits for people: keeps it to be looked at, and says where. */
export class HeldRequests {
  readonly #parts: HeldRequestsParts;

  constructor(parts: HeldRequestsParts) {
    this.#parts = parts;
  }

  /** Members of the 428 answer. What could not be kept only cannot be approved at the door: the hold stands. */
  async take(exchange: Exchange, tenant: TenantState, { approval }: DecidedBody): Promise<JsonObject> {
    if (approval?.state !== 'pending') return {};
    const { of, expires_at: expiresAt = 0 } = approval;
    await this.#keep(exchange, tenant, { of, expiresAt });
    const { publicUrl } = this.#parts;
    return { approval_url: `${publicUrl}${pathOf({ tenant: tenant.tenant, of })}`, expires_at: expiresAt };
  }

  async #keep(
    exchange: Exchange,
    { tenant, policy }: TenantState,
    held: { of: string; expiresAt: number },
  ): Promise<void> {
    const { keep, retention_seconds: retentionSeconds, bytes_max: bytesMax } = policy.policy.body_storage;
    const { request, body } = exchange;
    // A body that was streamed stands in the spool, not here: what cannot be shown whole is not kept to be shown.
    const isWhole = !body.tooLarge && body.bytes.length === body.size;
    if (keep === 'none' || !isWhole || body.size > bytesMax) return;
    const { clock, shelf, logger } = this.#parts;
    const untilMs = Math.min(held.expiresAt, clock.nowMs() + retentionSeconds * 1_000);
    const contentType = request.headers.one('content-type') ?? '';
    const kept = { method: request.method, target: request.target, contentType, body: body.bytes };
    try {
      const hadRoom = await shelf.keep({ tenant, of: held.of, untilMs }, kept);
      if (!hadRoom) logger.warn('a held request is not kept: the folder is full', { tenant, event_id: held.of });
    } catch (error) {
      logger.error('a held request is not kept', { tenant, event_id: held.of, error: String(error) });
    }
  }
}
