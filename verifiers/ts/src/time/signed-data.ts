// SPDX-License-Identifier: Apache-2.0
import { algorithmOf, type Hash, hashOf, type SignatureAlgorithm } from './algorithm.ts';
import { type Certificate, readCertificate } from './certificate.ts';
import {
  childrenOf,
  DerError,
  type DerReader,
  type Element,
  oidOf,
  readElement,
  requireDer,
  smallInteger,
  TAG,
} from './der.ts';

const SIGNED_DATA = '1.2.840.113549.1.7.2';
const TST_INFO = '1.2.840.113549.1.9.16.1.4';
const CERTIFICATES_MAX = 8;
const CONTEXT_0 = 0xa0;
const CONTEXT_1 = 0xa1;
const KEY_ID = 0x80;

export interface Signer {
  readonly id: { readonly issuer: Buffer; readonly serial: Buffer } | { readonly keyId: Buffer };
  /** Null: a hash that is not known. */
  readonly digest: Hash | null;
  /** The signed attributes as the SET OF that is signed. */
  readonly attributes: Buffer;
  readonly algorithm: SignatureAlgorithm | null;
  readonly signature: Buffer;
}

/** A TimeStampResp, opened as far as its structure goes (RFC 3161 §2.4.2, RFC 5652 §5). */
export interface SignedToken {
  readonly content: Buffer;
  readonly certificates: readonly Certificate[];
  readonly signer: Signer;
}

/** Reads a granted TimeStampResp. Throws DerError. */
export function readTimeStampResponse(bytes: Buffer): SignedToken {
  requireDer(bytes);
  const response = childrenOf(readElement(bytes, TAG.sequence));
  const status = smallInteger(childrenOf(response.take(TAG.sequence)).take(TAG.integer));
  if (status > 1) {
    throw new DerError('a response that grants nothing');
  }
  const token = childrenOf(response.take(TAG.sequence));
  response.end();
  requireOid(token.take(TAG.oid), SIGNED_DATA);
  const holder = token.take(CONTEXT_0);
  token.end();
  return readSignedData(childrenOf(readElement(holder.content, TAG.sequence)));
}

function readSignedData(reader: DerReader): SignedToken {
  if (smallInteger(reader.take(TAG.integer)) !== 3) {
    throw new DerError('signed data of another version');
  }
  reader.take(TAG.set);
  const content = readContent(childrenOf(reader.take(TAG.sequence)));
  const certificates = readCertificates(childrenOf(reader.take(CONTEXT_0)));
  reader.optional(CONTEXT_1);
  const signers = childrenOf(reader.take(TAG.set));
  const signer = readSigner(childrenOf(signers.take(TAG.sequence)));
  signers.end();
  reader.end();
  return { content, certificates, signer };
}

function readContent(reader: DerReader): Buffer {
  requireOid(reader.take(TAG.oid), TST_INFO);
  const { content } = readElement(reader.take(CONTEXT_0).content, TAG.octets);
  reader.end();
  return content;
}

function readCertificates(reader: DerReader): readonly Certificate[] {
  const certificates: Certificate[] = [];
  while (!reader.isAtEnd) {
    if (certificates.length === CERTIFICATES_MAX) {
      throw new DerError(`more than ${CERTIFICATES_MAX} certificates`);
    }
    certificates.push(readCertificate(reader.take(TAG.sequence).bytes));
  }
  if (certificates.length === 0) {
    throw new DerError('no certificate');
  }
  return certificates;
}

function readSigner(reader: DerReader): Signer {
  reader.take(TAG.integer);
  const id = readSignerId(reader);
  const digest = hashOf(reader.take(TAG.sequence));
  const attributes = Buffer.from(reader.take(CONTEXT_0).bytes);
  // RFC 5652 §5.4: what is signed has the tag of a SET OF, not the implicit one it stands with.
  attributes[0] = TAG.set;
  const algorithm = algorithmOf(reader.take(TAG.sequence), digest);
  const signature = reader.take(TAG.octets).content;
  reader.optional(CONTEXT_1);
  reader.end();
  return { id, digest, attributes, algorithm, signature };
}

function readSignerId(reader: DerReader): Signer['id'] {
  const keyId = reader.optional(KEY_ID);
  if (keyId !== undefined) {
    return { keyId: keyId.content };
  }
  const id = childrenOf(reader.take(TAG.sequence));
  const issuer = id.take(TAG.sequence).bytes;
  const serial = id.take(TAG.integer).content;
  id.end();
  return { issuer, serial };
}

function requireOid(element: Element, oid: string): void {
  if (oidOf(element) !== oid) {
    throw new DerError(`expected the object identifier ${oid}`);
  }
}
