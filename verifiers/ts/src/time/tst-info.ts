// SPDX-License-Identifier: Apache-2.0
import { type Hash, hashOf } from './algorithm.ts';
import {
  booleanOf,
  childrenOf,
  DerError,
  type DerReader,
  type Element,
  readElement,
  smallInteger,
  TAG,
} from './der.ts';
import { fractionNanosOf, readTime } from './der-time.ts';

const NANOS_PER_MS = 1_000_000;
const SUB_SECOND_MAX = 999;

/** What a time-stamping authority says: these bytes existed at this time. */
export interface TstInfo {
  /** Null: a hash that is not known. */
  readonly hash: Hash | null;
  readonly imprint: Buffer;
  /** Rounded down to a millisecond. */
  readonly genTimeMs: number;
  /** genTime and accuracy, rounded up to a millisecond. */
  readonly upperBoundMs: number;
}

/** Reads a TSTInfo (RFC 3161 §2.4.2). Throws DerError. */
export function readTstInfo(bytes: Buffer): TstInfo {
  const reader = childrenOf(readElement(bytes, TAG.sequence));
  if (smallInteger(reader.take(TAG.integer)) !== 1) {
    throw new DerError('a TSTInfo of another version');
  }
  reader.take(TAG.oid);
  const imprint = childrenOf(reader.take(TAG.sequence));
  const hash = hashOf(imprint.take(TAG.sequence));
  const digest = imprint.take(TAG.octets).content;
  imprint.end();
  reader.take(TAG.integer);
  const time = reader.take(TAG.generalizedTime);
  const accuracyNanos = readAccuracy(reader.optional(TAG.sequence));
  readRest(reader);
  const genTimeMs = readTime(time);
  const fraction = fractionNanosOf(time);
  const upperBoundMs = genTimeMs + Math.ceil((fraction + accuracyNanos) / NANOS_PER_MS);
  return { hash, imprint: digest, genTimeMs: genTimeMs + Math.floor(fraction / NANOS_PER_MS), upperBoundMs };
}

function readAccuracy(accuracy: Element | undefined): number {
  if (accuracy === undefined) {
    return 0;
  }
  const reader = childrenOf(accuracy);
  const seconds = reader.optional(TAG.integer);
  const millis = subSecond(reader.optional(0x80));
  const micros = subSecond(reader.optional(0x81));
  reader.end();
  const whole = seconds === undefined ? 0 : smallInteger(seconds);
  return whole * 1_000 * NANOS_PER_MS + millis * NANOS_PER_MS + micros * 1_000;
}

function subSecond(element: Element | undefined): number {
  if (element === undefined) {
    return 0;
  }
  const value = smallInteger(element);
  if (value < 1 || value > SUB_SECOND_MAX) {
    throw new DerError('an accuracy out of range');
  }
  return value;
}

/** Ordering, nonce and the authority's name are read over; a critical extension that nobody knows is not. */
function readRest(reader: DerReader): void {
  reader.optional(TAG.boolean);
  reader.optional(TAG.integer);
  reader.optional(0xa0);
  const extensions = reader.optional(0xa1);
  reader.end();
  if (extensions === undefined) {
    return;
  }
  const list = childrenOf(extensions);
  while (!list.isAtEnd) {
    const extension = childrenOf(list.take(TAG.sequence));
    extension.take(TAG.oid);
    const critical = extension.optional(TAG.boolean);
    if (critical !== undefined && booleanOf(critical)) {
      throw new DerError('a critical extension');
    }
    extension.take(TAG.octets);
    extension.end();
  }
}
