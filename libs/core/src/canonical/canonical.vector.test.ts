// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { canonicalJson } from './canonical-json.ts';
import { JsonError } from './json-error.ts';
import { BODY_LIMITS, parseJson } from './parse-json.ts';
import { parseRecord } from './record.ts';

/** `input` is text, or bytes in hex where text could not carry it. `repeat` builds long inputs. */
type Case = {
  readonly name: string;
  readonly input?: string;
  readonly hex?: string;
  readonly repeat?: { readonly open: string; readonly times: number; readonly middle: string; readonly close: string };
  readonly code?: string;
  readonly canonical?: string;
};

const vectors = JSON.parse(
  readFileSync(new URL('../../../../schemas/vectors/canonical/json-cases.json', import.meta.url), 'utf8'),
) as { readonly body: readonly Case[]; readonly record: readonly Case[] };

function bytesOf({ input, hex, repeat }: Case): Uint8Array {
  if (hex !== undefined) return Buffer.from(hex, 'hex');
  if (repeat !== undefined)
    return Buffer.from(repeat.open.repeat(repeat.times) + repeat.middle + repeat.close.repeat(repeat.times));
  return Buffer.from(input ?? '', 'utf8');
}

function codeOf(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof JsonError) return error.code;
    throw error;
  }
}

describe('a body', () => {
  it.each(vectors.body.map((one) => [one.name, one] as const))('%s', (_name, one) => {
    const bytes = bytesOf(one);
    expect(codeOf(() => parseJson(bytes, BODY_LIMITS))).toBe(one.code);
    if (one.canonical !== undefined) expect(canonicalJson(parseJson(bytes, BODY_LIMITS))).toBe(one.canonical);
  });
});

describe('a record', () => {
  it.each(vectors.record.map((one) => [one.name, one] as const))('%s', (_name, one) => {
    expect(codeOf(() => parseRecord(bytesOf(one)))).toBe(one.code);
  });
});
