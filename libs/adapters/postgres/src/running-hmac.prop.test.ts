// SPDX-License-Identifier: Apache-2.0
import { createHmac, createSecretKey } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HmacKey } from './running-hmac.ts';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
/** Short ones alone stay held, long ones are streamed from some point on. */
const parts = fc.array(fc.oneof({ weight: 4, arbitrary: bytes(40) }, { weight: 1, arbitrary: bytes(6_000) }), {
  maxLength: 12,
});

describe('a keyed hash of short and long texts', () => {
  it('is what the platform says, whatever the key, the prefix and the parts, with texts under way at once', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 100 }),
        bytes(30),
        fc.array(parts, { minLength: 1, maxLength: 4 }),
        (keyBytes, prefix, texts) => {
          const key = createSecretKey(keyBytes);
          const short = new HmacKey(key, prefix);
          const running = texts.map((text) => ({ text, ours: short.begin() }));
          for (let at = 0; at < 12; at += 1) {
            for (const { text, ours } of running) {
              const part = text[at];
              if (part?.length === 1) ours.updateByte(part[0] as number);
              else if (part !== undefined) ours.update(part);
            }
          }
          // Twice, so that the buffers of the first are those of the second.
          for (const again of [running, texts.map((text) => ({ text, ours: refill(short, text) }))]) {
            for (const { text, ours } of again) {
              expect(ours.finish()).toBe(
                createHmac('sha256', key).update(prefix).update(Buffer.concat(text)).digest('hex'),
              );
            }
          }
        },
      ),
    );
  });

  it('holds up to its last byte, and no further', () => {
    const key = createSecretKey(Buffer.alloc(32, 5));
    for (let length = 4_096 - 66; length <= 4_096 - 62; length += 1) {
      const running = new HmacKey(key, Buffer.alloc(0)).begin();
      for (let at = 0; at < length; at += 1) running.updateByte(at & 0xff);
      const text = Buffer.from(Array.from({ length }, (_, at) => at & 0xff));
      expect(running.finish()).toBe(createHmac('sha256', key).update(text).digest('hex'));
    }
  });
});

function refill(key: HmacKey, text: readonly Uint8Array[]): ReturnType<HmacKey['begin']> {
  const running = key.begin();
  for (const part of text) running.update(part);
  return running;
}
