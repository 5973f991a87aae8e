// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import { hashLeaf, rootOfPath } from '../hash/tree.ts';
import type { KeyBook } from '../trust/delegations.ts';
import type { KeyCode } from '../trust/judge-key.ts';
import type { Role } from '../trust/trust-root.ts';
import { BATCH_SIZE_MAX, type SignatureBlock } from './block.ts';
import { verifyEd25519 } from './ed25519.ts';
import { encodeAsciiPae } from './pae.ts';

export const BODY_TYPES = {
  change: 'application/vnd.clyra.change.v0+json',
  receipt: 'application/vnd.clyra.receipt.v0+json',
  observation: 'application/vnd.clyra.observation.v0+json',
} as const;
export type BodyKind = keyof typeof BODY_TYPES;
export type SignatureCode = KeyCode | 'CLY_SIG_PATH' | 'CLY_SIG_INVALID';

/** Sends remembered, so that the bodies of one send cost one Ed25519 check. A miss costs time, never a verdict. */
const SENDS_MAX = 1_024;

const NO_PATH: readonly Buffer[] = [];

/** Judges signature blocks by one book of keys. */
export class BlockVerifier {
  readonly keys: KeyBook;
  readonly #sends: Map<string, boolean> = new Map();

  constructor(keys: KeyBook) {
    this.keys = keys;
  }

  /** Null when the block signs the body whose digest (32 bytes) is given; else the code of what is wrong. */
  check(
    block: SignatureBlock,
    bodyDigest: Buffer,
    as: { readonly body: BodyKind; readonly roles: readonly Role[]; readonly timeMs: number },
  ): SignatureCode | null {
    const key = this.keys.judge(block.key_id, as.roles, as.timeMs);
    if (typeof key === 'string') {
      return key;
    }
    const isPlaced = block.index < block.size && block.size <= BATCH_SIZE_MAX;
    const path = block.path.length === 0 ? NO_PATH : block.path.map((hex) => Buffer.from(hex, 'hex'));
    const root = isPlaced ? rootOfPath(hashLeaf(bodyDigest), path, block) : null;
    if (root === null) {
      return 'CLY_SIG_PATH';
    }
    const signer = { keyId: key.keyId, key: key.ed25519 as KeyObject, type: BODY_TYPES[as.body] };
    return this.#isSendSigned(signer, { root: root.toString('hex'), size: block.size }, block.sig)
      ? null
      : 'CLY_SIG_INVALID';
  }

  #isSendSigned(
    signer: { keyId: string; key: KeyObject; type: string },
    send: { root: string; size: number },
    sig: Buffer,
  ): boolean {
    // A send of one body is not met again.
    if (send.size === 1) {
      return isSendSignedBy(signer, send, sig);
    }
    const name = `${signer.type} ${signer.keyId} ${send.size} ${send.root} ${sig.toString('latin1')}`;
    const known = this.#sends.get(name);
    if (known !== undefined) {
      return known;
    }
    const isSigned = isSendSignedBy(signer, send, sig);
    this.#sends.set(name, isSigned);
    if (this.#sends.size > SENDS_MAX) {
      this.#sends.delete(this.#sends.keys().next().value as string);
    }
    return isSigned;
  }
}

function isSendSignedBy(
  signer: { key: KeyObject; type: string },
  send: { root: string; size: number },
  sig: Buffer,
): boolean {
  const payload = `{"root":"${send.root}","size":${send.size}}`;
  return verifyEd25519(signer.key, encodeAsciiPae(signer.type, payload), sig);
}
