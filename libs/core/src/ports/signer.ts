// SPDX-License-Identifier: Apache-2.0
/** Makes Ed25519 signatures with one key; the key itself may be in a file, a KMS or an HSM. */
export interface Signer {
  readonly keyId: string;
  /** 32 raw bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes over exactly these bytes (callers pass a DSSE PAE). */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}
