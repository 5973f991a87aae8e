// SPDX-License-Identifier: Apache-2.0
import type { Random } from '@clyra/core/ports/random';

const POOL_BYTES = 4_096;

/** Draws from the platform once for many small requests: each draw is a system call. No byte is handed out twice. */
export function pooledRandom(source: Random): Random {
  let pool = new Uint8Array();
  let next = 0;
  return {
    bytes: (size) => {
      if (size > POOL_BYTES) return source.bytes(size);
      if (next + size > pool.length) {
        pool = Uint8Array.from(source.bytes(POOL_BYTES));
        next = 0;
      }
      const drawn = pool.slice(next, next + size);
      pool.fill(0, next, next + size);
      next += size;
      return drawn;
    },
  };
}
