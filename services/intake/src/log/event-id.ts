// SPDX-License-Identifier: Apache-2.0
import type { Random } from '@clyra/core/ports/random';

/** UUIDv7 (RFC 9562 §5.7): its time part lets an old id be told from one that never was. */
export function mintEventId(nowMs: number, random: Random): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes.set(random.bytes(10), 6);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Milliseconds since the epoch in a UUIDv7, or undefined for any other id. */
export function mintedAtMs(eventId: string): number | undefined {
  return eventId[14] === '7' ? Number.parseInt(eventId.slice(0, 8) + eventId.slice(9, 13), 16) : undefined;
}
