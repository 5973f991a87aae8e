// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, createPublicKey, hash, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';

// Writes certificates and time-stamps (RFC 5280, RFC 5652, RFC 3161) for cases: a counterpart to no code of ours.

/** RSA with PKCS #1 v1.5 signs the same bytes alike each time, so that cases can be made again. */
export const TSA_KEY: KeyObject = createPrivateKey(
  readFileSync(new URL('../../schemas/vectors/bundles/_keys/tsa.pem', import.meta.url)),
);

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), content]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const set = (...parts: readonly Uint8Array[]): Buffer => der(0x31, ...parts);
const octets = (bytes: Uint8Array): Buffer => der(0x04, bytes);
const integer = (value: number): Buffer => der(0x02, Buffer.of(value));
const NULL = Buffer.of(5, 0);

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const parts = [first * 40 + second, ...rest].flatMap((part) => {
    const bytes = [part & 0x7f];
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128)) {
      bytes.unshift((left & 0x7f) | 0x80);
    }
    return bytes;
  });
  return der(0x06, Buffer.from(parts));
}

const SHA256 = sequence(oid('2.16.840.1.101.3.4.2.1'), NULL);
const RSA_SHA256 = sequence(oid('1.2.840.113549.1.1.11'), NULL);
const TST_INFO = oid('1.2.840.113549.1.9.16.1.4');
const name = (text: string): Buffer => sequence(set(sequence(oid('2.5.4.3'), der(0x0c, Buffer.from(text)))));
const time = (ms: number): Buffer => der(0x18, Buffer.from(new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')));

export interface CertificateParts {
  readonly subject: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly purpose?: string;
}

/** A self-signed certificate of the key, for time-stamping alone unless another purpose is named. */
export function makeCertificate({ subject, fromMs, toMs, purpose = '1.3.6.1.5.5.7.3.8' }: CertificateParts): Buffer {
  const spki = createPublicKey(TSA_KEY).export({ format: 'der', type: 'spki' });
  const usage = sequence(oid('2.5.29.37'), Buffer.of(1, 1, 0xff), octets(sequence(oid(purpose))));
  const signed = sequence(
    der(0xa0, integer(2)),
    integer(7),
    RSA_SHA256,
    name(subject),
    sequence(time(fromMs), time(toMs)),
    name(subject),
    spki,
    der(0xa3, sequence(usage)),
  );
  return sequence(signed, RSA_SHA256, der(0x03, Buffer.of(0), sign('sha256', signed, TSA_KEY)));
}

/** A granted time-stamp response over bytes, at a whole second. */
export function makeToken(
  stamped: Uint8Array,
  at: { readonly timeMs: number; readonly certificate: Buffer; readonly subject: string },
): Buffer {
  const info = sequence(
    integer(1),
    oid('1.2.3.4'),
    sequence(SHA256, octets(hash('sha256', stamped, 'buffer'))),
    integer(1),
    time(at.timeMs),
  );
  const attribute = (type: string, value: Buffer): Buffer => sequence(oid(type), set(value));
  const named = sequence(sequence(sequence(octets(hash('sha256', at.certificate, 'buffer')))));
  const attributes = [
    attribute('1.2.840.113549.1.9.3', TST_INFO),
    attribute('1.2.840.113549.1.9.4', octets(hash('sha256', info, 'buffer'))),
    attribute('1.2.840.113549.1.9.16.2.47', named),
  ].sort((left, right) => left.length - right.length || Buffer.compare(left, right));
  const signature = sign('sha256', set(...attributes), TSA_KEY);
  const signer = sequence(
    integer(1),
    sequence(name(at.subject), integer(7)),
    SHA256,
    der(0xa0, ...attributes),
    RSA_SHA256,
    octets(signature),
  );
  const signedData = sequence(
    integer(3),
    set(SHA256),
    sequence(TST_INFO, der(0xa0, octets(info))),
    der(0xa0, at.certificate),
    set(signer),
  );
  return sequence(sequence(integer(0)), sequence(oid('1.2.840.113549.1.7.2'), der(0xa0, signedData)));
}
