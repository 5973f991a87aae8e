// SPDX-License-Identifier: Apache-2.0
import { History } from '@clyra/testing/history';
import { describe, expect, it } from '@jest/globals';
import { canonicalJson } from '../canonical/canonical-json.ts';
import type { JsonObject, JsonValue } from '../canonical/json-value.ts';
import { encodeRecord, parseRecord, RECORD_BYTES_MAX } from '../canonical/record.ts';
import { decidedLine, type LinePart, observedLine } from './write-line.ts';

function part(body: JsonObject, block: JsonObject | null = null): LinePart {
  return { body, bytes: encodeRecord(body), block };
}

function nested(depth: number): JsonObject {
  let value: JsonValue = {};
  for (let level = 1; level < depth; level += 1) value = { a: value };
  return value;
}

describe('lines', () => {
  it('are canonical records, with every body as it was', async () => {
    const history = await new History().open();
    await history.transaction();
    await history.watermark();
    const lines = history.lines();
    expect(lines.length).toBe(5);
    for (const { bytes } of lines) {
      expect(canonicalJson(parseRecord(bytes))).toBe(Buffer.from(bytes).toString('utf8'));
    }
  });

  const frame = decidedLine({ appendTimeMs: 1, change: part({ a: '' }), receipt: part({}) }).length;

  it('may be as large as a record', () => {
    const change = part({ a: 'x'.repeat(RECORD_BYTES_MAX - frame) });
    expect(decidedLine({ appendTimeMs: 1, change, receipt: part({}) }).length).toBe(RECORD_BYTES_MAX);
  });

  it('are refused one byte beyond', () => {
    const change = part({ a: 'x'.repeat(RECORD_BYTES_MAX - frame + 1) });
    expect(() => decidedLine({ appendTimeMs: 1, change, receipt: part({}) })).toThrow(
      expect.objectContaining({ code: 'CLY_JOURNAL_LINE_LIMIT' }),
    );
  });

  it.each([
    [30, false],
    [31, true],
  ])('with a body of depth %i are refused: %p', (depth, isRefused) => {
    const make = (): Uint8Array => observedLine({ appendTimeMs: 1, observation: part(nested(depth)) });
    if (isRefused) expect(make).toThrow(expect.objectContaining({ code: 'CLY_JOURNAL_LINE_LIMIT' }));
    else expect(parseRecord(make())).toHaveProperty('kind', 'observed');
  });
});
