// SPDX-License-Identifier: Apache-2.0
import { algorithmOf, isSignedBy, OID } from './algorithms.ts';
import { type DerReader, oidText, readDer } from './der-reader.ts';
import { timeValue } from './der-time.ts';
import { stampError } from './stamp-error.ts';

/** What a time-stamp's chain needs of an X.509 certificate (RFC 5280 §4.1). */
export type Certificate = {
  readonly whole: Uint8Array;
  readonly tbs: Uint8Array;
  readonly serial: Uint8Array;
  /** Encoded names: compared byte for byte. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly spki: Uint8Array;
  readonly isCa: boolean;
  /** Purposes, where the certificate is limited to some. */
  readonly purposes: { readonly critical: boolean; readonly ids: readonly string[] } | undefined;
  readonly keyId: Uint8Array | undefined;
  readonly algorithm: string;
  readonly signature: Uint8Array;
};

/** Throws CLY_TIME_STAMP. */
export function readCertificate(whole: Uint8Array): Certificate {
  const outer = readDer(whole, 0x30);
  const tbs = outer.next(0x30);
  const algorithm = algorithmOf(outer);
  const signature = outer.next(0x03).content;
  outer.end();
  const reader = readDer(tbs.whole, 0x30);
  reader.optional(0xa0);
  const serial = reader.next(0x02).content;
  reader.next(0x30);
  const issuer = reader.next(0x30).whole;
  const window = reader.open(0x30);
  const [validFromMs, validToMs] = [timeValue(window.next()), timeValue(window.next())];
  const subject = reader.next(0x30).whole;
  const spki = reader.next(0x30).whole;
  reader.optional(0xa1);
  reader.optional(0xa2);
  const extensions = readExtensions(reader.optional(0xa3)?.content);
  if (signature[0] !== 0) throw stampError('has a certificate whose signature is not whole bytes');
  return {
    whole,
    tbs: tbs.whole,
    serial,
    issuer,
    subject,
    validFromMs,
    validToMs,
    spki,
    isCa: isCa(extensions.get(OID.basicConstraints)?.value),
    purposes: purposesOf(extensions.get(OID.extendedKeyUsage)),
    keyId: keyIdOf(extensions.get(OID.subjectKeyId)?.value),
    algorithm,
    signature: signature.subarray(1),
  };
}

type Extension = { readonly critical: boolean; readonly value: Uint8Array };

function readExtensions(content: Uint8Array | undefined): ReadonlyMap<string, Extension> {
  const extensions = new Map<string, Extension>();
  if (content === undefined) return extensions;
  const list = readDer(content, 0x30);
  while (!list.isAtEnd) {
    const entry = list.open(0x30);
    const id = oidText(entry.next(0x06));
    const critical = entry.optional(0x01)?.content[0] === 0xff;
    if (extensions.has(id)) throw stampError('has a certificate with the same extension twice');
    extensions.set(id, { critical, value: entry.next(0x04).content });
  }
  return extensions;
}

function isCa(value: Uint8Array | undefined): boolean {
  return value !== undefined && readDer(value, 0x30).optional(0x01)?.content[0] === 0xff;
}

function purposesOf(extension: Extension | undefined): Certificate['purposes'] {
  if (extension === undefined) return undefined;
  const list: DerReader = readDer(extension.value, 0x30);
  const ids: string[] = [];
  while (!list.isAtEnd) ids.push(oidText(list.next(0x06)));
  return { critical: extension.critical, ids };
}

function keyIdOf(value: Uint8Array | undefined): Uint8Array | undefined {
  if (value === undefined) return undefined;
  const octet = value[0] === 0x04 ? value.subarray(2) : undefined;
  return octet?.length === value[1] ? octet : undefined;
}

/** Whether `issuer` vouches for the certificate: it is a CA of that name, and its key signed. */
export function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  const { tbs: bytes, signature, algorithm } = certificate;
  const isNamed = Buffer.compare(certificate.issuer, issuer.subject) === 0;
  return isNamed && issuer.isCa && isSignedBy(issuer.spki, { bytes, signature, algorithm });
}
