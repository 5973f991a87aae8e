// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, type KeyObject } from 'node:crypto';
import { algorithmOf, type SignatureAlgorithm } from './algorithm.ts';
import {
  booleanOf,
  childrenOf,
  DerError,
  type DerReader,
  type Element,
  oidOf,
  readElement,
  requireDer,
  TAG,
} from './der.ts';
import { readTime } from './der-time.ts';

const BASIC_CONSTRAINTS = '2.5.29.19';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SUBJECT_KEY_ID = '2.5.29.14';
const CONTEXT_0 = 0xa0;
const CONTEXT_3 = 0xa3;

/** What a time-stamp's chain needs of an X.509 certificate. */
export interface Certificate {
  readonly bytes: Buffer;
  /** What the issuer signed. */
  readonly signedBytes: Buffer;
  readonly signature: Buffer;
  /** Null: not one of those that are known. */
  readonly algorithm: SignatureAlgorithm | null;
  readonly serial: Buffer;
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Null: a key that this platform cannot read. */
  readonly publicKey: KeyObject | null;
  readonly isAuthority: boolean;
  readonly extendedKeyUsage: { readonly purposes: readonly string[]; readonly critical: boolean } | null;
  readonly subjectKeyId: Buffer | null;
}

/** Reads one DER certificate. Throws DerError. */
export function readCertificate(bytes: Buffer): Certificate {
  requireDer(bytes);
  const certificate = childrenOf(readElement(bytes, TAG.sequence));
  const signed = certificate.take(TAG.sequence);
  const algorithm = algorithmOf(certificate.take(TAG.sequence));
  const signature = bitString(certificate.take(TAG.bitString));
  certificate.end();
  return { bytes, signedBytes: signed.bytes, signature, algorithm, ...readSigned(childrenOf(signed)) };
}

function readSigned(reader: DerReader): Omit<Certificate, 'bytes' | 'signedBytes' | 'signature' | 'algorithm'> {
  reader.optional(CONTEXT_0);
  const serial = reader.take(TAG.integer).content;
  reader.take(TAG.sequence);
  const issuer = reader.take(TAG.sequence).bytes;
  const validity = childrenOf(reader.take(TAG.sequence));
  const notBeforeMs = readTime(validity.next());
  const notAfterMs = readTime(validity.next());
  validity.end();
  const subject = reader.take(TAG.sequence).bytes;
  const publicKey = importKey(reader.take(TAG.sequence).bytes);
  reader.optional(0x81);
  reader.optional(0x82);
  const extensions = readExtensions(reader.optional(CONTEXT_3));
  reader.end();
  return { serial, issuer, subject, notBeforeMs, notAfterMs, publicKey, ...extensions };
}

type Extensions = Pick<Certificate, 'isAuthority' | 'extendedKeyUsage' | 'subjectKeyId'>;

function readExtensions(holder: Element | undefined): Extensions {
  let found: Extensions = { isAuthority: false, extendedKeyUsage: null, subjectKeyId: null };
  if (holder === undefined) {
    return found;
  }
  const list = childrenOf(readElement(holder.content, TAG.sequence));
  while (!list.isAtEnd) {
    const extension = childrenOf(list.take(TAG.sequence));
    const oid = oidOf(extension.take(TAG.oid));
    const isCritical = extension.optional(TAG.boolean);
    const value = extension.take(TAG.octets).content;
    extension.end();
    const critical = isCritical !== undefined && booleanOf(isCritical);
    if (oid === BASIC_CONSTRAINTS) {
      found = { ...found, isAuthority: isAuthority(value) };
    } else if (oid === EXTENDED_KEY_USAGE) {
      found = { ...found, extendedKeyUsage: { purposes: purposesOf(value), critical } };
    } else if (oid === SUBJECT_KEY_ID) {
      found = { ...found, subjectKeyId: readElement(value, TAG.octets).content };
    }
  }
  return found;
}

function isAuthority(value: Buffer): boolean {
  const flag = childrenOf(readElement(value, TAG.sequence)).optional(TAG.boolean);
  return flag !== undefined && booleanOf(flag);
}

function purposesOf(value: Buffer): readonly string[] {
  const purposes: string[] = [];
  const list = childrenOf(readElement(value, TAG.sequence));
  while (!list.isAtEnd) {
    purposes.push(oidOf(list.take(TAG.oid)));
  }
  return purposes;
}

function bitString({ content }: Element): Buffer {
  if (content[0] !== 0) {
    throw new DerError('a bit string that does not end with a byte');
  }
  return content.subarray(1);
}

function importKey(spki: Buffer): KeyObject | null {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch {
    return null;
  }
}
