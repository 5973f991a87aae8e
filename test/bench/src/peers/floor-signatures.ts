// SPDX-License-Identifier: Apache-2.0
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomFillSync,
  sign,
  verify,
} from 'node:crypto';
import type { OutgoingRecord } from '@clyra/core/ports/record-log';
import { FLOOR_ID_BYTES, type FloorKeys } from './floor-plan.ts';

const NONCE_BYTES = 32;
const SIGNATURE_BYTES = 64;
const SIGNATURE_AT = FLOOR_ID_BYTES + NONCE_BYTES;

export function floorKeys(): Readonly<Record<'proxy' | 'forwarder', FloorKeys>> {
  const [proxy, forwarder] = [pemPair(), pemPair()];
  return {
    proxy: { ownPrivate: proxy.privateKey, otherPublic: forwarder.publicKey },
    forwarder: { ownPrivate: forwarder.privateKey, otherPublic: proxy.publicKey },
  };
}

/**
 * One signature for each send, made once and checked once, as changes and receipts have it; of all that a signature covers
 * there is only a nonce, since what is measured is what signing costs at the least. Without keys nothing is signed.
 */
export class FloorSignatures {
  readonly #keys: { readonly own: KeyObject; readonly other: KeyObject } | undefined;
  #checked = '';

  constructor(keys: FloorKeys | undefined) {
    if (keys === undefined) return;
    this.#keys = { own: createPrivateKey(keys.ownPrivate), other: createPublicKey(keys.otherPublic) };
  }

  /** The records of a send: behind the id of each value stands the same signed nonce. */
  seal(values: readonly Uint8Array[]): OutgoingRecord[] {
    this.#sign(values);
    return values.map((value) => ({ key: null, value }));
  }

  #sign(values: readonly Uint8Array[]): void {
    if (this.#keys === undefined) return;
    const nonce = randomFillSync(new Uint8Array(NONCE_BYTES));
    const signature = sign(null, nonce, this.#keys.own);
    for (const value of values) {
      value.set(nonce, FLOOR_ID_BYTES);
      value.set(signature, SIGNATURE_AT);
    }
  }

  /** Throws where the signature is wrong. */
  check(value: Uint8Array): void {
    if (this.#keys === undefined) return;
    const signature = value.subarray(SIGNATURE_AT, SIGNATURE_AT + SIGNATURE_BYTES);
    const name = Buffer.from(signature).toString('latin1');
    if (name === this.#checked) return;
    const nonce = value.subarray(FLOOR_ID_BYTES, SIGNATURE_AT);
    if (!verify(null, nonce, this.#keys.other, signature)) throw new Error('a signature of the floor is wrong');
    this.#checked = name;
  }
}

function pemPair(): { privateKey: string; publicKey: string } {
  return generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
}
