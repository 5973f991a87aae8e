// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { hashOf } from './algorithm.ts';
import type { Certificate } from './certificate.ts';
import { childrenOf, type DerReader, type Element, oidOf, readElement, TAG } from './der.ts';
import type { SignedToken, Signer } from './signed-data.ts';
import { TokenError } from './token-error.ts';

const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.12';
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47';
const TST_INFO = '1.2.840.113549.1.9.16.1.4';

/** The certificate that signed a token, after the signed attributes were held against it (trust.md §6, 3). */
export function signingCertificateOf(token: SignedToken): Certificate {
  const { signer } = token;
  const certificate = token.certificates.find((one) => isNamed(one, signer.id));
  const attributes = readAttributes(signer.attributes);
  if (certificate === undefined) {
    throw new TokenError('CLY_TIME_TOKEN', 'holds no certificate of its signer');
  }
  if (signer.digest === null) {
    throw new TokenError('CLY_TIME_ALGORITHM', 'is digested with a hash that is not known');
  }
  const contentType = attributes.get(CONTENT_TYPE);
  const messageDigest = attributes.get(MESSAGE_DIGEST);
  const isContent = contentType !== undefined && oidOf(readElement(contentType, TAG.oid)) === TST_INFO;
  const digest = hash(signer.digest, token.content, 'buffer');
  if (!isContent || messageDigest === undefined || !readElement(messageDigest, TAG.octets).content.equals(digest)) {
    throw new TokenError('CLY_TIME_TOKEN', 'has signed attributes of another content');
  }
  requireNamedByHash(attributes, certificate);
  return certificate;
}

function isNamed(certificate: Certificate, id: Signer['id']): boolean {
  return 'keyId' in id
    ? certificate.subjectKeyId?.equals(id.keyId) === true
    : certificate.issuer.equals(id.issuer) && certificate.serial.equals(id.serial);
}

/** The only value of each attribute, by object identifier. */
function readAttributes(bytes: Buffer): ReadonlyMap<string, Buffer> {
  const attributes = new Map<string, Buffer>();
  const list = childrenOf(readElement(bytes, TAG.set));
  while (!list.isAtEnd) {
    const attribute = childrenOf(list.take(TAG.sequence));
    const oid = oidOf(attribute.take(TAG.oid));
    const values = attribute.take(TAG.set).content;
    attribute.end();
    if (attributes.has(oid)) {
      throw new TokenError('CLY_TIME_TOKEN', 'has a signed attribute twice');
    }
    attributes.set(oid, values);
  }
  return attributes;
}

function requireNamedByHash(attributes: ReadonlyMap<string, Buffer>, certificate: Certificate): void {
  const first = attributes.get(SIGNING_CERTIFICATE);
  const second = attributes.get(SIGNING_CERTIFICATE_V2);
  const isNamedFirst = first === undefined || certHash(first).content.equals(hash('sha1', certificate.bytes, 'buffer'));
  if ((first === undefined && second === undefined) || !isNamedFirst) {
    throw new TokenError('CLY_TIME_TOKEN', 'does not name its signing certificate');
  }
  if (second !== undefined && !isNamedSecond(firstEntry(second), certificate)) {
    throw new TokenError('CLY_TIME_TOKEN', 'names another signing certificate');
  }
}

function isNamedSecond(entry: DerReader, certificate: Certificate): boolean {
  const identifier = entry.optional(TAG.sequence);
  const algorithm = identifier === undefined ? 'sha256' : hashOf(identifier);
  if (algorithm === null) {
    throw new TokenError('CLY_TIME_ALGORITHM', 'names its certificate by a hash that is not known');
  }
  return entry.take(TAG.octets).content.equals(hash(algorithm, certificate.bytes, 'buffer'));
}

function certHash(value: Buffer): Element {
  return firstEntry(value).take(TAG.octets);
}

/** The first of the certificate ids: that of the signing certificate. */
function firstEntry(value: Buffer): DerReader {
  const ids = childrenOf(childrenOf(readElement(value, TAG.sequence)).take(TAG.sequence));
  return childrenOf(ids.take(TAG.sequence));
}
