// SPDX-License-Identifier: Apache-2.0
import { algorithmOf, digestBy, type Hash, hashNamed, isSignedBy, OID } from './algorithms.ts';
import { type Certificate, readCertificate } from './certificate.ts';
import { der } from './der.ts';
import { DerReader, oidText, readDer, smallInteger } from './der-reader.ts';
import { timeOf } from './der-time.ts';
import { stampError } from './stamp-error.ts';

/** An RFC 3161 response whose signature holds; who the signer is remains to be judged. */
export type TimeStamp = {
  /** SHA-256 of what was stamped. */
  readonly imprint: Uint8Array;
  readonly nonce: Uint8Array | undefined;
  readonly genTimeMs: number;
  /** genTime and its accuracy, rounded up: what was stamped existed by then. */
  readonly upperBoundMs: number;
  readonly signer: Certificate;
  /** All that came with the token. */
  readonly certificates: readonly Certificate[];
};

const RESPONSE_BYTES_MAX = 16_384;
const CERTIFICATES_MAX = 8;
const GRANTED = new Set([0, 1]);

/** Reads a TimeStampResp by docs/spec/trust.md §6 rules 1 to 4. Throws CLY_TIME_STAMP. */
export function readTimeStamp(response: Uint8Array): TimeStamp {
  if (response.length > RESPONSE_BYTES_MAX) throw stampError(`has more than ${RESPONSE_BYTES_MAX} bytes`);
  const outer = readDer(response, 0x30);
  const status = smallInteger(outer.open(0x30).next(0x02));
  if (!GRANTED.has(status)) throw stampError(`was not granted (status ${status})`);
  const content = outer.open(0x30);
  outer.end();
  requireOid(content, OID.signedData);
  return readSignedData(content.open(0xa0).open(0x30));
}

function readSignedData(data: DerReader): TimeStamp {
  if (smallInteger(data.next(0x02)) !== 3) throw stampError('is not CMS version 3');
  data.next(0x31);
  const encapsulated = data.open(0x30);
  requireOid(encapsulated, OID.tstInfo);
  const info = encapsulated.open(0xa0).next(0x04).content;
  const certificates = readCertificates(data.optional(0xa0)?.content);
  data.optional(0xa1);
  const infos = data.open(0x31);
  const signerInfo = infos.open(0x30);
  infos.end();
  data.end();
  const signer = readSigner(signerInfo, info, certificates);
  return { ...readInfo(info), signer, certificates };
}

function readCertificates(content: Uint8Array | undefined): readonly Certificate[] {
  const certificates: Certificate[] = [];
  const reader = new DerReader(content ?? new Uint8Array());
  while (!reader.isAtEnd) certificates.push(readCertificate(reader.next(0x30).whole));
  if (certificates.length < 1 || certificates.length > CERTIFICATES_MAX) {
    throw stampError(`comes with ${certificates.length} certificates, not 1 to ${CERTIFICATES_MAX}`);
  }
  return certificates;
}

function readSigner(info: DerReader, content: Uint8Array, certificates: readonly Certificate[]): Certificate {
  smallInteger(info.next(0x02));
  const signer = certificates.find(namedBy(info));
  const digest = hashNamed(algorithmOf(info));
  const attributes = info.next(0xa0).content;
  const algorithm = algorithmOf(info);
  const signature = info.next(0x04).content;
  info.optional(0xa1);
  info.end();
  if (signer === undefined) throw stampError('comes without the certificate of its signer');
  checkAttributes(attributes, { digest, content, signer });
  // Signed is the set itself, not the implicit tag that stands in the message (RFC 5652 §5.4).
  const bytes = der(0x31, attributes);
  if (!isSignedBy(signer.spki, { bytes, signature, algorithm, digest }))
    throw stampError('is not signed by its signer');
  return signer;
}

function namedBy(info: DerReader): (certificate: Certificate) => boolean {
  const keyId = info.optional(0x80);
  if (keyId !== undefined) return (one) => one.keyId !== undefined && same(one.keyId, keyId.content);
  const named = info.open(0x30);
  const [issuer, serial] = [named.next(0x30).whole, named.next(0x02).content];
  return (one) => same(one.issuer, issuer) && same(one.serial, serial);
}

