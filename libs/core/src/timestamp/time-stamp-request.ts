// SPDX-License-Identifier: Apache-2.0
import { algorithmOf, OID } from './algorithms.ts';
import { boolean, integer, nothing, octets, oid, sequence } from './der.ts';
import { readDer, smallInteger } from './der-reader.ts';
import { stampError } from './stamp-error.ts';

export type TimeStampRequest = { readonly imprint: Uint8Array; readonly nonce: Uint8Array | undefined };

export const sha256Identifier = (): Uint8Array => sequence(oid(OID.sha256), nothing());

/** A TimeStampReq (RFC 3161 §2.4.1) for a SHA-256 imprint, asking for the certificates. */
export function encodeTimeStampRequest({ imprint, nonce }: TimeStampRequest): Uint8Array {
  const message = sequence(sha256Identifier(), octets(imprint));
  return sequence(integer(1), message, ...(nonce === undefined ? [] : [integer(nonce)]), boolean(true));
}

/** What a TSA reads of it. Throws CLY_TIME_STAMP. */
export function readTimeStampRequest(bytes: Uint8Array): TimeStampRequest {
  const reader = readDer(bytes, 0x30);
  if (smallInteger(reader.next(0x02)) !== 1) throw stampError('is asked for by another version');
  const message = reader.open(0x30);
  if (algorithmOf(message) !== OID.sha256) throw stampError('is asked for by another hash than SHA-256');
  const imprint = message.next(0x04).content;
  if (imprint.length !== 32) throw stampError('is asked for something that is no SHA-256');
  reader.optional(0x06);
  const nonce = reader.optional(0x02)?.content;
  reader.optional(0x01);
  reader.end();
  return { imprint, nonce };
}
