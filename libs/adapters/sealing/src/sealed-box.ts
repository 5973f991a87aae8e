// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { canonicalJson } from '@clyra/core/canonical/canonical-json';
import { isJsonObject, type JsonObject } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import { DISCLOSURES_BYTES_MAX } from '@clyra/core/disclosure/disclosures';
import { ClyraError } from '@clyra/core/kernel/error';
import nacl from 'tweetnacl';

/** docs/spec/disclosure.md §5: disclosures that only the holder of one key can read. */
export const SEALED_FORMAT = 'clyra/sealed-disclosures/v0';

const BOX_BYTES_MAX = DISCLOSURES_BYTES_MAX + nacl.box.overheadLength;
/** Base64 of the box, and the rest of the object. */
const SEALED_BYTES_MAX = Math.ceil(BOX_BYTES_MAX / 3) * 4 + 4_096;

export type SealingKey = { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array };

/** A recipient's key pair (X25519). */
export function makeSealingKey(): SealingKey {
  return nacl.box.keyPair.fromSecretKey(randomBytes(nacl.box.secretKeyLength));
}

/** Throws CLY_SEALING_KEY for anything but 32 bytes. */
export function sealingKeyOf(secretKey: Uint8Array): SealingKey {
  if (secretKey.length !== nacl.box.secretKeyLength) throw keyError();
  return nacl.box.keyPair.fromSecretKey(secretKey);
}

/**
 * Seals bytes to a recipient's public key, from a sender's key that is made for this file and forgotten. Throws
 * CLY_SEALING_KEY for a key that is none, and CLY_SEALED_SIZE beyond 16 MiB.
 */
export function sealTo(recipient: Uint8Array, bytes: Uint8Array): Uint8Array {
  if (recipient.length !== nacl.box.publicKeyLength) throw keyError();
  if (bytes.length > DISCLOSURES_BYTES_MAX) {
    throw new ClyraError('CLY_SEALED_SIZE', 'more than 16 MiB of disclosures: disclose fewer lines at once', {
      retry: 'never',
    });
  }
  const sender = makeSealingKey();
  const nonce = randomBytes(nacl.box.nonceLength);
  const sealed = {
    box: text(nacl.box(bytes, nonce, recipient, sender.secretKey)),
    format: SEALED_FORMAT,
    nonce: text(nonce),
    recipient: text(recipient),
    sender: text(sender.publicKey),
  };
  return Buffer.from(canonicalJson(sealed), 'utf8');
}

/** Opens what was sealed to this key. Throws CLY_SEALED_SHAPE, or CLY_SEALED_CLOSED where it was not, or was changed. */
export function openSealed(sealed: Uint8Array, key: SealingKey): Uint8Array {
  const found = readSealed(sealed);
  const isOurs = text(key.publicKey) === found['recipient'];
  const opened = isOurs
    ? nacl.box.open(bytesOf(found, 'box'), bytesOf(found, 'nonce', 24), bytesOf(found, 'sender', 32), key.secretKey)
    : null;
  if (opened === null) {
    throw new ClyraError(
      'CLY_SEALED_CLOSED',
      'the file was sealed to another key, or was changed on its way: ask its sender for it again',
      { retry: 'never' },
    );
  }
  return opened;
}

function readSealed(sealed: Uint8Array): JsonObject {
  const value = parseJson(sealed, { bytesMax: SEALED_BYTES_MAX, depthMax: 1, valuesMax: 8 });
  if (!isJsonObject(value) || value['format'] !== SEALED_FORMAT || Object.keys(value).length !== 5) throw shapeError();
  if (canonicalJson(value) !== Buffer.from(sealed).toString('utf8')) throw shapeError();
  return value;
}

function bytesOf(sealed: JsonObject, name: string, length?: number): Uint8Array {
  const value = sealed[name];
  const bytes = Buffer.from(typeof value === 'string' ? value : '', 'base64');
  if (bytes.toString('base64') !== value || (length !== undefined && bytes.length !== length)) throw shapeError();
  return bytes;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function keyError(): ClyraError {
  return new ClyraError('CLY_SEALING_KEY', 'a sealing key has 32 bytes: make one with `clyra disclose keygen`', {
    retry: 'never',
  });
}

function shapeError(): ClyraError {
  return new ClyraError('CLY_SEALED_SHAPE', 'these are no sealed disclosures (docs/spec/disclosure.md §5)', {
    retry: 'never',
  });
}
