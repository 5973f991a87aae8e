// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { shapeError } from '../change/shape.ts';
import type { TreeHead } from './checkpoint.ts';

export type NoteLine = {
  readonly name: string;
  /** First four bytes of what the line carries. */
  readonly hint: Uint8Array;
  readonly signature: Uint8Array;
  /** With its LF. */
  readonly text: string;
};

/** A C2SP checkpoint of anybody's log: extension lines are allowed and mean nothing here. */
export type Note = {
  readonly head: TreeHead;
  /** What signatures are over, with the LF at its end. */
  readonly text: string;
  readonly lines: readonly NoteLine[];
};

/** The algorithms that a line's hint tells apart (C2SP signed-note). */
export const NOTE_KEY_TYPES = { ed25519: 1, cosignature: 4 } as const;

const NOTE_BYTES_MAX = 16_384;
const LINES_MAX = 32;
const TEXT = /^([^\s+]{1,512})\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*$/u;
const LINE = /^— ([^\s+]+) ((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/u;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Parses a signed checkpoint; no signature is judged. Throws CLY_RECORD_SHAPE. */
export function parseNote(bytes: Uint8Array): Note {
  if (bytes.length > NOTE_BYTES_MAX) throw shapeError(`a note has more than ${NOTE_BYTES_MAX} bytes`);
  const whole = decode(bytes);
  const end = whole.lastIndexOf('\n\n');
  const text = end < 0 ? '' : whole.slice(0, end + 1);
  const [, origin, size, root] = TEXT.exec(text) ?? [];
  if (origin === undefined || size === undefined || root === undefined || !whole.endsWith('\n')) {
    throw shapeError('a note is no checkpoint');
  }
  if (!Number.isSafeInteger(Number(size))) throw shapeError('a checkpoint has a size beyond all use');
  const lines = whole.slice(end + 2, -1).split('\n');
  if (lines.length > LINES_MAX) throw shapeError(`a note has more than ${LINES_MAX} signature lines`);
  const head = { origin, size: Number(size), root: Buffer.from(root, 'base64').toString('hex') };
  return { head, text, lines: lines.map(parseNoteLine) };
}

/** One signature line without its LF. Throws CLY_RECORD_SHAPE. */
export function parseNoteLine(line: string): NoteLine {
  const [, name, encoded] = LINE.exec(line) ?? [];
  const bytes = Buffer.from(encoded ?? '', 'base64');
  if (name === undefined || bytes.length < 5) throw shapeError('a note has a line that is no signature');
  return { name, hint: bytes.subarray(0, 4), signature: bytes.subarray(4), text: `${line}\n` };
}

export function formatNoteLine(name: string, hint: Uint8Array, signature: Uint8Array): string {
  return `— ${name} ${Buffer.concat([hint, signature]).toString('base64')}\n`;
}

/** The four bytes by which a note names a key of a type. */
export function keyHint(name: string, type: keyof typeof NOTE_KEY_TYPES, publicKey: Uint8Array): Uint8Array {
  const named = Buffer.concat([Buffer.from(`${name}\n`, 'utf8'), Buffer.of(NOTE_KEY_TYPES[type]), publicKey]);
  return hash('sha256', named, 'buffer').subarray(0, 4);
}

/** A key as C2SP tools take it: `name+hint+base64(type ‖ key)`. */
export function verifierKey(name: string, type: keyof typeof NOTE_KEY_TYPES, publicKey: Uint8Array): string {
  const hint = Buffer.from(keyHint(name, type, publicKey)).toString('hex');
  return `${name}+${hint}+${Buffer.concat([Buffer.of(NOTE_KEY_TYPES[type]), publicKey]).toString('base64')}`;
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw shapeError('a note is not UTF-8');
  }
}
