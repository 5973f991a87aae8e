// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';

const MEMBER = /^sha-256=:([A-Za-z0-9+/]{43}=):$/;

/** RFC 9530 §2 with exactly one sha-256 member, as hex; undefined for any other text. */
export function parseContentDigest(header: string): Digest | undefined {
  const encoded = MEMBER.exec(header.trim())?.[1];
  if (encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  // The last letter has two bits of padding: only one spelling is accepted.
  return bytes.length === 32 && bytes.toString('base64') === encoded ? bytes.toString('hex') : undefined;
}

export function formatContentDigest(digest: Digest): string {
  return `sha-256=:${Buffer.from(digest, 'hex').toString('base64')}:`;
}
