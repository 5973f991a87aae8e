// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { Random } from '@clyra/core/ports/random';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** A key for one purpose, derived from the secret that all intakes share. */
export function keyFor(secret: Uint8Array, purpose: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', `clyra/${purpose}`, 32)));
}

/** AES-256-GCM: random IV ‖ tag ‖ ciphertext. `about` is not in the box but must be known to open it. */
export function seal(
  key: KeyObject,
  content: Uint8Array,
  { about, random }: { about: string; random: Random },
): Buffer {
  const iv = random.bytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  cipher.setAAD(Buffer.from(about));
  const sealed = Buffer.concat([cipher.update(content), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
}

/** undefined where the box is none, is for something else, or was changed. */
export function open(key: KeyObject, box: Uint8Array, about: string): Buffer | undefined {
  if (box.length < IV_BYTES + TAG_BYTES) return undefined;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, IV_BYTES));
    decipher.setAAD(Buffer.from(about));
    decipher.setAuthTag(box.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    return Buffer.concat([decipher.update(box.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
  } catch {
    return undefined;
  }
}
