// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';

/** A SHA-256 digest as 64 lower-case hex digits. */
export type Digest = string;

export const DIGEST = /^[0-9a-f]{64}$/;

/** docs/spec/records.md §2. `crypto.hash` with hex output is the fastest one-shot form of the platform. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return hash('sha256', bytes, 'hex');
}

export function digestBytes(digest: Digest): Uint8Array {
  return Buffer.from(digest, 'hex');
}
