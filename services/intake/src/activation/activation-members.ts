// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import type { DeliverySource } from '@clyra/core/inspection/activation/delivery-source';

const HEADER = /^[a-z0-9][a-z0-9-]{0,63}$/;
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const SECRET_LENGTH_MIN = 16;
const LIST_MAX = 8;
/** Ours to set, or of the connection. */
const NOT_TO_BE_HELD =
  /^(?:host|content-|transfer-encoding$|connection$|clyra-|x-clyra-|x-tenant-id$|idempotency-key$)/;

export function onlyMembers(value: JsonObject, members: readonly string[], place: string): void {
  const other = Object.keys(value).find((name) => !members.includes(name));
  if (other !== undefined) throw new TypeError(`${place} has an unknown member ${other}`);
}

/** Segment's secrets are plain text, those of Standard Webhooks base64 behind `whsec_`. */
export function readSecrets(
  value: JsonValue | undefined,
  { place, isEncoded }: { readonly place: string; readonly isEncoded: boolean },
): readonly Uint8Array[] {
  return texts(value ?? [], `${place}.secrets`).map((secret) => {
    const encoded = secret.replace(/^whsec_/, '');
    if (isEncoded && !BASE64.test(encoded)) throw new TypeError(`${place}.secrets: write whsec_ and base64`);
    const bytes = isEncoded ? Buffer.from(encoded, 'base64') : Buffer.from(secret);
    if (bytes.length < SECRET_LENGTH_MIN)
      throw new TypeError(`${place}.secrets: one is under ${SECRET_LENGTH_MIN} bytes`);
    return bytes;
  });
}

export function readToken(value: JsonValue | undefined, place: string): DeliverySource['token'] {
  if (value === undefined) return null;
  if (!isJsonObject(value)) throw new TypeError(`${place}.token is no object {header, value}`);
  onlyMembers(value, ['header', 'value'], `${place}.token`);
  const { header = 'authorization', value: text } = value;
  if (typeof header !== 'string' || !HEADER.test(header)) {
    throw new TypeError(`${place}.token.header is no header name in lower case`);
  }
  if (typeof text !== 'string' || !HEADER_VALUE.test(text) || text.length < SECRET_LENGTH_MIN) {
    throw new TypeError(`${place}.token.value is no header value of ${SECRET_LENGTH_MIN} characters or more`);
  }
  return { header, value: text };
}

export function readPointers(value: JsonValue, place: string): readonly string[] {
  const pointers = texts(value, place);
  if (!pointers.every((pointer) => POINTER.test(pointer)))
    throw new TypeError(`${place} holds what is no JSON pointer`);
  return pointers;
}

export function readHeaders(value: JsonValue | undefined, place: string): Readonly<Record<string, string>> {
  if (!isJsonObject(value)) throw new TypeError(`${place}.headers is no object`);
  const headers = Object.entries(value);
  for (const [name, text] of headers) {
    if (!HEADER.test(name)) throw new TypeError(`${place}.headers: ${name} is no header name in lower case`);
    if (NOT_TO_BE_HELD.test(name)) throw new TypeError(`${place}.headers: ${name} is set by the gateway`);
    if (typeof text !== 'string' || !HEADER_VALUE.test(text)) {
      throw new TypeError(`${place}.headers: ${name} has no acceptable value`);
    }
  }
  if (headers.length === 0 || headers.length > LIST_MAX)
    throw new TypeError(`${place}.headers: write 1 to ${LIST_MAX}`);
  return value as Readonly<Record<string, string>>;
}

function texts(value: JsonValue, place: string): readonly string[] {
  const list = value as readonly JsonValue[];
  if (!Array.isArray(value) || list.length > LIST_MAX || !list.every((one) => typeof one === 'string')) {
    throw new TypeError(`${place} is no list of at most ${LIST_MAX} texts`);
  }
  return list as readonly string[];
}
