// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import { assert } from '@clyra/core/kernel/assert';

/** The members of kafkajs 2.2.4's request queue that the repair touches. */
type RequestQueue = {
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  readonly pending: readonly unknown[];
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
};

const PENDING_CHECK_INTERVAL_MS = 10;

/**
 * In kafkajs 2.2.4 each connection re-arms this timer for ever with a negative delay: a thousand wake-ups a second
 * for each idle connection, and Node's TimeoutNegativeWarning. Armed only while a request waits for it, the
 * timer does what it was made for and neither happens.
 */
function scheduleCheckPendingRequests(this: RequestQueue): void {
  if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return;
  const throttledForMs = this.throttledUntil - Date.now();
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    },
    throttledForMs > 0 ? throttledForMs : PENDING_CHECK_INTERVAL_MS,
  );
}

/** Changes the client's prototype once for the process; repeating it changes nothing. */
export function repairRequestQueue(): void {
  const load = createRequire(import.meta.url);
  const { prototype } = load('kafkajs/src/network/requestQueue/index.js') as { prototype: RequestQueue };
  assert(
    typeof prototype.scheduleCheckPendingRequests === 'function',
    'kafkajs changed its request queue: see whether the repair is still needed',
  );
  prototype.scheduleCheckPendingRequests = scheduleCheckPendingRequests;
}
