// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import { type SignatureBlock, sendRootOf, signedBytes } from './batch-signature.ts';
import { verifyEd25519 } from './ed25519.ts';
import { keyFor, type Role, type TrustRoot } from './trust-root.ts';

const REMEMBERED_MAX = 4_096;

/**
 * Everything that the signed bytes depend on, and the signature: no two sends share it. The key's name is the hash of
 * the key, so another trust root cannot give it to another key.
 */
type Send = Pick<SignatureBlock, 'key_id' | 'size' | 'sig'> & { readonly sendRoot: Digest };

/**
 * Checks signature blocks of one record type. A send is verified once, however many bodies it has; what is
 * remembered is only that this very signature covers these very bytes, so a cache hit can never widen trust.
 */
export class BatchVerifier {
  readonly #type: string;
  readonly #role: Role;
  readonly #verified = new Set<string>();
  /** The send that was found verified last: bodies of one send come one after the other. */
  #last: Send | undefined;

  constructor(type: string, role: Role) {
    this.#type = type;
    this.#role = role;
  }

  verify(root: TrustRoot, body: { digest: Digest; block: SignatureBlock; atMs: number }): boolean {
    const { block } = body;
    const key = keyFor(root, { keyId: block.key_id, role: this.#role, atMs: body.atMs });
    const sendRoot = sendRootOf(body.digest, block);
    if (key === undefined || sendRoot === undefined) return false;
    if (this.#last !== undefined && isSame(this.#last, sendRoot, block)) return true;
    const sendId = `${block.key_id} ${block.size} ${sendRoot} ${block.sig}`;
    if (this.#verified.has(sendId)) return this.#remember(sendRoot, block);
    const signed = signedBytes(this.#type, sendRoot, block.size);
    if (!verifyEd25519(key.keyObject, signed, Buffer.from(block.sig, 'base64'))) return false;
    if (this.#verified.size >= REMEMBERED_MAX) this.#verified.clear();
    this.#verified.add(sendId);
    return this.#remember(sendRoot, block);
  }

  #remember(sendRoot: Digest, { key_id, size, sig }: SignatureBlock): true {
    this.#last = { key_id, size, sig, sendRoot };
    return true;
  }
}

function isSame(send: Send, sendRoot: Digest, { key_id, size, sig }: SignatureBlock): boolean {
  return send.sendRoot === sendRoot && send.key_id === key_id && send.size === size && send.sig === sig;
}
