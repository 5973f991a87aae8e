// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { digestBy, OID } from '@clyra/core/timestamp/algorithms';
import {
  bits,
  boolean,
  der,
  explicit,
  generalizedTime,
  integer,
  octets,
  oid,
  sequence,
  setOf,
  utf8,
} from '@clyra/core/timestamp/der';
import { timeText } from '@clyra/core/timestamp/der-time';

export type CertificateRequest = {
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly issuer: { readonly commonName: string; readonly privateKey: KeyObject };
  readonly validFromMs: number;
  readonly validToMs: number;
  /** An authority vouches for others; the other kind signs time-stamps and nothing else. */
  readonly kind: 'authority' | 'time-stamping';
};

const SERIAL_BYTES = 16;
/** Bits of KeyUsage (RFC 5280 §4.2.1.3): digitalSignature; keyCertSign and cRLSign. */
const USAGE = { 'time-stamping': Buffer.from('03020780', 'hex'), authority: Buffer.from('03020106', 'hex') };

/** An X.509 certificate in DER, signed with ECDSA P-256 and SHA-256: what `openssl ts` understands everywhere. */
export function issueCertificate(request: CertificateRequest): Uint8Array {
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const tbs = sequence(
    explicit(0, integer(2)),
    integer(positiveSerial()),
    algorithm,
    nameOf(request.issuer.commonName),
    sequence(time(request.validFromMs), time(request.validToMs)),
    nameOf(request.commonName),
    request.publicKey.export({ format: 'der', type: 'spki' }),
    explicit(3, sequence(...extensionsOf(request))),
  );
  return sequence(tbs, algorithm, bits(sign('sha256', tbs, request.issuer.privateKey)));
}

export function nameOf(commonName: string): Uint8Array {
  return sequence(setOf(sequence(oid(OID.commonName), utf8(commonName))));
}

function extensionsOf({ kind, publicKey, issuer }: CertificateRequest): readonly Uint8Array[] {
  const extension = (id: string, critical: boolean, value: Uint8Array): Uint8Array =>
    sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value));
  const issuerKeyId = der(0x80, keyIdOf(createPublicKey(issuer.privateKey)));
  return [
    extension(OID.basicConstraints, true, kind === 'authority' ? sequence(boolean(true)) : sequence()),
    extension(OID.keyUsage, true, USAGE[kind]),
    ...(kind === 'time-stamping' ? [extension(OID.extendedKeyUsage, true, sequence(oid(OID.timeStamping)))] : []),
    extension(OID.subjectKeyId, false, octets(keyIdOf(publicKey))),
    extension('2.5.29.35', false, sequence(issuerKeyId)),
  ];
}

function keyIdOf(key: KeyObject): Uint8Array {
  return digestBy('sha256', key.export({ format: 'der', type: 'spki' })).subarray(0, 20);
}

/** UTCTime up to 2049, as RFC 5280 §4.1.2.5 wants it. */
function time(ms: number): Uint8Array {
  const text = timeText(Math.floor(ms / 1_000) * 1_000);
  return text < '2050' ? der(0x17, Buffer.from(text.slice(2), 'ascii')) : generalizedTime(text);
}

function positiveSerial(): Uint8Array {
  const serial = randomBytes(SERIAL_BYTES);
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40;
  return serial;
}
