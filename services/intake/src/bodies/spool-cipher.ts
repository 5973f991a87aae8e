// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { ClyraError } from '@clyra/core/kernel/error';

export const BLOCK_BYTES = 65_536;
export const TAG_BYTES = 16;
const ALGORITHM = 'aes-256-gcm';
const AUTHENTICATED = Buffer.from('clyra/spool/v0\n');

/** Where a block stands: in which body, at which place, and whether it is the last. */
export type BlockPlace = { readonly id: Uint8Array; readonly index: number; readonly isLast: boolean };

/**
 * One block of a body. The key is made for this body alone, so the block's number is a nonce that never comes twice; body,
 * number and end are authenticated, so that no block can be moved, left out or taken from another body.
 */
export function sealBlock(key: Uint8Array, place: BlockPlace, plain: Uint8Array): Buffer {
  const cipher = createCipheriv(ALGORITHM, key, nonceOf(place));
  cipher.setAAD(aadOf(place));
  const sealed = cipher.update(plain);
  return Buffer.concat([sealed, cipher.final(), cipher.getAuthTag()]);
}

/** Throws CLY_SPOOL_DAMAGED for a block that is not the one that was written there. */
export function openBlock(key: Uint8Array, place: BlockPlace, sealed: Uint8Array): Buffer {
  const size = sealed.length - TAG_BYTES;
  try {
    const decipher = createDecipheriv(ALGORITHM, key, nonceOf(place));
    decipher.setAAD(aadOf(place));
    decipher.setAuthTag(sealed.subarray(size));
    return Buffer.concat([decipher.update(sealed.subarray(0, size)), decipher.final()]);
  } catch (cause) {
    throw new ClyraError('CLY_SPOOL_DAMAGED', 'a body in the spool was changed or cut: send it again', {
      retry: 'backoff',
      context: { block: place.index },
      cause,
    });
  }
}

function nonceOf({ index }: BlockPlace): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(index, 6, 6);
  return nonce;
}

function aadOf({ id, index, isLast }: BlockPlace): Buffer {
  const place = Buffer.alloc(9);
  place.writeUIntBE(index, 2, 6);
  place.writeUInt8(isLast ? 1 : 0, 8);
  return Buffer.concat([AUTHENTICATED, id, place]);
}
