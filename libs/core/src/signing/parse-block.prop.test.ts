// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeRecord, parseRecord } from '../canonical/record.ts';
import { blockToJson, encodeBlock } from './batch-signature.ts';
import { parseBlock, readBlock } from './parse-block.ts';

const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
const blocks = fc.record({
  index: fc.integer({ min: -1, max: 20_000 }),
  key_id: hex(32),
  path: fc.array(hex(64), { maxLength: 12 }),
  sig: fc.uint8Array({ minLength: 64, maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  size: fc.integer({ min: -1, max: 20_000 }),
});

/** What the strict reader makes of these bytes; 'malformed' where it throws. */
function strictly(bytes: Uint8Array): unknown {
  try {
    return parseBlock(parseRecord(bytes));
  } catch {
    return 'malformed';
  }
}

function quickly(bytes: Uint8Array): unknown {
  try {
    return readBlock(bytes);
  } catch {
    return 'malformed';
  }
}

describe('the quick reader of signature blocks', () => {
  it('says of every block what the strict one says', () => {
    fc.assert(
      fc.property(blocks, (block) => {
        const bytes = encodeRecord(blockToJson(block));
        expect(Buffer.compare(encodeBlock(block), bytes)).toBe(0);
        expect(quickly(bytes)).toEqual(strictly(bytes));
      }),
    );
  });

  it('and of every block with a byte changed, added or taken away', () => {
    const edits = fc.record({
      at: fc.nat(),
      removed: fc.integer({ min: 0, max: 70 }),
      added: fc.constantFrom('', '"', ',', '0', 'a', '""', ' '),
    });
    fc.assert(
      fc.property(blocks, edits, (block, { at, removed, added }) => {
        const text = Buffer.from(encodeRecord(blockToJson(block))).toString('latin1');
        const place = at % text.length;
        const bytes = Buffer.from(text.slice(0, place) + added + text.slice(place + removed), 'latin1');
        expect(quickly(bytes)).toEqual(strictly(bytes));
      }),
      { numRuns: 1_000 },
    );
  });
});
