// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { digestOf } from '../../canonical/digest.ts';
import { CompactRange } from '../../merkle/compact-range.ts';
import { leafHash } from '../../merkle/hash.ts';
import { EventNotary } from './event-notary.ts';

const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
const line = fc.stringMatching(/^[a-z]{1,4}: ?[ -~]{0,8}$/);
/** Lines with one kind of end, and a blank one behind them. */
const event = fc
  .tuple(fc.array(line, { minLength: 1, maxLength: 3 }), lineEnd)
  .map(([lines, end]) => lines.map((text) => text + end).join('') + end);
/** A blank line of CR, with an event of CR LF before nothing of LF, is the only place where two readings meet. */
const stream = fc.record({
  events: fc.array(event, { maxLength: 8 }),
  rest: fc.constantFrom('', 'data: cut', 'data: cut\n'),
});
const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

describe('the notary of event streams', () => {
  it('finds the same events wherever the pieces end, and their tree root', () => {
    fc.assert(
      fc.property(stream, sizes, ({ events, rest }, pieces) => {
        const bytes = Buffer.from(events.join('') + rest);
        const notary = new EventNotary();
        for (let at = 0, index = 0; at < bytes.length; index += 1) {
          const size = pieces[index % pieces.length] as number;
          notary.push(bytes.subarray(at, at + size));
          at += size;
        }
        const range = new CompactRange();
        for (const one of events) range.append(leafHash(Buffer.from(one)));
        expect(notary.fact('complete')).toEqual({
          form: 'sse',
          end: 'complete',
          size: bytes.length,
          digest: digestOf(bytes),
          items: events.length,
          root: range.root(),
        });
      }),
    );
  });

  it('has another root when any byte of any event is another', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 4 }), fc.nat(), (events, place) => {
        const bytes = Buffer.from(events.join(''));
        const changed = Buffer.from(bytes);
        const at = place % bytes.length;
        changed[at] = (changed[at] as number) ^ 1;
        const [one, other] = [new EventNotary(), new EventNotary()];
        one.push(bytes);
        other.push(changed);
        expect(other.fact('complete').digest).not.toBe(one.fact('complete').digest);
        expect([other.fact('complete').root, other.count]).not.toEqual([one.fact('complete').root, one.count]);
      }),
    );
  });
});
