// SPDX-License-Identifier: Apache-2.0
import { createHmac, timingSafeEqual } from 'node:crypto';
import { TIMESTAMP_TOLERANCE_MS } from '../request-signature.ts';
import type { DeliverySource } from './delivery-source.ts';

export type Delivered = {
  /** A header by its name in lower case, every value as sent. */
  readonly headers: (name: string) => readonly string[];
  readonly body: Uint8Array;
  readonly nowMs: number;
};

const WEBHOOK_ID = /^[\x21-\x2d\x2f-\x7e]{1,128}$/;
const SIGNATURES_MAX = 8;

/** The code of what is missing from the proof of a delivery, or undefined. Nobody is told which proof failed. */
export function deliveryFault(source: DeliverySource, delivered: Delivered): string | undefined {
  if (source.token !== null && !hasToken(source.token, delivered)) return 'CLY_ACTIVATION_SIGNATURE';
  if (source.secrets.length === 0) return undefined;
  return source.kind === 'segment' ? segmentFault(source, delivered) : webhookFault(source, delivered);
}

/** The id of a Standard Webhooks delivery, which a retry repeats. */
export function webhookId({ headers }: Pick<Delivered, 'headers'>): string {
  return one(headers('webhook-id'));
}

/** Compared as digests of equal length, so that time tells nothing about how much of it was right. */
function hasToken({ header, value }: NonNullable<DeliverySource['token']>, { headers }: Delivered): boolean {
  const digest = (text: string): Buffer => createHmac('sha256', 'clyra/activation/token').update(text).digest();
  return timingSafeEqual(digest(one(headers(header))), digest(value));
}

/** `X-Signature`: hex HMAC-SHA1 of the body. Of a batch Segment signs the first event only, which proves no batch. */
function segmentFault(source: DeliverySource, { headers, body }: Delivered): string | undefined {
  const given = one(headers('x-signature'));
  const isBatch = isList(body);
  if (isBatch) return source.token === null ? 'CLY_ACTIVATION_BATCH_UNSIGNED' : undefined;
  const isRight = source.secrets.some((secret) =>
    isEqual(given, createHmac('sha1', secret).update(body).digest('hex'), /^[0-9a-f]{40}$/),
  );
  return isRight ? undefined : 'CLY_ACTIVATION_SIGNATURE';
}

/** Standard Webhooks 1.0: base64 HMAC-SHA256 of id, time-stamp in seconds and body, with points between them. */
function webhookFault({ secrets }: DeliverySource, { headers, body, nowMs }: Delivered): string | undefined {
  const id = one(headers('webhook-id'));
  const timestamp = one(headers('webhook-timestamp'));
  if (!WEBHOOK_ID.test(id) || !/^[1-9][0-9]{0,11}$/.test(timestamp)) return 'CLY_ACTIVATION_SIGNATURE';
  const given = one(headers('webhook-signature')).split(' ', SIGNATURES_MAX);
  const isRight = secrets.some((secret) => {
    const mac = createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest('base64');
    return given.some((signature) => isEqual(signature, `v1,${mac}`, /^v1,[A-Za-z0-9+/]{43}=$/));
  });
  if (!isRight) return 'CLY_ACTIVATION_SIGNATURE';
  const isOld = Math.abs(nowMs - Number(timestamp) * 1_000) > TIMESTAMP_TOLERANCE_MS;
  return isOld ? 'CLY_ACTIVATION_TIMESTAMP' : undefined;
}

function isEqual(given: string, right: string, form: RegExp): boolean {
  return form.test(given) && timingSafeEqual(Buffer.from(given), Buffer.from(right));
}

/** A header that comes twice is none: two readers could take different ones. */
function one(values: readonly string[]): string {
  return values.length === 1 ? (values[0] as string) : '';
}

function isList(body: Uint8Array): boolean {
  const first = body.find((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d);
  return first === 0x5b;
}
