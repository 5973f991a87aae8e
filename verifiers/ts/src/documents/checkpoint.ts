// SPDX-License-Identifier: Apache-2.0
import { sha256 } from '../hash/sha256.ts';
import { ShapeError } from '../json/shape.ts';
import { findInvalidUtf8 } from '../json/utf8.ts';
import { decodeBase64 } from '../signature/base64.ts';
import { ORIGIN } from './manifest-parts.ts';

export const CHECKPOINT_BYTES_MAX = 16_384;
const SIGNATURES_MAX = 32;
const LINE_LENGTH_MAX = 1_024;
const SIGNATURE_LINE = /^— ([^\s+]+) (\S+)$/u;
const SIZE = /^(?:0|[1-9][0-9]{0,15})$/;

export interface NoteSignature {
  readonly name: string;
  /** First four bytes of what the line carries. */
  readonly keyHint: Buffer;
  readonly signature: Buffer;
}

/** A C2SP checkpoint as a signed note. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  /** The bytes that are signed: the first three lines. */
  readonly signedBytes: Buffer;
  /** The first five lines, up to the log's own signature: what time-stamps cover. */
  readonly sealedBytes: Buffer;
  readonly signatures: readonly NoteSignature[];
}

/** Parses a checkpoint. Throws ShapeError whose member is `line <n>`. */
export function parseCheckpoint(bytes: Buffer): Checkpoint {
  if (bytes.length > CHECKPOINT_BYTES_MAX) {
    throw new ShapeError('', `is larger than ${CHECKPOINT_BYTES_MAX} bytes`);
  }
  if (findInvalidUtf8(bytes) >= 0) {
    throw new ShapeError('', 'is not UTF-8');
  }
  const lines = bytes.toString('utf8').split('\n');
  const [origin = '', sizeText = '', rootText = '', blank, ...rest] = lines;
  if (!ORIGIN.test(origin)) {
    throw new ShapeError('line 1', 'must be an origin');
  }
  const size = Number(sizeText);
  if (!SIZE.test(sizeText) || !Number.isSafeInteger(size)) {
    throw new ShapeError('line 2', 'must be a decimal tree size');
  }
  const root = decodeBase64(rootText);
  if (root === null || root.length !== 32) {
    throw new ShapeError('line 3', 'must be a root of 32 bytes in base64');
  }
  if (blank !== '' || rest.pop() !== '' || rest.length === 0 || rest.length > SIGNATURES_MAX) {
    throw new ShapeError('line 4', `must be empty, and 1 to ${SIGNATURES_MAX} signature lines must follow`);
  }
  return {
    origin,
    size,
    root,
    signedBytes: Buffer.from(`${origin}\n${sizeText}\n${rootText}\n`),
    sealedBytes: Buffer.from(`${origin}\n${sizeText}\n${rootText}\n\n${rest[0]}\n`),
    signatures: rest.map((line, index) => parseSignatureLine(line, `line ${index + 5}`)),
  };
}

export function parseSignatureLine(line: string, member: string): NoteSignature {
  const match = SIGNATURE_LINE.exec(line);
  const bytes = decodeBase64(match?.[2] ?? '');
  if (match === null || bytes === null || bytes.length < 5 || [...line].length > LINE_LENGTH_MAX) {
    throw new ShapeError(member, 'must be a signature line of a note');
  }
  return { name: match[1] ?? '', keyHint: bytes.subarray(0, 4), signature: bytes.subarray(4) };
}

/** The key id of an Ed25519 key under a name: type 01 for a log's signature, 04 for a cosignature. */
export function noteKeyHint(name: string, publicKey: Buffer, type: number = 1): Buffer {
  return sha256(Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), publicKey])).subarray(0, 4);
}
