// SPDX-License-Identifier: Apache-2.0
import { DIGEST } from '../canonical/digest.ts';
import { isJsonObject, type JsonValue } from '../canonical/json-value.ts';
import type { SignatureBlock } from './batch-signature.ts';

const KEY_ID = /^[0-9a-f]{32}$/;
const SIGNATURE = /^[A-Za-z0-9+/]{86}==$/;
const PATH_LENGTH_MAX = 10;

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
