// SPDX-License-Identifier: Apache-2.0
import { NONCE_MEMORY_MS } from '../limits.ts';
import { block, type Primitive } from '../primitive.ts';

/** A signed request counts once: its nonce may not come again while its time-stamp could still be accepted. */
export const replayGuard: Primitive = {
  name: 'authentication',
  evaluate({ facts, state, nowMs }) {
    const key = `nonce/${facts.nonce_digest}`;
    const seen = state.get(key);
    if (seen !== undefined && (seen['expires_at'] as number) > nowMs) {
      return { reasons: [block('authentication', 'CLY_AUTH_REPLAYED')] };
    }
    return { reasons: [], always: [{ op: 'put', key, value: { expires_at: nowMs + NONCE_MEMORY_MS } }] };
  },
};
