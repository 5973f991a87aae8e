// SPDX-License-Identifier: Apache-2.0
import { createHash, createPublicKey, verify } from 'node:crypto';

/** As a reply carries it: the bytes that were signed, and the signature block of the send that they were part of. */
export type SignedReceipt = {
  readonly body: Uint8Array;
  readonly signature: {
    readonly key_id: string;
    readonly index: number;
    readonly size: number;
    readonly path: readonly string[];
    /** base64 */
    readonly sig: string;
  };
};

type TrustedKey = {
  readonly key_id: string;
  readonly public_key: string;
  readonly roles: readonly string[];
  readonly valid_from: number;
  readonly valid_to: number;
  readonly revoked_at?: number;
};

const RECEIPT_TYPE = 'application/vnd.clyra.receipt.v0+json';
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const SEND_BODIES_MAX = 1_024;

/**
 * Whether an enforcer of this trust root (trust-root.json as text) signed the receipt (docs/spec/records.md §3). Keys
 * that were lent later by a command are not in the document, so receipts under them are not verified here.
 */
export function isReceiptSigned(trustRoot: string, { body, signature }: SignedReceipt, nowMs: number): boolean {
  const key = trustedKeys(trustRoot)?.find(({ key_id: id }) => id === signature.key_id);
  if (key === undefined || !key.roles.includes('enforcer')) return false;
  const { valid_from: from, valid_to: to, revoked_at: revokedAt } = key;
  if (nowMs < from || nowMs > to || (revokedAt !== undefined && nowMs >= revokedAt)) return false;
  const root = rootOf(hash(Buffer.from([0]), hash(body)), signature);
  if (root === undefined) return false;
  const payload = Buffer.from(`{"root":"${root.toString('hex')}","size":${signature.size}}`, 'utf8');
  const head = `DSSEv1 ${RECEIPT_TYPE.length} ${RECEIPT_TYPE} ${payload.length} `;
  const spki = Buffer.concat([SPKI_PREFIX, Buffer.from(key.public_key, 'base64')]);
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const signed = Buffer.concat([Buffer.from(head, 'utf8'), payload]);
  return verify(null, signed, publicKey, Buffer.from(signature.sig, 'base64'));
}

/** The keys of trust-root.json; undefined where the text is something else. */
export function trustedKeys(trustRoot: string): readonly TrustedKey[] | undefined {
  try {
    const { keys } = JSON.parse(trustRoot) as { readonly keys?: readonly TrustedKey[] };
    return Array.isArray(keys) ? keys : undefined;
  } catch {
    return undefined;
  }
}

/** RFC 9162 §2.1.3.2: the root that the leaf leads to, or undefined where its place is impossible. */
function rootOf(leaf: Buffer, { index, size, path }: SignedReceipt['signature']): Buffer | undefined {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size)) return undefined;
  if (index < 0 || index >= size || size > SEND_BODIES_MAX) return undefined;
  let [at, last, node] = [index, size - 1, leaf];
  for (const text of path) {
    if (last === 0 || !/^[0-9a-f]{64}$/.test(text)) return undefined;
    const sibling = Buffer.from(text, 'hex');
    if (at % 2 === 1 || at === last) {
      node = hash(Buffer.from([1]), sibling, node);
      while (at % 2 === 0 && at !== 0) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
    } else {
      node = hash(Buffer.from([1]), node, sibling);
    }
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 ? node : undefined;
}

function hash(...parts: readonly Uint8Array[]): Buffer {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest();
}
