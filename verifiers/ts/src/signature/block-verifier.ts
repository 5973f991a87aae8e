// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import { hashLeaf, rootOfPath } from '../hash/tree.ts';
import { encodeCanonical } from '../json/encode.ts';
import type { Role, TrustedKey, TrustRoot } from '../trust/trust-root.ts';
import { decodeBase64 } from './base64.ts';
import type { SignatureBlock } from './block.ts';
import { verifyEd25519 } from './ed25519.ts';
import { encodePae } from './pae.ts';

export const BODY_TYPES = {
  intake: 'application/vnd.clyra.change.v0+json',
  enforcer: 'application/vnd.clyra.receipt.v0+json',
  recorder: 'application/vnd.clyra.observation.v0+json',
} as const;
export type SigningRole = keyof typeof BODY_TYPES;

export type SignatureCode =
  | 'CLY_KEY_UNKNOWN'
  | 'CLY_KEY_ROLE'
  | 'CLY_KEY_TIME'
  | 'CLY_KEY_REVOKED'
  | 'CLY_KEY_ALGORITHM'
  | 'CLY_SIG_PATH'
  | 'CLY_SIG_INVALID';

/** Sends remembered, so that the bodies of one send cost one Ed25519 check. A miss costs time, never a verdict. */
const SENDS_MAX = 4_096;

/** Judges signature blocks against one trust root. */
export class BlockVerifier {
  readonly #trustRoot: TrustRoot;
  readonly #sends: Map<string, boolean> = new Map();

  constructor(trustRoot: TrustRoot) {
    this.#trustRoot = trustRoot;
  }

  /** Null when the block signs the body whose digest (32 bytes) is given; else the code of what is wrong. */
  check(block: SignatureBlock, bodyDigest: Buffer, by: { role: SigningRole; timeMs: number }): SignatureCode | null {
    const key = this.#trustRoot.keys.get(block.key_id);
    const refusal = refuseKey(key, by.role, by.timeMs);
    if (refusal !== null || key?.ed25519 == null) {
      return refusal ?? 'CLY_KEY_ALGORITHM';
    }
    const path = block.path.map((hex) => Buffer.from(hex, 'hex'));
    const root = block.index < block.size ? rootOfPath(hashLeaf(bodyDigest), path, block) : null;
    if (root === null) {
      return 'CLY_SIG_PATH';
    }
    const signer = { keyId: key.keyId, key: key.ed25519.key, type: BODY_TYPES[by.role] };
    return this.#isSendSigned(signer, { root: root.toString('hex'), size: block.size }, block.sig)
      ? null
      : 'CLY_SIG_INVALID';
  }

  #isSendSigned(
    signer: { keyId: string; key: KeyObject; type: string },
    send: { root: string; size: number },
    sig: string,
  ): boolean {
    const name = `${signer.type} ${signer.keyId} ${send.size} ${send.root} ${sig}`;
    const known = this.#sends.get(name);
    if (known !== undefined) {
      return known;
    }
    const signature = decodeBase64(sig);
    const payload = Buffer.from(encodeCanonical({ root: send.root, size: send.size }));
    const isSigned = signature !== null && verifyEd25519(signer.key, encodePae(signer.type, payload), signature);
    this.#sends.set(name, isSigned);
    if (this.#sends.size > SENDS_MAX) {
      this.#sends.delete(this.#sends.keys().next().value as string);
    }
    return isSigned;
  }
}

/** Why a key may not sign for a role at a time, or null. */
export function refuseKey(key: TrustedKey | undefined, role: Role, timeMs: number): SignatureCode | null {
  if (key === undefined) {
    return 'CLY_KEY_UNKNOWN';
  }
  if (!key.roles.has(role)) {
    return 'CLY_KEY_ROLE';
  }
  if (key.ed25519 === null) {
    return 'CLY_KEY_ALGORITHM';
  }
  if (timeMs < key.validFromMs || timeMs > key.validToMs) {
    return 'CLY_KEY_TIME';
  }
  return key.revokedAtMs !== null && timeMs >= key.revokedAtMs ? 'CLY_KEY_REVOKED' : null;
}
