// SPDX-License-Identifier: Apache-2.0
// Written from the specification a second time and in the plainest way, so that the verifier is not tested with itself.
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';

// biome-ignore lint/suspicious/noExplicitAny: test values are built and bent freely
export type Loose = any;

export function digestOf(data: string | Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}

export function hexOf(data: string | Uint8Array): string {
  return digestOf(data).toString('hex');
}

/** Canonical text of values whose strings and numbers JSON.stringify writes as RFC 8785 does. */
export function canonical(value: Loose): string {
  return JSON.stringify(sortMembers(value));
}

function sortMembers(value: Loose): Loose {
  if (Array.isArray(value)) {
    return value.map(sortMembers);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const names = Object.keys(value).filter((name) => value[name] !== undefined);
  return Object.fromEntries(names.sort().map((name) => [name, sortMembers(value[name])]));
}

/** RFC 6962 §2.1, as its definition reads. */
export function treeRoot(leaves: readonly Uint8Array[]): Buffer {
  if (leaves.length === 0) {
    return digestOf('');
  }
  if (leaves.length === 1) {
    return digestOf(Buffer.concat([Buffer.of(0), leaves[0] as Uint8Array]));
  }
  const split = largestPowerBelow(leaves.length);
  return digestOf(Buffer.concat([Buffer.of(1), treeRoot(leaves.slice(0, split)), treeRoot(leaves.slice(split))]));
}

/** RFC 6962 §2.1.1, lowest sibling first. */
export function auditPath(index: number, leaves: readonly Uint8Array[]): readonly Buffer[] {
  if (leaves.length <= 1) {
    return [];
  }
  const split = largestPowerBelow(leaves.length);
  return index < split
    ? [...auditPath(index, leaves.slice(0, split)), treeRoot(leaves.slice(split))]
    : [...auditPath(index - split, leaves.slice(split)), treeRoot(leaves.slice(0, split))];
}

/** Roots of the perfect subtrees, largest first. */
export function frontierOf(leaves: readonly Uint8Array[]): readonly Buffer[] {
  if (leaves.length === 0) {
    return [];
  }
  const size = 2 ** Math.floor(Math.log2(leaves.length));
  return [treeRoot(leaves.slice(0, size)), ...frontierOf(leaves.slice(size))];
}

function largestPowerBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) {
    power *= 2;
  }
  return power;
}

export interface TestKey {
  readonly keyId: string;
  readonly publicKey: Buffer;
  readonly privateKey: KeyObject;
  readonly record: Loose;
}

const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * The key of a name and its record in a trust root. It follows from the name alone, so that committed cases can be made
 * again byte for byte: such a key guards nothing, and nothing may ever trust one.
 */
export function makeKey(roles: readonly string[], subject: string, members: Loose = {}): TestKey {
  const seed = digestOf(`clyra test key, not secret: ${subject} ${roles.join(' ')}`);
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const raw = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
  const keyId = hexOf(raw).slice(0, 32);
  const record = {
    key_id: keyId,
    alg: 'ed25519',
    public_key: raw.toString('base64'),
    roles,
    subject,
    operator: 'acme',
    valid_from: 0,
    valid_to: 10_000_000,
    ...members,
  };
  return { keyId, publicKey: raw, privateKey, record };
}

export function signPae(key: TestKey, type: string, payload: Uint8Array): string {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `;
  return sign(null, Buffer.concat([Buffer.from(head), payload]), key.privateKey).toString('base64');
}

export function signBytes(key: TestKey, bytes: Uint8Array): Buffer {
  return sign(null, bytes, key.privateKey);
}

/** A note line's key id: type 01 for a log, 04 for a witness. */
export function noteKeyId(name: string, type: number, key: TestKey): Buffer {
  return digestOf(Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), key.publicKey])).subarray(0, 4);
}
