// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../../canonical/canonical-json.ts';
import { digestOf } from '../../canonical/digest.ts';
import { JsonError } from '../../canonical/json-error.ts';
import type { JsonValue } from '../../canonical/json-value.ts';
import { BODY_LIMITS, parseJson } from '../../canonical/parse-json.ts';
import type { BatchRule } from '../../policy/adapters.ts';
import { hasMediaType } from '../check-body.ts';
import { valueAt } from '../json-pointer.ts';
import { AroundScan } from '../stream/around-scan.ts';
import { ListSplitter } from '../stream/list-splitter.ts';
import type { DeliverySource } from './delivery-source.ts';

/** One change of a delivery: the bytes that are forwarded, and the key under which they have one effect. */
export type DeliveryPart = { readonly bytes: Uint8Array; readonly key: string };

export type Delivery = {
  readonly source: DeliverySource;
  readonly body: Uint8Array;
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  readonly batch: BatchRule;
  /** The id of the delivery itself, or the empty text. */
  readonly deliveryId: string;
};

export const RECORDS_MAX = 1_000;
const ID_LENGTH_MAX = 256;

/**
 * The changes of a delivery, or the code of why it is none as a whole. A batch whose records are changes of their own
 * is sent on as batches of one record each, cut out of its bytes: the destination sees the form that it always saw.
 */
export function splitDelivery(delivery: Delivery): readonly DeliveryPart[] | string {
  const { source, body, batch, contentEncoding, contentType } = delivery;
  if ((contentEncoding?.trim().toLowerCase() ?? 'identity') !== 'identity') return 'CLY_BODY_ENCODING';
  if (!hasMediaType(contentType, 'json')) return 'CLY_BODY_MEDIA_TYPE';
  const value = read(body);
  if (typeof value === 'string') return value;
  const list = valueAt(value.document, source.records);
  if (list === undefined || (source.records !== '' && !Array.isArray(list))) return 'CLY_ACTIVATION_RECORDS';
  const records = Array.isArray(list) ? (list as readonly JsonValue[]) : [list];
  if (records.length === 0) return 'CLY_ACTIVATION_RECORDS';
  if (records.length > RECORDS_MAX) return 'CLY_ACTIVATION_BATCH_SIZE';
  const keys = keysOf(delivery, records);
  if (typeof keys === 'string') return keys;
  if (!Array.isArray(list)) return [{ bytes: body, key: keys[0] as string }];
  if (batch === 'whole') return [{ bytes: body, key: keyOf(source, 'batch', keys) }];
  return cutOut(source.records, body).map((bytes, index) => ({ bytes, key: keys[index] as string }));
}

function read(body: Uint8Array): { readonly document: JsonValue } | string {
  try {
    return { document: parseJson(body, BODY_LIMITS) };
  } catch (error) {
    if (error instanceof JsonError) return error.code;
    throw error;
  }
}

/** A key for each record; the code of what is wrong where one has no id, or two have the same. */
function keysOf({ source, deliveryId }: Delivery, records: readonly JsonValue[]): readonly string[] | string {
  const keys: string[] = [];
  for (const [index, record] of records.entries()) {
    const ids = source.ids.length === 0 ? [deliveryId, String(index)] : source.ids.map((at) => idAt(record, at));
    if (ids.some((id) => id === '')) return 'CLY_ACTIVATION_ID';
    keys.push(keyOf(source, 'record', ids));
  }
  return new Set(keys).size === keys.length ? keys : 'CLY_ACTIVATION_ID_REPEATED';
}

function idAt(record: JsonValue, pointer: string): string {
  const value = valueAt(record, pointer);
  const isId = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  const text = isId ? canonicalJson(value) : '';
  return text === '""' || text.length > ID_LENGTH_MAX ? '' : text;
}

/** Hashed, as ids of records may be names or addresses of people. */
function keyOf({ kind, name }: DeliverySource, what: 'record' | 'batch', ids: readonly string[]): string {
  return `${kind}-${digestOf(canonicalJson([name, what, ...ids]))}`;
}

function cutOut(pointer: string, body: Uint8Array): Uint8Array[] {
  const path = pointer.split('/').slice(1);
  const names = path.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
  const before = body.subarray(0, new AroundScan(names).scan(body, 0));
  const limits = { itemBytesMax: BODY_LIMITS.bytesMax, aroundBytesMax: BODY_LIMITS.bytesMax, itemsMax: RECORDS_MAX };
  const splitter = new ListSplitter(names, limits);
  const items: Uint8Array[] = [];
  splitter.push(body, (bytes) => items.push(Uint8Array.from(bytes)));
  const after = splitter.end(() => {}).subarray(before.length);
  return items.map((item) => Buffer.concat([before, item, after]));
}
