// SPDX-License-Identifier: Apache-2.0
import { DIGEST, type Digest } from '../canonical/digest.ts';
import { isJsonObject, type JsonValue } from '../canonical/json-value.ts';
import { parseRecord } from '../canonical/record.ts';
import type { SignatureBlock } from './batch-signature.ts';

const KEY_ID = /^[0-9a-f]{32}$/;
const SIGNATURE = /^[A-Za-z0-9+/]{86}==$/;
const PATH_LENGTH_MAX = 10;

const CANONICAL =
  /^\{"index":(0|[1-9]\d{0,3}),"key_id":"([0-9a-f]{32})","path":\[((?:"[0-9a-f]{64}"(?:,"[0-9a-f]{64}"){0,9})?)\],"sig":"([A-Za-z0-9+/]{86}==)","size":(0|[1-9]\d{0,3})\}$/;
/** A digest, its quotes, and a comma. */
const PATH_NODE_SIZE = 67;

/**
 * A signature block from its canonical bytes, or undefined where they are another record. Throws JsonError where they
 * are none. Each record on the log carries one, and nearly all have the one form that this looks for first.
 */
export function readBlock(bytes: Uint8Array): SignatureBlock | undefined {
  const found = CANONICAL.exec(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'));
  if (found === null) return parseBlock(parseRecord(bytes));
  const [, index, keyId, list, sig, size] = found as unknown as readonly [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const path: Digest[] = [];
  for (let at = 1; at < list.length; at += PATH_NODE_SIZE) path.push(list.slice(at, at + 64));
  return { index: Number(index), key_id: keyId, path, sig, size: Number(size) };
}

/** A signature block read from hostile bytes, or undefined where its shape is wrong. */
export function parseBlock(value: JsonValue | undefined): SignatureBlock | undefined {
  if (!isJsonObject(value) || Object.keys(value).length !== 5) return undefined;
  const { index, key_id: keyId, path, sig, size } = value;
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size)) return undefined;
  if (typeof keyId !== 'string' || !KEY_ID.test(keyId)) return undefined;
  if (typeof sig !== 'string' || !SIGNATURE.test(sig)) return undefined;
  if (!Array.isArray(path) || path.length > PATH_LENGTH_MAX) return undefined;
  if (!path.every((node) => typeof node === 'string' && DIGEST.test(node))) return undefined;
  return { index: index as number, key_id: keyId, path: path as string[], sig, size: size as number };
}
