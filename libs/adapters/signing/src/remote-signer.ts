// SPDX-License-Identifier: Apache-2.0
import type { Signer } from '@clyra/core/ports/signer';
import { importPublicKey, keyIdOf, verifyEd25519 } from '@clyra/core/signing/ed25519';
import { signerRefused } from './signer-error.ts';

/** AWS KMS takes no more with MessageType RAW, and Ed25519 there needs RAW; all remote signers keep to it. */
export const SIGNED_BYTES_MAX = 4_096;

export type RemoteKey = {
  /** For messages. */
  readonly where: string;
  /** 32 raw bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes. Bounds its own time. */
  readonly sign: (bytes: Uint8Array) => Promise<Uint8Array>;
};

/**
 * A signer whose key is elsewhere. Every signature is checked before it is used: a signer that was given another key
 * meanwhile, or a fault on the way, must not put a signature into the log that no reader accepts.
 */
export function remoteSigner({ where, publicKey, sign }: RemoteKey): Signer {
  const keyObject = importPublicKey(publicKey);
  return {
    keyId: keyIdOf(publicKey),
    publicKey,
    sign: async (bytes) => {
      if (bytes.length > SIGNED_BYTES_MAX) {
        throw signerRefused(
          where,
          `${bytes.length} bytes are more than the ${SIGNED_BYTES_MAX} that a remote key signs`,
        );
      }
      const signature = await sign(bytes);
      if (verifyEd25519(keyObject, bytes, signature)) return signature;
      throw signerRefused(where, 'gave a signature that is not of its key: find out which key it holds now');
    },
  };
}
