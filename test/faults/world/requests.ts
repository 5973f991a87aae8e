// SPDX-License-Identifier: Apache-2.0
import type { CallerRequest } from './caller.ts';
import { WORLD_TENANT } from './world-policy.ts';

/**
 * One activation. `key` is its idempotency key, and as `event` it is the last part of the target, so that an upstream
 * and the table's `subject` tell which request it was.
 */
export function activationRequest(key: string, actor: string): CallerRequest {
  const body = JSON.stringify({ tenant: WORLD_TENANT, event: key, record: { key, text: 'a row of a customer table' } });
  return { target: `/activations/${key}`, body, actor, idempotencyKey: key };
}
