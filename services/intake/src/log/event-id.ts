// SPDX-License-Identifier: Apache-2.0
import { uuidV7 } from '@clyra/core/kernel/uuid-v7';
import type { Random } from '@clyra/core/ports/random';

export function mintEventId(nowMs: number, random: Random): string {
  return uuidV7(nowMs, random.bytes(10));
}

/** Milliseconds since the epoch in a UUIDv7, or undefined for any other id. */
export function mintedAtMs(eventId: string): number | undefined {
  return eventId[14] === '7' ? Number.parseInt(eventId.slice(0, 8) + eventId.slice(9, 13), 16) : undefined;
}