function checkAttributes(
  attributes: Uint8Array,
  { digest, content, signer }: { digest: Hash; content: Uint8Array; signer: Certificate },
): void {
  const values = new Map<string, DerReader>();
  const reader = new DerReader(attributes);
  while (!reader.isAtEnd) {
    const attribute = reader.open(0x30);
    const id = oidText(attribute.next(0x06));
    if (values.has(id)) throw stampError('has the same signed attribute twice');
    values.set(id, attribute.open(0x31));
  }
  const type = values.get(OID.contentType);
  if (type === undefined || oidText(type.next(0x06)) !== OID.tstInfo) throw stampError('signs no TSTInfo');
  const found = values.get(OID.messageDigest)?.next(0x04).content;
  if (found === undefined || !same(found, digestBy(digest, content))) throw stampError('signs another TSTInfo');
  if (!isCertificateNamed(values, signer)) throw stampError('does not name the certificate of its signer');
}

/** RFC 5035: the signed hash of the certificate, so that no other one with the same key can be put in its place. */
function isCertificateNamed(values: ReadonlyMap<string, DerReader>, signer: Certificate): boolean {
  const second = values.get(OID.signingCertificateV2);
  if (second !== undefined) {
    const id = second.open(0x30).open(0x30).open(0x30);
    const hash = info(id);
    return same(id.next(0x04).content, digestBy(hash, signer.whole));
  }
  const first = values.get(OID.signingCertificate);
  if (first === undefined) return false;
  return same(first.open(0x30).open(0x30).open(0x30).next(0x04).content, digestBy('sha1', signer.whole));
}

function info(id: DerReader): Hash {
  return id.nextTag === 0x30 ? hashNamed(algorithmOf(id)) : 'sha256';
}

function readInfo(bytes: Uint8Array): Pick<TimeStamp, 'imprint' | 'nonce' | 'genTimeMs' | 'upperBoundMs'> {
  const reader = readDer(bytes, 0x30);
  if (smallInteger(reader.next(0x02)) !== 1) throw stampError('is not TSTInfo version 1');
  reader.next(0x06);
  const message = reader.open(0x30);
  if (hashNamed(algorithmOf(message)) !== 'sha256') throw stampError('stamps by another hash than SHA-256');
  const imprint = message.next(0x04).content;
  reader.next(0x02);
  const genTimeMs = timeOf(Buffer.from(reader.next(0x18).content).toString('latin1'));
  const accuracyMicroseconds = readAccuracy(reader.optional(0x30)?.content);
  reader.optional(0x01);
  const nonce = reader.optional(0x02)?.content;
  reader.optional(0xa0);
  const extensions = reader.optional(0xa1)?.content;
  reader.end();
  if (extensions !== undefined && hasCritical(extensions)) throw stampError('has a critical extension');
  return { imprint, nonce, genTimeMs, upperBoundMs: genTimeMs + Math.ceil(accuracyMicroseconds / 1_000) };
}

/** Of an Extensions value whose outer tag is implicit. */
function hasCritical(content: Uint8Array): boolean {
  const list = new DerReader(content);
  while (!list.isAtEnd) {
    const entry = list.open(0x30);
    entry.next(0x06);
    if (entry.optional(0x01)?.content[0] === 0xff) return true;
  }
  return false;
}

function readAccuracy(content: Uint8Array | undefined): number {
  if (content === undefined) return 0;
  const reader = new DerReader(content);
  const part = (tag: number): number => {
    const found = reader.optional(tag);
    return found === undefined ? 0 : smallInteger(found);
  };
  const [seconds, milliseconds, microseconds] = [part(0x02), part(0x80), part(0x81)];
  reader.end();
  return (seconds * 1_000 + milliseconds) * 1_000 + microseconds;
}

function requireOid(reader: DerReader, expected: string): void {
  const found = oidText(reader.next(0x06));
  if (found !== expected) throw stampError(`has type ${found} where ${expected} belongs`);
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
