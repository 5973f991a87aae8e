// SPDX-License-Identifier: Apache-2.0
import type { DecidedBody } from '@clyra/core/enforcement/receipt-body';
import { ClyraError } from '@clyra/core/kernel/error';
import type { OutgoingChange } from '../log/change-writer.ts';
import type { ReadReceipt } from '../log/read-receipt.ts';
import type { ApiParts } from './api-parts.ts';

type Parts = Pick<ApiParts, 'desk' | 'publisher' | 'commandHoldMs'>;

/**
 * Publishes a record and waits for its receipt. Throws CLY_RECEIPT_DEADLINE (retry: backoff) with the event id: the
 * record may still be decided, and the receipt will say so.
 */
export async function awaitDecision(
  parts: Parts,
  change: OutgoingChange,
  isTrusted: (receipt: ReadReceipt) => boolean,
): Promise<DecidedBody> {
  const { eventId, tenant, digest } = change;
  const wait = parts.desk.await({ eventId, tenant, digest, isTrusted }, parts.commandHoldMs);
  const fate = parts.publisher.publish(change, parts.commandHoldMs);
  void fate.then((known) => known === 'not_sent' && wait.cancel());
  const result = await wait.result;
  if (typeof result === 'object' && result.kind === 'decided') return result;
  const unsent = result === 'cancelled';
  throw new ClyraError(
    unsent ? 'CLY_INTAKE_NOT_SENT' : 'CLY_RECEIPT_DEADLINE',
    unsent
      ? 'nothing was recorded: repeat the request'
      : `no receipt came in time: look for event ${eventId} before repeating it`,
    { retry: 'backoff', context: { event_id: eventId } },
  );
}
